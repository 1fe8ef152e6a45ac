package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import java.util.Optional;

/// The tile of `conv2d_sm90.cuh`: 256 pixels of a 3x3 convolution in bf16 that keeps the size of the image, on compute
/// capability 9.0.
///
/// @param channels that are read in a step, 32 or 64
/// @param columns output channels of a block
/// @param lines rows of an image in a tile
/// @param images of a tile
/// @param plan how a block uses its shared memory
record Sm90Convolution(int channels, int columns, int lines, int images, Plan plan) {
    private static final int PIXELS = 256;
    private static final int GROUP = 64; // pixels of a product
    private static final int THREADS = 256;
    private static final int STATE_BYTES = 1024;
    private static final int MOST_STAGES = 8;
    private static final int LEAST_STAGES = 3;
    private static final int MULTIPROCESSORS = 132;
    private static final int ONE_BLOCK = 232_448; // bytes of shared memory: 227 KiB
    private static final int TWO_BLOCKS = 115_712; // of 228 KiB, 1 KiB of each block's being the system's
    private static final Conv2d KIND = Conv2d.same(3);

    /// @param stages of the ring
    /// @param resident whether the filters of all steps stay
    /// @param bytes of shared memory
    /// @param blocks of a multiprocessor
    record Plan(int stages, boolean resident, int bytes, int blocks) {
        /// As many stages as fit, and the filters of all steps where that leaves three.
        static Plan of(int pixelBytes, int filterBytes, int steps, int blocks) {
            int room = (blocks == 2 ? TWO_BLOCKS : ONE_BLOCK) - STATE_BYTES;
            int kept = (room - steps * filterBytes) / pixelBytes;
            boolean resident = kept >= LEAST_STAGES;
            int stageBytes = pixelBytes + (resident ? 0 : filterBytes);
            int stages = Math.min(MOST_STAGES, resident ? kept : room / stageBytes);
            int bytes = STATE_BYTES + stages * stageBytes + (resident ? steps * filterBytes : 0);
            return new Plan(stages, resident, bytes, blocks);
        }
    }

    /// @param w shape of the filters
    /// @param in shape of the image that is read, [N,H,W,channels]
    /// @param out channels written
    /// @return empty if the kernels do not take it
    static Optional<Sm90Convolution> of(Conv2d op, Shape w, DType type, Shape in, int out) {
        int height = in.dim(1);
        int width = in.dim(2);
        boolean kind = type == DType.BF16 && op.equals(KIND) && w.dim(1) == 3 && w.dim(2) == 3;
        boolean multiples = in.last() % 32 == 0 && out % 32 == 0;
        boolean counted = Math.max(in.elements(), in.elements() / in.last() * out) <= Integer.MAX_VALUE;
        if (!kind || !multiples || !counted || !isWhole(height, width)) {
            return Optional.empty();
        }
        int lines = Math.min(height, PIXELS / width);
        int images = PIXELS / (lines * width);
        int columns = columns(in.last(), out);
        int channels = columns == 128 ? 64 : 32;
        int pixelBytes = images * (lines + 2) * width * channels * 2;
        Plan plan = Plan.of(pixelBytes, 3 * columns * channels * 2, in.last() / channels * 3, columns == 128 ? 1 : 2);
        return plan.stages() < 2
                ? Optional.empty()
                : Optional.of(new Sm90Convolution(channels, columns, lines, images, plan));
    }

    private static int columns(int in, int out) {
        if (out % 128 == 0 && in % 64 == 0) {
            return 128;
        }
        return out % 64 == 0 ? 64 : 32;
    }

    /// Whether 256 pixels are whole rows of 8 and more, of one image or of whole images, and 64 are of one image.
    private static boolean isWhole(int height, int width) {
        long image = (long) height * width;
        return width % 8 == 0
                && PIXELS % width == 0
                && image % GROUP == 0
                && (image % PIXELS == 0 || PIXELS % image == 0);
    }

    /// @param in the image that is read, at `atIn`
    /// @param atFilters [out,3,3,channels], or backward [channels,3,3,out]
    /// @param atOut the image that is written, of `out` channels
    /// @param bias address of [out], or 0
    /// @param addend address of what is added, of which `sharing` pixels share a line, or 0
    KernelLaunch launch(
            boolean backward,
            Shape in,
            long atIn,
            long atFilters,
            long atOut,
            int out,
            long bias,
            long addend,
            int sharing) {
        int pixels = MatrixLowering.extent("pixels", in.elements(0, 3));
        int filterColumns = Math.min(columns, 64); // backward: of a line in shared memory
        TensorMap image = TensorMap.swizzled(
                DType.BF16, atIn, new long[] {in.last(), in.dim(2), in.dim(1), in.dim(0)}, new int[] {
                    channels, in.dim(2), lines + 2, images
                });
        TensorMap filters = backward
                ? TensorMap.swizzled(
                        DType.BF16, atFilters, new long[] {out, 9, in.last()}, new int[] {filterColumns, 1, channels})
                : TensorMap.swizzled(
                        DType.BF16, atFilters, new long[] {in.last(), 9, out}, new int[] {channels, 1, columns});
        Arguments arguments = new Arguments()
                .tensorMap("image", image)
                .tensorMap("filters", filters)
                .pointer("y", atOut)
                .pointer("bias", bias)
                .pointer("addend", addend)
                .i32("addend_pixels", sharing)
                .i32("pixels", pixels)
                .i32("columns", out)
                .i32("channels", in.last())
                .i32("width", in.dim(2))
                .i32("height", in.dim(1))
                .i32("lines", lines)
                .i32("images", images)
                .i32("stages", plan.stages())
                .i32("resident", plan.resident() ? 1 : 0);
        int across = out / columns;
        int tiles = Math.ceilDiv(pixels, PIXELS);
        int rounds = Math.ceilDiv(tiles, Math.max(1, Math.min(tiles, MULTIPROCESSORS * plan.blocks() / across)));
        return new KernelLaunch(
                (backward ? "conv2d_backward_data_sm90_" : "conv2d_sm90_") + channels + "x" + columns,
                new KernelLaunch.Extent(Math.ceilDiv(tiles, rounds), across, 1),
                KernelLaunch.Extent.of(THREADS),
                plan.bytes(),
                arguments);
    }
}
