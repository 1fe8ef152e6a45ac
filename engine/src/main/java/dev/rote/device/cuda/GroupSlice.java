package dev.rote.device.cuda;

import dev.rote.graph.TensorType;

/// Which channels of an image a block of `group_norm.cu` or `group_norm_backward.cu` owns, and where it keeps them.
///
/// @param width channels of a block; 0 for [Kind#ANY]
/// @param tensors of the slice's size that a block stages: x, or x and dy
record GroupSlice(Kind kind, int images, long pixels, int channels, int width, int bytes, int tensors) {
    enum Kind {
        /// in shared memory
        STAGED,
        /// in device memory, read several times
        STREAMED,
        /// no slice: a block per group
        ANY
    }

    private static final int THREADS = 256;
    /// A vector that a thread reads at once.
    private static final int VECTOR_BYTES = 16;
    /// A sector of device memory: less of a pixel would waste bandwidth.
    private static final int SECTOR_BYTES = 32;
    /// Enough work for a block, and little enough for eight or more of them on a multiprocessor.
    private static final long ENOUGH_BYTES = 16 << 10;
    /// Shared memory of a block on every GPU since sm_80: 99 KiB.
    private static final long SHARED_BYTES = 99 << 10;

    static GroupSlice of(TensorType x, int groups, int tensors) {
        GroupSlice best = any(x, tensors);
        int channels = best.channels;
        int images = best.images;
        long pixels = best.pixels;
        for (int count = 1; count <= groups; count++) {
            int width = channels / groups * count;
            GroupSlice slice = new GroupSlice(
                    Kind.STAGED, images, pixels, channels, width, x.type().bytes(), tensors);
            if (groups % count == 0 && slice.isWhole() && slice.isBetterThan(best)) {
                best = slice.sharedBytes() <= SHARED_BYTES ? slice : slice.streamed();
            }
        }
        return best;
    }

    /// No slice: for every shape and alignment.
    static GroupSlice any(TensorType x, int tensors) {
        int channels = x.shape().last();
        int images = x.shape().dim(0);
        long pixels = x.elements() / images / channels;
        return new GroupSlice(Kind.ANY, images, pixels, channels, 0, x.type().bytes(), tensors);
    }

    private boolean isWhole() {
        return width * bytes % VECTOR_BYTES == 0 && vectors() <= THREADS;
    }

    /// Vectors of a pixel.
    private int vectors() {
        return width * bytes / VECTOR_BYTES;
    }

    /// This slice is wider than the other: taken if the other is too narrow and this one still fits where it is.
    private boolean isBetterThan(GroupSlice other) {
        boolean fits = sharedBytes() <= SHARED_BYTES;
        return switch (other.kind) {
            case ANY -> true;
            case STREAMED -> other.width * bytes < SECTOR_BYTES;
            case STAGED -> fits && (other.width * bytes < SECTOR_BYTES || other.stagedBytes() < ENOUGH_BYTES);
        };
    }

    private GroupSlice streamed() {
        return new GroupSlice(Kind.STREAMED, images, pixels, channels, width, bytes, tensors);
    }

    private long stagedBytes() {
        return Math.ceilDiv(pixels, threads() / vectors()) * threads() * VECTOR_BYTES * tensors;
    }

    /// As many threads as have 8 vectors of a tensor each: fewer per block leave registers for more blocks, which hide
    /// each other's copies and barriers.
    private int threads() {
        long wanted = Math.ceilDiv(pixels * vectors(), 8);
        return (int) Math.clamp(Math.ceilDiv(wanted, 32) * 32, Math.ceilDiv(Math.max(64, vectors()), 32) * 32, THREADS);
    }

    /// As the kernels lay it out: partial sums, folded sums of x or of x and dy, two or four numbers per channel, the
    /// staged vectors.
    private long sharedBytes() {
        long perThread = (long) VECTOR_BYTES / bytes + tensors;
        long perChannel = tensors == 1 ? 3 : 6;
        return 4 * (threads() * perThread + width * perChannel) + (kind == Kind.STAGED ? stagedBytes() : 0);
    }

    /// @param variant of the kernel, "" for the plain one
    KernelLaunch launch(String kernel, String variant, Arguments arguments) {
        int blocks = Math.multiplyExact(images, channels / width);
        return new KernelLaunch(
                kernel + (kind == Kind.STAGED ? "_staged" : "_streamed") + variant,
                KernelLaunch.Extent.of(blocks),
                KernelLaunch.Extent.of(threads()),
                Math.toIntExact(sharedBytes()),
                arguments);
    }
}
