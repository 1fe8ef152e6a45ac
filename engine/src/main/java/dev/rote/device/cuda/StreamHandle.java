package dev.rote.device.cuda;

import java.lang.foreign.MemorySegment;
import jcuda.driver.CUstream;

/// A stream's handle as a pointer, which JCuda keeps to itself.
final class StreamHandle extends CUstream {
    MemorySegment pointer() {
        return MemorySegment.ofAddress(getNativePointer());
    }
}
