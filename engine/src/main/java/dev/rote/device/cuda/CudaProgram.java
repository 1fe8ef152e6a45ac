package dev.rote.device.cuda;

import dev.rote.device.Buffer;
import dev.rote.device.Program;
import dev.rote.errors.DeviceException;
import dev.rote.graph.Node;
import dev.rote.graph.Plan;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/// A plan captured as one CUDA graph. Running it is one launch; nothing is waited for.
final class CudaProgram implements Program {
    private final CudaDevice device;
    private final String name;
    private final String operation; // for messages; made once, as a step allocates nothing
    private final CudaMemory memory;
    private final CUgraphExec graph = new CUgraphExec();
    private final CudaBuffer[] bound;
    private boolean closed;

    CudaProgram(CudaDevice device, String name, Plan plan, Map<String, Buffer> bindings) {
        this.device = device;
        this.name = name;
        this.operation = "program " + name;
        device.makeCurrent();
        this.memory = new CudaMemory(device, name, plan, bindings);
        boolean complete = false;
        try {
            capture(plan);
            complete = true;
        } finally {
            if (!complete) {
                memory.close();
            }
        }
        this.bound = plan.graph().externals().keySet().stream()
                .map(external -> (CudaBuffer) bindings.get(external))
                .toArray(CudaBuffer[]::new);
    }

    private void capture(Plan plan) {
        Optional<VendorLowering> vendor = device.vendor().map(operations -> new VendorLowering(memory, operations));
        CudaLowering lowering = new CudaLowering(memory, device.tf32(), vendor);
        List<Lowered> program = lowering.lower(plan.nodes());
        vendor.ifPresent(theirs -> theirs.report(name));
        program.forEach(each -> each.launches().forEach(this::prepare));
        CUgraph captured = new CUgraph();
        int mode = CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        Driver.check(JCudaDriver.cuStreamBeginCapture(device.stream(), mode), operation);
        int ended;
        try (Streams streams = new Streams(memory, device, vendor.isEmpty(), operation)) {
            try {
                for (Lowered lowered : program) {
                    launch(lowered, streams.enter(lowered));
                    streams.leave(lowered);
                }
                streams.join();
            } finally {
                ended = JCudaDriver.cuStreamEndCapture(device.stream(), captured);
            }
        }
        Driver.check(ended, operation);
        Driver.check(JCudaDriver.cuGraphInstantiate(graph, captured, 0), operation);
        JCudaDriver.cuGraphDestroy(captured);
    }

    private void prepare(Launch launch) {
        switch (launch) {
            case KernelLaunch kernel -> device.kernels().prepare(kernel);
            case VendorLaunch ignored -> {} // it was tried
        }
    }

    private void launch(Lowered lowered, StreamHandle stream) {
        try {
            for (Launch launch : lowered.launches()) {
                switch (launch) {
                    case KernelLaunch kernel -> device.kernels().launch(kernel, stream);
                    case VendorLaunch call -> call.issue();
                }
            }
        } catch (DeviceException e) {
            Node node = lowered.first();
            throw new DeviceException(
                    "program " + name + ", " + node.op().label() + " " + node.inputTypes() + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void run() {
        if (closed) {
            throw new IllegalStateException("program " + name + " is closed");
        }
        for (CudaBuffer buffer : bound) {
            buffer.requireOpen();
        }
        device.makeCurrent();
        device.check(JCudaDriver.cuGraphLaunch(graph, device.stream()), operation);
    }

    @Override
    public long memoryBytes() {
        return memory.bytes();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            device.forget(this);
            device.makeCurrent();
            JCudaDriver.cuGraphExecDestroy(graph);
            memory.close();
        }
    }
}
