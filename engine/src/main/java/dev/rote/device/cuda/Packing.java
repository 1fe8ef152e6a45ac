package dev.rote.device.cuda;

import dev.rote.graph.Value;
import java.util.List;

/// Whether a kernel may take 16 bytes of a tensor at a time.
final class Packing {
    static final int BYTES = 16;

    private Packing() {}

    /// Addresses are aligned to 16 bytes, and so many elements of every type among the values are multiples of that.
    static boolean fits(CudaMemory memory, List<Value> values, long... counts) {
        if (!aligned(memory, values)) {
            return false;
        }
        for (Value value : values) {
            for (long count : counts) {
                if (count * value.dtype().bytes() % BYTES != 0) {
                    return false;
                }
            }
        }
        return true;
    }

    static boolean aligned(CudaMemory memory, List<Value> values) {
        return values.stream().allMatch(value -> memory.address(value) % BYTES == 0);
    }
}
