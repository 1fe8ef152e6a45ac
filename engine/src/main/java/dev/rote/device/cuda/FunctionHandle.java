package dev.rote.device.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.driver.CUfunction;

/// A kernel's handle as a pointer, which JCuda keeps to itself.
final class FunctionHandle extends CUfunction {
    MemorySegment pointer() {
        return MemorySegment.ofAddress(getNativePointer());
    }
}
