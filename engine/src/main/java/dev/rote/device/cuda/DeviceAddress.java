package dev.rote.device.cuda;

import jcuda.driver.CUdeviceptr;

/// An address in device memory as a number, which JCuda keeps to itself.
final class DeviceAddress extends CUdeviceptr {
    long value() {
        return getNativePointer() + getByteOffset();
    }
}
