package dev.rote.device.cuda;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/// The kernels in the current context, loaded when they are first wanted.
final class Kernels implements AutoCloseable {
    /// More must be asked for: a block has 48 KiB unasked, of which arrays of fixed size take at most a third.
    private static final int PLAIN_SHARED_BYTES = 32 * 1024;

    private final KernelImage image;
    private final Map<String, CUmodule> modules = new HashMap<>();
    private final Map<String, FunctionHandle> functions = new HashMap<>();
    private final Map<String, Integer> sharedBytes = new HashMap<>(); // granted, where more than the plain ones
    private final Map<String, StandIn.Layout> layouts;

    Kernels(KernelImage image) {
        this.image = image;
        this.layouts = StandIn.loaded().map(StandIn::layouts).orElse(Map.of());
    }

    /// Whether there is such a kernel.
    boolean has(String kernel) {
        return image.has(kernel);
    }

    /// Loads what the launch needs and checks its arguments; not allowed while a stream is captured.
    ///
    /// @throws DeviceException if there is no such kernel or the device cannot give it its shared memory
    /// @throws AssertionError if the arguments are not those of the kernel
    void prepare(KernelLaunch launch) {
        FunctionHandle function = functions.get(launch.kernel());
        if (function == null) {
            function = find(launch.kernel());
            functions.put(launch.kernel(), function);
        }
        compareLayout(launch);
        // All launches of a program are prepared before the first, so the limit must be that of the largest.
        int granted = sharedBytes.getOrDefault(launch.kernel(), PLAIN_SHARED_BYTES);
        if (launch.sharedBytes() > granted) {
            int limit = CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            Driver.check(JCudaDriver.cuFuncSetAttribute(function, limit, launch.sharedBytes()), describe(launch));
            sharedBytes.put(launch.kernel(), launch.sharedBytes());
        }
    }

    /// Puts a prepared launch on the stream.
    ///
    /// @throws DeviceException if the driver refuses the launch
    void launch(KernelLaunch launch, StreamHandle stream) {
        FunctionHandle function = functions.get(launch.kernel());
        int result = launch.isInClusters()
                ? ClusterLaunch.launch(function, launch, stream)
                : launch(function, launch, stream);
        if (result != CUresult.CUDA_SUCCESS) {
            throw Driver.failure(result, describe(launch));
        }
    }

    private static int launch(FunctionHandle function, KernelLaunch launch, StreamHandle stream) {
        return JCudaDriver.cuLaunchKernel(
                function,
                launch.grid().x(),
                launch.grid().y(),
                launch.grid().z(),
                launch.block().x(),
                launch.block().y(),
                launch.block().z(),
                launch.sharedBytes(),
                stream,
                Pointer.to(Pointer.to(launch.arguments().struct())),
                null);
    }

    private static String describe(KernelLaunch launch) {
        return "launch of " + launch.kernel() + " with grid " + text(launch.grid()) + ", block " + text(launch.block())
                + (launch.isInClusters() ? ", cluster " + text(launch.cluster()) : "") + ", " + launch.sharedBytes()
                + " bytes of shared memory";
    }

    private static String text(KernelLaunch.Extent extent) {
        return extent.x() + "x" + extent.y() + "x" + extent.z();
    }

    private FunctionHandle find(String name) {
        String file = image.fileOf(name);
        CUmodule module = modules.get(file);
        if (module == null) {
            module = new CUmodule();
            Driver.check(JCudaDriver.cuModuleLoadData(module, image.load(file)), "loading the kernels of " + file);
            modules.put(file, module);
        }
        FunctionHandle function = new FunctionHandle();
        Driver.check(JCudaDriver.cuModuleGetFunction(function, module, name), "kernel " + name);
        return function;
    }

    private void compareLayout(KernelLaunch launch) {
        StandIn.Layout layout = layouts.get(launch.kernel());
        if (layout == null) {
            return;
        }
        List<String> given = launch.arguments().fields();
        ByteBuffer struct = launch.arguments().struct();
        if (!given.equals(layout.fields()) || struct.remaining() != layout.bytes()) {
            throw new AssertionError("arguments of " + launch.kernel() + ": expected " + layout.fields() + ", "
                    + layout.bytes() + " bytes; given " + given + ", " + struct.remaining() + " bytes");
        }
    }

    @Override
    public void close() {
        modules.values().forEach(JCudaDriver::cuModuleUnload);
        modules.clear();
        functions.clear();
    }
}
