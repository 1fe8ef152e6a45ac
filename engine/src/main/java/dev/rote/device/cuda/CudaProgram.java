package dev.rote.device.cuda;

import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.errors.DeviceException;
import dev.rote.graph.Node;
import dev.rote.graph.Plan;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.JCudaDriver;

/// A plan, or several that have nothing to do with each other, captured as one CUDA graph. Running it is one launch;
/// nothing is waited for. Several plans that differ in addresses and numbers only share their launches
/// ([ReplicaLaunches]); others are branches of the graph, which the GPU runs side by side as far as it has room:
/// each on a stream of its own while it is captured.
final class CudaProgram implements Program {
    private final CudaDevice device;
    private final String name;
    private final String operation; // for messages; made once, as a step allocates nothing
    private final List<CudaMemory> memories = new ArrayList<>();
    private final CUgraphExec graph = new CUgraphExec();
    private final CudaBuffer[] bound;
    private boolean closed;

    CudaProgram(CudaDevice device, String name, List<Device.Part> parts) {
        this.device = device;
        this.name = name;
        this.operation = "program " + name;
        device.makeCurrent();
        boolean complete = false;
        try {
            List<ReplicaLaunches.Program> programs = new ArrayList<>();
            for (Device.Part part : parts) {
                CudaMemory memory = new CudaMemory(device, name, part.plan(), part.bindings());
                memories.add(memory);
                programs.add(new ReplicaLaunches.Program(part.plan(), memory, lower(memory, part.plan())));
            }
            // Calls of a vendor's library are nobody else's.
            boolean ours = device.vendor().isEmpty();
            List<ReplicaLaunches.Program> branches =
                    ours ? new ReplicaLaunches(device.kernels()::has).merge(programs) : programs;
            branches.forEach(
                    branch -> branch.lowered().forEach(each -> each.launches().forEach(this::prepare)));
            capture(branches);
            complete = true;
        } finally {
            if (!complete) {
                memories.forEach(CudaMemory::close);
            }
        }
        this.bound = parts.stream()
                .flatMap(part -> part.plan().graph().externals().keySet().stream()
                        .map(external -> (CudaBuffer) part.bindings().get(external)))
                .distinct()
                .toArray(CudaBuffer[]::new);
    }

    private List<Lowered> lower(CudaMemory memory, Plan plan) {
        Optional<VendorLowering> vendor = device.vendor().map(operations -> new VendorLowering(memory, operations));
        List<Lowered> lowered = new CudaLowering(memory, device.tensorCores(), vendor).lower(plan.nodes());
        vendor.ifPresent(theirs -> theirs.report(name));
        return lowered;
    }

    private void capture(List<ReplicaLaunches.Program> branches) {
        CUgraph captured = new CUgraph();
        int mode = CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        // Calls of a vendor's library share its stream, so its branches follow one another.
        boolean parallel = branches.size() > 1 && device.vendor().isEmpty();
        List<Streams> sides = new ArrayList<>(); // their events outlive the capture
        try (Branches streams = new Branches(device, parallel ? branches.size() : 0, operation)) {
            Driver.check(JCudaDriver.cuStreamBeginCapture(device.stream(), mode), operation);
            int ended;
            try {
                streams.fork();
                for (int number = 0; number < branches.size(); number++) {
                    if (parallel) {
                        StreamHandle stream = streams.of(number);
                        branches.get(number).lowered().forEach(lowered -> launch(lowered, stream));
                    } else {
                        ReplicaLaunches.Program branch = branches.get(number);
                        Streams side = new Streams(
                                branch.memory(), device, device.vendor().isEmpty(), operation);
                        sides.add(side);
                        captureWithSide(branch.lowered(), side);
                    }
                }
                streams.join();
            } finally {
                ended = JCudaDriver.cuStreamEndCapture(device.stream(), captured);
            }
            Driver.check(ended, operation);
        } finally {
            sides.forEach(Streams::close);
        }
        Driver.check(JCudaDriver.cuGraphInstantiate(graph, captured, 0), operation);
        JCudaDriver.cuGraphDestroy(captured);
    }

    /// On the device's stream, with what only the end of a step waits for on another.
    private void captureWithSide(List<Lowered> program, Streams streams) {
        for (Lowered lowered : program) {
            launch(lowered, streams.enter(lowered));
            streams.leave(lowered);
        }
        streams.join();
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
        return memories.stream().mapToLong(CudaMemory::bytes).sum();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            device.forget(this);
            device.makeCurrent();
            JCudaDriver.cuGraphExecDestroy(graph);
            memories.forEach(CudaMemory::close);
        }
    }
}
