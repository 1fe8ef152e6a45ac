package dev.rote.device.cuda;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.JCudaDriver;

/// The kernels of a loaded image, by name.
final class Kernels implements AutoCloseable {
    private static final int PLAIN_SHARED_BYTES = 48 * 1024; // more must be asked for

    private final CUmodule module = new CUmodule();
    private final Map<String, CUfunction> functions = new HashMap<>();
    private final Map<String, StandIn.Layout> layouts;

    /// @param image a fat binary or cubin
    Kernels(byte[] image) {
        Driver.check(JCudaDriver.cuModuleLoadData(module, image), "loading the kernels");
        this.layouts = StandIn.loaded().map(StandIn::layouts).orElse(Map.of());
    }

    /// Puts the launch on the stream.
    ///
    /// @throws DeviceException if there is no such kernel or the driver refuses the launch
    /// @throws AssertionError if the arguments are not those of the kernel
    void launch(KernelLaunch launch, CUstream stream) {
        CUfunction function = functions.computeIfAbsent(launch.kernel(), this::find);
        compareLayout(launch);
        if (launch.sharedBytes() > PLAIN_SHARED_BYTES) {
            int limit = CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
            Driver.check(JCudaDriver.cuFuncSetAttribute(function, limit, launch.sharedBytes()), describe(launch));
        }
        Pointer parameters = Pointer.to(Pointer.to(launch.arguments().struct()));
        int result = JCudaDriver.cuLaunchKernel(
                function,
                launch.grid().x(),
                launch.grid().y(),
                launch.grid().z(),
                launch.block().x(),
                launch.block().y(),
                launch.block().z(),
                launch.sharedBytes(),
                stream,
                parameters,
                null);
        if (result != CUresult.CUDA_SUCCESS) {
            throw Driver.failure(result, describe(launch));
        }
    }

    private static String describe(KernelLaunch launch) {
        return "launch of " + launch.kernel() + " with grid " + text(launch.grid()) + ", block " + text(launch.block())
                + ", " + launch.sharedBytes() + " bytes of shared memory";
    }

    private static String text(KernelLaunch.Extent extent) {
        return extent.x() + "x" + extent.y() + "x" + extent.z();
    }

    private CUfunction find(String name) {
        CUfunction function = new CUfunction();
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
        JCudaDriver.cuModuleUnload(module);
    }
}
