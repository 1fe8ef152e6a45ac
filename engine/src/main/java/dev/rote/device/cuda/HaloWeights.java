package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Optional;

/// How `conv2d_backward_weight_halo.cu` divides the weight gradient of a 3x3 convolution in bf16: the tile of a block,
/// and the strips of 16 pixels by the image's height that blocks share.
///
/// It depends on the shapes alone, as [ProductSplit] does.
///
/// @param split parts, and strips of each but the last
record HaloWeights(Tile tile, ProductSplit split) {
    private static final int FILTER = 3;
    private static final int CHUNK = 8; // values of 16 bytes
    private static final int STRIP = 16; // pixels
    private static final int PAIRED = 8; // images up to this wide share a strip
    private static final int LEAST_WIDTH = 4; // half of a strip is then of no use
    private static final int THREADS = 256;
    private static final int STAGES = 4;
    /// A block takes a multiprocessor's registers. A constant, so that results do not depend on the device.
    private static final int BLOCKS = 132;

    /// filters x channels, and rows of a stage.
    enum Tile {
        SMALL(32, 32, 2),
        TALL(64, 32, 3),
        WIDE(32, 64, 3),
        SQUARE(64, 64, 4);

        private final int filters;
        private final int channels;
        private final int rows;

        Tile(int filters, int channels, int rows) {
            this.filters = filters;
            this.channels = channels;
            this.rows = rows;
        }

        /// Strips that a block works at together.
        int groups() {
            return 8 / (filters / 32 * (channels / 16));
        }

        int sharedBytes() {
            int row = 20 * (2 * channels + 16) + STRIP * (2 * filters + 16);
            return groups() * STAGES * rows * row;
        }
    }

    /// Empty if the kernel does not take these shapes; alignment of the addresses is the caller's to see.
    static Optional<HaloWeights> of(Conv2d op, TensorType x, TensorType dy, Shape w) {
        int channels = x.shape().last();
        int filters = dy.shape().last();
        Shape image = op.image(x.shape());
        boolean takes = x.type() == DType.BF16
                && op.reading(Conv2d.Input.PLAIN).equals(Conv2d.same(FILTER))
                && w.dim(1) == FILTER
                && w.dim(2) == FILTER
                && channels % CHUNK == 0
                && filters % CHUNK == 0
                && image.dim(2) >= LEAST_WIDTH;
        if (!takes) {
            return Optional.empty();
        }
        int height = image.dim(1);
        int strips = strips(image);
        return Arrays.stream(Tile.values())
                .filter(tile -> tile.filters < filters + 32 && tile.channels < channels + 32)
                .map(tile -> of(tile, filters, channels, strips))
                .min(Comparator.comparingLong(one -> one.clocks(filters, channels, height)));
    }

    private static int strips(Shape x) {
        long strips = x.dim(2) <= PAIRED ? Math.ceilDiv(x.dim(0), 2) : (long) x.dim(0) * Math.ceilDiv(x.dim(2), STRIP);
        return MatrixLowering.extent("strips of x", strips);
    }

    private static HaloWeights of(Tile tile, int filters, int channels, int strips) {
        long wanted = Math.max(1, BLOCKS / tiles(tile, filters, channels));
        long each = Math.ceilDiv(Math.ceilDiv(strips, wanted), tile.groups()) * (long) tile.groups();
        int count = Math.toIntExact(Math.ceilDiv(strips, each));
        return new HaloWeights(tile, new ProductSplit(count, Math.toIntExact(each)));
    }

    private static long tiles(Tile tile, int filters, int channels) {
        return new ProductTile(tile.filters, tile.channels, THREADS).blocks(filters, channels);
    }

    /// Expected clocks of a multiprocessor, by a model that only has to order the tiles: 8 warps' 36 products for a row
    /// at 1.6 clocks each, a quarter of the time in which the row comes from L2 at 24 bytes a clock, and the parts,
    /// written and read at 2000 bytes a clock by all.
    private long clocks(int filters, int channels, int height) {
        long waves = Math.ceilDiv(tiles(tile, filters, channels) * split.count(), (long) BLOCKS);
        long rows = waves * (split.depth() / tile.groups()) * height;
        long row = 460 + (long) tile.groups() * STRIP * 2 * (tile.filters + tile.channels) / (24 * 4);
        return rows * row + 2 * split.workspaceBytes(filters, 9L * channels, false) / 2000;
    }

    /// @param arguments of the convolution, their `depth_per_split` that of [#split]
    KernelLaunch launch(int filters, int channels, Arguments arguments) {
        int tiles = MatrixLowering.extent("blocks", tiles(tile, filters, channels));
        return new KernelLaunch(
                "conv2d_backward_weight_halo_bf16_" + tile.filters + "x" + tile.channels,
                new KernelLaunch.Extent(tiles, split.count(), 1),
                KernelLaunch.Extent.of(THREADS),
                tile.sharedBytes(),
                arguments);
    }
}
