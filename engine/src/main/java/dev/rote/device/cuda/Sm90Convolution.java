package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import java.util.Optional;

/// The tile of `conv2d_sm90.cuh`: 256 pixels of a 3x3 convolution in bf16 that keeps the size of the image, or of the
/// data gradient of one with stride 2, on compute capability 9.0.
///
/// A plane is the image that is read, or, for the gradient of an enlarged image, the pixels of one parity of dy.
///
/// @param channels that are read in a step, 32 or 64
/// @param columns output channels of a block
/// @param tile what part of the planes a block works at
/// @param memory how a block uses its shared memory
record Sm90Convolution(int channels, int columns, Tile tile, Memory memory) {
    private static final int PIXELS = 256;
    private static final int PATCH = 8; // rows and columns of pixels whose lines are an operand
    private static final int THREADS = 256;
    private static final int MULTIPROCESSORS = 132;

    /// Images, rows and columns, powers of two.
    record Tile(int images, int height, int width) {
        /// Four patches, as wide as may be; empty where images are not made of patches.
        static Optional<Tile> of(int height, int width) {
            boolean takes = height % PATCH == 0 && (width == 8 || width == 16 || width % 32 == 0);
            if (!takes) {
                return Optional.empty();
            }
            int across = Math.min(width, 32);
            int down = Math.min(height, PIXELS / across);
            int images = PIXELS / (across * down);
            return images * across * down == PIXELS ? Optional.of(new Tile(images, down, across)) : Optional.empty();
        }

        /// Bytes of a box, from one stage to the next.
        ///
        /// @param around pixels at the ends of a row
        int boxBytes(int channels, int around) {
            return Math.ceilDiv(images * (height + 2) * (width + around) * channels * 2, 1024) * 1024;
        }

        int count(Shape plane) {
            long tiles = (long) Math.ceilDiv(plane.dim(0), images)
                    * Math.ceilDiv(plane.dim(1), height)
                    * (plane.dim(2) / width);
            return MatrixLowering.extent("tiles", tiles);
        }
    }

    /// @param kept whether the filters of a block's columns stay, or come a column at a time
    /// @param stages boxes of pixels
    /// @param blocks of a multiprocessor
    record Memory(boolean kept, int stages, int bytes, int blocks) {
        private static final int STATE_BYTES = 1024;
        private static final int MOST_STAGES = 8;
        private static final int LEAST_KEPT = 3; // stages: with two, filters that stay are slower than those that come
        private static final int ONE_BLOCK = 232_448; // 227 KiB
        private static final int TWO_BLOCKS = 115_712; // of 228 KiB, 1 KiB of each block's being the system's

        /// @param rowBytes of a column of the filter, three taps
        /// @param taps that there are
        static Memory of(int boxBytes, int rowBytes, int taps, int columns) {
            int room = (columns == 128 ? ONE_BLOCK : TWO_BLOCKS) - STATE_BYTES;
            int all = rowBytes / 3 * taps;
            boolean kept = columns < 128 && room - all >= LEAST_KEPT * boxBytes;
            int filters = kept ? all : rowBytes * (columns == 128 ? 2 : 4);
            int stages = Math.min(MOST_STAGES, (room - filters) / boxBytes);
            return new Memory(kept, stages, STATE_BYTES + filters + stages * boxBytes, columns == 128 ? 1 : 2);
        }
    }

    /// @param w shape of the filters
    /// @param plane [N,H,W,channels read]
    /// @param out channels written
    /// @return empty if the kernels do not take it
    static Optional<Sm90Convolution> of(Conv2d op, Shape w, DType type, Shape plane, int out) {
        return op.reading(Conv2d.Input.PLAIN).equals(Conv2d.same(3))
                ? of(w, type, plane, out, op.enlargement(), Skip.NONE)
                : Optional.empty();
    }

    /// A 1x1 convolution of pixels like those of y, of which y has the sum as well.
    ///
    /// @param first channels of the tensor at `x`
    /// @param second channels of the tensor at `x2`, 0 if there is none
    /// @param filters address of [out,1,1,first + second]
    /// @param bias address of [out], or 0
    record Skip(int first, int second, long x, long x2, long filters, long bias) {
        static final Skip NONE = new Skip(0, 0, 0, 0, 0, 0);

        int channels() {
            return first + second;
        }
    }

    /// For a convolution of an image that is there, and a skip beside it.
    ///
    /// @return empty if the kernels do not take it
    static Optional<Sm90Convolution> skipping(Conv2d op, Shape w, DType type, Shape plane, int out, Skip skip) {
        boolean counted = plane.elements(0, 3) * Math.max(skip.first(), skip.second()) <= Integer.MAX_VALUE;
        return op.equals(Conv2d.same(3)) && counted
                ? of(w, type, plane, out, 1, skip)
                        .filter(one -> skip.first() % one.channels == 0 && skip.second() % one.channels == 0)
                : Optional.empty();
    }

    /// For the data gradient of stride 2, which enlarges dy.
    ///
    /// @param w shape of the filters
    /// @param dy shape of what is read
    /// @param dx shape of what is written
    /// @return empty if the kernels do not take it
    static Optional<Sm90Convolution> strided(Conv2d op, Shape w, DType type, Shape dy, Shape dx) {
        boolean kind = op.input() == Conv2d.Input.PLAIN && op.stride() == 2 && op.top() == 1 && op.left() == 1;
        boolean halves = dx.dim(1) == 2 * dy.dim(1) && dx.dim(2) == 2 * dy.dim(2);
        return kind && halves ? of(w, type, dy, dx.last(), 2, Skip.NONE) : Optional.empty();
    }

