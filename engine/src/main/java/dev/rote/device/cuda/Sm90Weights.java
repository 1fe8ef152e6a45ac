package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import java.util.Optional;
import java.util.stream.IntStream;

/// How `conv2d_backward_weight_sm90.cu` divides the weight gradient of a 3x3 convolution in bf16: the tile of a block,
/// and the strips of whole rows of an image that blocks share.
///
/// @param planes of dy: 1, or 4 of one parity each where x is enlarged
/// @param channels of a block, 32 or 64
/// @param lines rows of a strip
/// @param stages of the ring in shared memory
/// @param split parts, and strips of each but the last
record Sm90Weights(int planes, int channels, int lines, int stages, ProductSplit split) {
    private static final int FILTERS = 64; // of a block
    private static final int THREADS = 384;
    private static final int STATE_BYTES = 1024;
    private static final int SHARED_BYTES = 232_448; // 227 KiB, one block
    private static final int MOST_STAGES = 8;
    private static final int ENOUGH_STAGES = 3;
    private static final int DEPTH = 16; // pixels of a product
    private static final int FEW_PARTS = 8;
    private static final int ENOUGH_PIXELS = 1024; // of a part
    private static final int[] STRIP_PIXELS = {128, 64, 32, 16};
    /// A block takes a multiprocessor. A constant, so that results do not depend on the device.
    private static final int BLOCKS = 132;

    /// Empty if the kernel does not take these shapes; alignment of the addresses is the caller's to see.
    static Optional<Sm90Weights> of(Conv2d op, TensorType x, TensorType dy, Shape w) {
        int height = x.shape().dim(1);
        int width = x.shape().dim(2);
        int inChannels = x.shape().last();
        int filters = dy.shape().last();
        boolean takes = x.type() == DType.BF16
                && op.reading(Conv2d.Input.PLAIN).equals(Conv2d.same(3))
                && w.dim(1) == 3
                && w.dim(2) == 3
                && (width == 8 || width % 16 == 0)
                && width <= 128
                && inChannels % 32 == 0
                && filters % 32 == 0;
        if (!takes) {
            return Optional.empty();
        }
        int channels = inChannels % 64 == 0 ? 64 : 32;
        int[] lines = IntStream.of(STRIP_PIXELS)
                .map(pixels -> Math.min(height, pixels / width))
                .filter(rows -> rows > 0 && rows * width % DEPTH == 0)
                .filter(rows -> stages(rows, width, channels) >= ENOUGH_STAGES)
                .limit(1)
                .toArray();
        if (lines.length == 0) {
            return Optional.empty();
        }
        int strips = MatrixLowering.extent("strips of x", (long) x.shape().dim(0) * Math.ceilDiv(height, lines[0]));
        int wanted = Math.max(1, BLOCKS / tiles(filters, inChannels, channels));
        int enough = Math.ceilDiv(ENOUGH_PIXELS, lines[0] * width);
        int each = (int) ProductSplit.each(strips, wanted, FEW_PARTS, enough);
        ProductSplit split = new ProductSplit(Math.ceilDiv(strips, each), each);
        return Optional.of(new Sm90Weights(
                op.enlargement() * op.enlargement(), channels, lines[0], stages(lines[0], width, channels), split));
    }

    private static int tiles(int filters, int inChannels, int channels) {
        return Math.ceilDiv(filters, FILTERS) * (inChannels / channels);
    }

    private static int stageBytes(int lines, int width, int channels) {
        int bytes = 2 * (lines * width * FILTERS + (lines + 2) * (width + 2) * channels);
        return Math.ceilDiv(bytes, 1024) * 1024;
    }

    private static int stages(int lines, int width, int channels) {
        return Math.min(MOST_STAGES, (SHARED_BYTES - STATE_BYTES) / stageBytes(lines, width, channels));
    }

    /// @param x shape of x, [N,H,W,C], before any enlargement
    /// @param partial address of the parts, or 0 if there is one
    /// @param bias address of [filters], or 0
    KernelLaunch launch(Shape x, long atX, long atDy, int filters, long atW, long bias, long partial) {
        int[] box = {channels, x.dim(2) + 2, 1, lines + 2, 1};
        int[] strip = {FILTERS, x.dim(2), 1, lines, 1};
        Arguments arguments = new Arguments()
                .tensorMap("image", TensorMap.planes(atX, x, 1, box))
                .tensorMap("gradient", TensorMap.planes(atDy, x.with(3, filters), planes, strip))
                .pointer("dw", atW)
                .pointer("dbias", bias)
                .pointer("partial", partial)
                .i32("images", x.dim(0))
                .i32("height", x.dim(1))
                .i32("width", x.dim(2))
                .i32("channels", x.last())
                .i32("filters", filters)
                .i32("planes", planes)
                .i32("lines", lines)
                .i32("strips_per_split", split.depth())
                .i32("stages", stages);
        return new KernelLaunch(
                (planes == 1 ? "conv2d_backward_weight_sm90_" : "conv2d_upsampled_backward_weight_sm90_") + channels,
                new KernelLaunch.Extent(tiles(filters, x.last(), channels), split.count(), 1),
                KernelLaunch.Extent.of(THREADS),
                STATE_BYTES + stages * stageBytes(lines, x.dim(2), channels),
                arguments);
    }
}
