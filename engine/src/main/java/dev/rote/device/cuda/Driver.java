package dev.rote.device.cuda;

import dev.rote.errors.DeviceException;
import dev.rote.errors.EnvironmentException;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;

/// Turns the driver's result codes into exceptions.
final class Driver {
    private Driver() {}

    /// Loads the driver (or the stand-in, where it is asked for) and starts it.
    ///
    /// @throws EnvironmentException if there is no driver or no GPU
    static void initialize() {
        StandIn.loaded();
        int result;
        try {
            JCudaDriver.setExceptionsEnabled(false);
            result = JCudaDriver.cuInit(0);
        } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
            throw new EnvironmentException(
                    "cuda: no NVIDIA driver on this machine (libcuda.so.1 cannot be loaded): " + e.getMessage());
        }
        if (result == CUresult.CUDA_ERROR_NO_DEVICE) {
            throw new EnvironmentException("cuda: the NVIDIA driver finds no GPU on this machine");
        }
        check(result, "start of the NVIDIA driver");
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