    /// @param enlargement of what is written, or read, against a plane
    private static Optional<Sm90Convolution> of(Shape w, DType type, Shape plane, int out, int enlargement, Skip skip) {
        int in = plane.last();
        boolean kind = type == DType.BF16 && w.dim(1) == 3 && w.dim(2) == 3;
        boolean multiples = in % 32 == 0 && out % 32 == 0;
        long pixels = plane.elements(0, 3) * enlargement * enlargement;
        if (!kind || !multiples || pixels * Math.max(in, out) > Integer.MAX_VALUE) {
            return Optional.empty();
        }
        int columns = columns(in, out);
        int channels = columns == 128 ? 64 : 32;
        return Tile.of(plane.dim(1), plane.dim(2))
                .map(tile -> new Sm90Convolution(
                        channels,
                        columns,
                        tile,
                        Memory.of(
                                tile.boxBytes(channels, around(columns)),
                                3 * columns * channels * 2,
                                in / channels * 9 + skip.channels() / channels,
                                columns)))
                .filter(one -> one.memory.stages() >= 2);
    }

    /// Pixels of a box at the ends of a row: blocks of fewer columns read a box for each column of the filter instead.
    private static int around(int columns) {
        return columns == 128 ? 2 : 0;
    }

    private static int columns(int in, int out) {
        if (out % 128 == 0 && in % 64 == 0) {
            return 128;
        }
        return out % 64 == 0 ? 64 : 32;
    }

    /// What is read and written, by address.
    ///
    /// @param image the planes
    /// @param filters [out,3,3,channels], or backward [channels,3,3,out]
    /// @param bias [out], or 0
    /// @param addend what is added, of which `sharing` pixels share a line, or 0
    record Addresses(long image, long filters, long out, long bias, long addend, int sharing, Skip skip) {
        Addresses(long image, long filters, long out, long bias, long addend, int sharing) {
            this(image, filters, out, bias, addend, sharing, Skip.NONE);
        }
    }

    KernelLaunch forward(Conv2d op, Shape plane, int out, Addresses at) {
        TensorMap filters = filters(at.filters(), plane.last(), 9, out);
        return launch("conv2d_sm90_", plane, out, at, 1, op.enlargement(), filters);
    }

    /// Boxes of one tap.
    private TensorMap filters(long address, int in, int taps, int out) {
        return TensorMap.swizzled(DType.BF16, address, new long[] {in, taps, out}, new int[] {channels, 1, columns});
    }

    KernelLaunch backwardData(Conv2d op, Shape plane, int out, Addresses at) {
        TensorMap filters = TensorMap.swizzled(DType.BF16, at.filters(), new long[] {out, 9, plane.last()}, new int[] {
            Math.min(columns, 64), 1, channels
        });
        if (op.stride() == 2) {
            return launch("conv2d_strided_backward_data_sm90_", plane, out, at, 1, 2, filters);
        }
        int planes = op.enlargement() * op.enlargement();
        return launch("conv2d_backward_data_sm90_", plane, out, at, planes, 1, filters);
    }

    /// Of an image's pixels, with other channels.
    private static TensorMap pixels(long address, Shape plane, int channels, int[] box) {
        return channels == 0 ? TensorMap.NONE : TensorMap.planes(address, plane.with(3, channels), 1, box);
    }

    private KernelLaunch launch(
            String stem, Shape plane, int out, Addresses at, int planes, int enlargement, TensorMap filters) {
        Skip skip = at.skip();
        int[] box = {channels, tile.width() + around(columns), 1, tile.height() + 2, tile.images()};
        Arguments arguments = new Arguments()
                .tensorMap("image", TensorMap.planes(at.image(), plane, planes, box))
                .tensorMap("filters", filters)
                .pointer("y", at.out())
                .pointer("bias", at.bias())
                .pointer("addend", at.addend())
                .i32("addend_pixels", at.sharing())
                .i32("columns", out)
                .i32("channels", plane.last())
                .i32("planes", planes)
                .i32("images", plane.dim(0))
                .i32("height", plane.dim(1))
                .i32("width", plane.dim(2))
                .i32("enlargement", enlargement)
                .i32("image_bits", Integer.numberOfTrailingZeros(tile.images()))
                .i32("height_bits", Integer.numberOfTrailingZeros(tile.height()))
                .i32("width_bits", Integer.numberOfTrailingZeros(tile.width()))
                .i32("stages", memory.stages())
                .i32("skip_first", skip.first())
                .i32("skip_channels", skip.channels())
                .pointer("skip_bias", skip.bias())
                .tensorMap("skip", pixels(skip.x(), plane, skip.first(), box))
                .tensorMap("skip2", pixels(skip.x2(), plane, skip.second(), box))
                .tensorMap(
                        "skip_filters",
                        skip.channels() == 0 ? TensorMap.NONE : filters(skip.filters(), skip.channels(), 1, out));
        int tiles = tile.count(plane);
        int beside = out / columns * enlargement * enlargement;
        int most = Math.max(1, Math.min(tiles, MULTIPROCESSORS * memory.blocks() / beside));
        int rounds = Math.ceilDiv(tiles, most);
        return new KernelLaunch(
                        stem + channels + "x" + columns + (memory.kept() ? "" : "_streamed")
                                + (skip.channels() > 0 ? "_skip" : ""),
                        new KernelLaunch.Extent(Math.ceilDiv(tiles, rounds), out / columns, enlargement * enlargement),
                        KernelLaunch.Extent.of(THREADS),
                        memory.bytes(),
                        arguments)
                .inTurn(MULTIPROCESSORS * memory.blocks());
    }
}
