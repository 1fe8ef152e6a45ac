package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import java.util.Optional;

/// The tile of `conv2d_small.cu`: a 3x3 convolution in bf16 with few channels, in multiples of 8, or its data gradient.
///
/// @param columns blocks that share a patch, of other outputs
/// @param across outputs of a block, in eights
/// @param stages patches in shared memory
/// @param filling blocks that fill a GPU and take patches in turn; 0: each patch has its own
/// @param bytes of shared memory
record SmallConvolution(boolean backward, Patch patch, int columns, int across, int stages, int filling, int bytes) {
    private static final int MOST_ACROSS = 4;
    /// Of a block that loads a patch while it multiplies another, so that there is room for three.
    private static final int STAGED_BYTES = 74 * 1024;

    private static final int MULTIPROCESSOR_BYTES = 228 * 1024;
    private static final int RESERVED_BYTES = 1024; // of each block

    /// @param w shape of the filters
    /// @param in shape of the image that is read, after any upsampling
    /// @param out channels that are written
    /// @return empty if the kernels do not take it; alignment of the addresses is the caller's to see
    static Optional<SmallConvolution> of(boolean backward, Conv2d op, Shape w, DType type, Shape in, int out) {
        boolean cells = backward && op.input() == Conv2d.Input.UPSAMPLED;
        if (!Patch.takes(op, w, type, in.last(), out)) {
            return Optional.empty();
        }
        int chunks = out / Patch.CHUNK;
        int columns = Math.ceilDiv(chunks, MOST_ACROSS);
        int across = Math.ceilDiv(chunks, columns);
        int fixed = fixedBytes(backward, in.last(), across);
        return Patch.of(in, patch -> fixed + patch.bytes() <= Patch.SHARED_BYTES && (!cells || patch.isOfCells()))
                .map(patch -> of(backward, patch, columns, across, fixed));
    }

    private static SmallConvolution of(boolean backward, Patch patch, int columns, int across, int fixed) {
        int staged = fixed + 2 * patch.bytes();
        if (staged > STAGED_BYTES) {
            return new SmallConvolution(backward, patch, columns, across, 1, 0, fixed + patch.bytes());
        }
        int resident = Math.min(across <= 2 ? 4 : 3, MULTIPROCESSOR_BYTES / (staged + RESERVED_BYTES)); // as compiled
        return new SmallConvolution(backward, patch, columns, across, 2, Patch.MULTIPROCESSORS * resident, staged);
    }

    /// Zeros, where vectors are, and filters.
    private static int fixedBytes(boolean backward, int in, int across) {
        int depth = Patch.TAPS * (in / Patch.CHUNK);
        int rows = backward ? in : Patch.CHUNK * across;
        int pitch = Patch.pitch(backward ? Patch.TAPS * across : depth);
        return Packing.BYTES + Math.ceilDiv(depth, 2) * 2 * Long.BYTES + rows * pitch;
    }

    /// @param stem of the kernel's name
    KernelLaunch launch(String stem, Conv2d op, int out, Patch.Addresses at) {
        int shift = backward ? 0 : op.enlargement() - 1;
        int blocks = filling == 0 ? patch.count() : Math.min(patch.count(), filling / columns);
        return new KernelLaunch(
                        stem + "_small_" + across * Patch.CHUNK,
                        new KernelLaunch.Extent(blocks, columns, 1),
                        KernelLaunch.Extent.of(patch.pixels()),
                        bytes,
                        patch.arguments(shift, out, at, 0, stages))
                .inTurn(filling);
    }
}
