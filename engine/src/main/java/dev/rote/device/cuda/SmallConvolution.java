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
/// @param kept whether a warp has the filters in registers
/// @param filling blocks that fill a GPU and take patches in turn; 0: each patch has its own
/// @param bytes of shared memory
record SmallConvolution(
        boolean backward, Patch patch, int columns, int across, int stages, boolean kept, int filling, int bytes) {
    private static final int MOST_ACROSS = 4;
    /// Of a block that loads a patch while it multiplies another, so that there is room for three.
    private static final int STAGED_BYTES = 74 * 1024;

    private static final int MOST_KEPT = 2; // chunks that are read, and written
    private static final int RUN = 3; // chunks that a thread then copies, at most

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
        boolean plain = op.input() == Conv2d.Input.PLAIN;
        return Patch.of(in, patch -> fixed + patch.bytes() <= Patch.SHARED_BYTES && (!cells || patch.isOfCells()))
                .map(patch -> of(backward, patch, columns, across, fixed, plain && isKept(patch, chunks)));
    }

    private static boolean isKept(Patch patch, int chunks) {
        return Math.max(patch.chunks(), chunks) <= MOST_KEPT && patch.isRun() && patch.runOfThread() <= RUN;
    }

    private static SmallConvolution of(
            boolean backward, Patch patch, int columns, int across, int fixed, boolean kept) {
        int staged = fixed + 2 * patch.bytes();
        if (staged > STAGED_BYTES) {
            return new SmallConvolution(backward, patch, columns, across, 1, kept, 0, fixed + patch.bytes());
        }
        int compiled = kept ? 6 - patch.chunks() - across : across <= 2 ? 4 : 3;
        int resident = Math.min(compiled, MULTIPROCESSOR_BYTES / (staged + RESERVED_BYTES));
        return new SmallConvolution(
                backward, patch, columns, across, 2, kept, Patch.MULTIPROCESSORS * resident, staged);
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
                        stem + "_small_" + across * Patch.CHUNK + (kept ? "_of_" + patch.chunks() * Patch.CHUNK : ""),
                        new KernelLaunch.Extent(blocks, columns, 1),
                        KernelLaunch.Extent.of(patch.pixels()),
                        bytes,
                        patch.arguments(shift, out, at, 0, stages))
                .inTurn(filling);
    }
}
