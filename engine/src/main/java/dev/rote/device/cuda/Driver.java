package dev.rote.device.cuda;

import dev.rote.errors.DeviceException;
import dev.rote.errors.EnvironmentException;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/// Turns the driver's result codes into exceptions.
final class Driver {
    private Driver() {}

    /// Driver 580: the first that takes kernels built by CUDA 13.0.
    private static final int OLDEST_VERSION = 13_000;

    /// Loads the driver (or the stand-in, where it is asked for) and starts it.
    ///
    /// @throws EnvironmentException if there is no driver, an old one, or no GPU
    static void initialize() {
        StandIn.loaded();
        int[] version = new int[1];
        int result;
        try {
            JCudaDriver.setExceptionsEnabled(false);
            JCudaDriver.cuDriverGetVersion(version);
            result = JCudaDriver.cuInit(0);
        } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
            // JCuda's own message is a page about the loading of libraries.
            throw new EnvironmentException(
                    "device \"cuda\": no NVIDIA driver on this machine (libcuda.so.1 cannot be loaded)", e);
        }
        if (version[0] < OLDEST_VERSION) {
            throw new EnvironmentException("device \"cuda\": expected an NVIDIA driver for CUDA 13.0 (580) or newer, "
                    + "found one for CUDA " + version[0] / 1000 + "." + version[0] % 1000 / 10);
        }
        if (result == CUresult.CUDA_ERROR_NO_DEVICE) {
            throw new EnvironmentException("device \"cuda\": the NVIDIA driver finds no GPU on this machine");
        }
        check(result, "start of the NVIDIA driver");
    }

    /// True if nothing on the device works after this, until its context is gone.
    static boolean isFault(int result) {
        return switch (result) {
            case CUresult.CUDA_ERROR_ILLEGAL_ADDRESS,
                    CUresult.CUDA_ERROR_LAUNCH_TIMEOUT,
                    CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR,
                    CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION,
                    CUresult.CUDA_ERROR_MISALIGNED_ADDRESS,
                    CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE,
                    CUresult.CUDA_ERROR_INVALID_PC,
                    CUresult.CUDA_ERROR_LAUNCH_FAILED,
                    CUresult.CUDA_ERROR_ECC_UNCORRECTABLE -> true;
            default -> false;
        };
    }

    /// @param operation what was tried, for the message
    /// @throws DeviceException if the code is not success, with the driver's name and text of it
    static void check(int result, String operation) {
        if (result != CUresult.CUDA_SUCCESS) {
            throw failure(result, operation);
        }
    }

    static DeviceException failure(int result, String operation) {
        String[] text = new String[1];
        String name = CUresult.stringFor(result);
        if (JCudaDriver.cuGetErrorString(result, text) != CUresult.CUDA_SUCCESS) {
            text[0] = "no text";
        }
        String fault = StandIn.loaded().map(StandIn::fault).orElse("");
        return new DeviceException(
                operation + ": " + name + ", " + text[0] + (fault.isEmpty() ? "" : " (" + fault + ")"));
    }
}
