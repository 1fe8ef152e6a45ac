package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import java.util.Optional;

/// A 3x3 convolution of stride 2 in bf16 by `conv2d_strided_sm90.cu`, on compute capability 9.0: a linear layer over
/// nine times as many channels, whose rows are the pixels of y.
///
/// @param x shape of what is read
record StridedConvolution(Shape x, int filters) {
    private static final Conv2d STRIDED = Conv2d.of(2, 1);
    private static final int TAPS = 9;
    private static final int ROWS = 256; // pixels of a tile
    private static final int THREADS_OF_GROUP = 128;

    /// Empty if the kernels do not take these shapes; alignment of the addresses is the caller's to see.
    ///
    /// @param w shape of the filters
    static Optional<StridedConvolution> of(Conv2d op, Shape w, DType type, Shape x, int filters) {
        boolean square = op.equals(STRIDED) && w.dim(1) == 3 && w.dim(2) == 3 && type == DType.BF16;
        boolean even = x.dim(1) % 2 == 0 && x.dim(2) % 2 == 0;
        if (!square || !even || x.last() % 32 != 0 || filters % 32 != 0) {
            return Optional.empty();
        }
        StridedConvolution one = new StridedConvolution(x, filters);
        return one.isWhole(ROWS)
                        && one.isWhole(Sm90Linear.STEP_ROWS)
                        && x.elements() / x.last() / 4 >= Sm90Linear.LEAST_ROWS
                ? Optional.of(one)
                : Optional.empty();
    }

    /// Whether so many pixels of y are whole rows of an image, or whole images.
    private boolean isWhole(int pixels) {
        return pixels % line() == 0 && (image() <= pixels ? pixels % image() == 0 : image() % pixels == 0);
    }

    /// Pixels of a row of y.
    private int line() {
        return x.dim(2) / 2;
    }

    /// Pixels of an image of y.
    private int image() {
        return line() * (x.dim(1) / 2);
    }

    private int channels() {
        return x.last();
    }

    private int rows() {
        return MatrixLowering.extent("pixels of y", (long) x.dim(0) * image());
    }

    /// x as its pixels of one parity lie together, in boxes of so many pixels.
    private TensorMap map(long address, int pixels, int channels) {
        int lines = Math.min(image(), pixels) / line();
        Shape plane = Shape.of(x.dim(0), x.dim(1) / 2, line(), channels());
        int[] box = {channels, line(), 1, lines, pixels / (lines * line())};
        return TensorMap.planes(address, plane, 4, box);
    }

    /// @param bias address of [filters], or 0
    KernelLaunch forward(long atX, long atW, long atY, long bias) {
        int columns = filters % 128 == 0 && channels() % 64 == 0 ? 128 : filters % 64 == 0 ? 64 : 32;
        int depth = columns == 128 ? 64 : 32;
        Arguments arguments = new Arguments()
                .tensorMap("left", map(atX, ROWS, depth))
                .tensorMap("right", Sm90Linear.matrix(atW, filters, TAPS * channels(), columns, depth))
                .pointer("y", atY)
                .pointer("y2", atY)
                .pointer("bias", bias)
                .pointer("addend", 0)
                .i32("rows", rows())
                .i32("depth", TAPS * channels())
                .i32("columns", filters)
                .i32("first_columns", filters);
        return Sm90Linear.product("conv2d_strided_sm90_", depth, columns, rows(), filters, arguments, more -> more.i32(
                        "channels", channels())
                .i32("image", image())
                .i32("line", line()));
    }

    /// Channels of a block of a weight gradient, nine times counted: three taps of up to 64, or one of 128.
    private int ofBlock() {
        return channels() % 128 == 0 ? 128 : channels() % 64 == 0 ? 192 : 96;
    }

    private int tiles() {
        return Math.ceilDiv(filters, Sm90Linear.GROUP_FILTERS)
                / Sm90Linear.groups(filters)
                * (TAPS * channels() / ofBlock());
    }

    /// How a weight gradient is divided.
    ProductSplit split() {
        int steps = Math.ceilDiv(rows(), Sm90Linear.STEP_ROWS);
        int wanted = Math.max(1, Sm90Linear.MULTIPROCESSORS / tiles());
        int each = (int)
                ProductSplit.each(steps, wanted, ProductSplit.FEW_PARTS, Sm90Linear.ENOUGH_ROWS / Sm90Linear.STEP_ROWS);
        return new ProductSplit(Math.ceilDiv(steps, each), each);
    }

    /// @param dw address of [filters,3,3,channels] f32
    /// @param dbias address of [filters] f32, or 0
    /// @param partial address of the parts, or 0 if there is one
    KernelLaunch weights(long atX, long atDy, long dw, long dbias, long partial) {
        int box = channels() % 64 == 0 ? 64 : 32;
        int groups = Sm90Linear.groups(filters);
        int stageBytes = Sm90Linear.STEP_ROWS * 2 * (groups * Sm90Linear.GROUP_FILTERS + ofBlock());
        int stages =
                Math.min(Sm90Linear.MOST_STAGES, (Sm90Linear.ONE_BLOCK - Sm90Linear.WEIGHTS_STATE_BYTES) / stageBytes);
        Arguments arguments = new Arguments()
                .tensorMap("x", map(atX, Sm90Linear.STEP_ROWS, box))
                .tensorMap(
                        "gradient",
                        Sm90Linear.matrix(atDy, rows(), filters, Sm90Linear.STEP_ROWS, Sm90Linear.GROUP_FILTERS))
                .pointer("dw", dw)
                .pointer("dbias", dbias)
                .pointer("partial", partial)
                .i32("rows", rows())
                .i32("channels", TAPS * channels())
                .i32("filters", filters)
                .i32("steps_per_split", split().depth())
                .i32("stages", stages)
                .i32("of_tap", channels())
                .i32("image", image())
                .i32("line", line());
        return new KernelLaunch(
                "conv2d_strided_backward_weight_sm90_" + ofBlock(),
                new KernelLaunch.Extent(tiles(), split().count(), 1),
                KernelLaunch.Extent.of(THREADS_OF_GROUP * groups),
                Sm90Linear.WEIGHTS_STATE_BYTES + stages * stageBytes,
                arguments);
    }
}
