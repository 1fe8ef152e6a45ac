package dev.rote.device.cpu;

import static dev.rote.bindings.dnnl.Dnnl.*;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// 3 x 3 convolutions of stride 1 in f32 by Winograd's minimal filtering F(2x2, 3x3): 16 multiplications for four
/// results in the place of 36 (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016, section 4.1).
///
/// An image is cut into tiles of 2 x 2 results. With d the 4 x 4 pixels that a tile reads and g the filter,
/// `y = A^T [(G g G^T) . (B^T d B)] A`; summed over input channels the middle is sixteen matrix products
/// [tiles, C] [C, K], oneDNN's. The gradients are the transposed maps: that of the image is the convolution by the
/// filter turned over, that of the filter `G^T [sum over tiles of (A dy A^T) . (B^T d B)] G`. Blocks of tile rows go
/// through all steps while they are in the second-level cache.
///
/// Rounding errors are no larger than those of oneDNN's direct convolutions in batches of study 1's size; of two images
/// the gradient of the filter errs 2.5 times as much (bench/NOTES.md, round 11). A number that is not finite
/// spreads over its whole tile.
final class WinogradKernels {
    private static final int PLANES = 16;

    /// Floats of a block before and after the products: 512 KiB, unless that is too few rows for them.
    private static final int BLOCK = 1 << 17;

    private static final int LEAST_TILES = 64;

    private final DnnlPrimitives dnnl;
    private final Scratch scratch;

    WinogradKernels(DnnlPrimitives dnnl, Scratch scratch) {
        this.dnnl = dnnl;
        this.scratch = scratch;
    }

    /// Whether to convolve so: the operation must be of the right kind, there must be enough channels for the products
    /// to outweigh the transforms, and only one thread, which is what computes those. By measurement
    /// (bench/NOTES.md, round 11): 0.6 of the time from 64 channels on, the same at 16.
    static boolean pays(Conv2d conv, Shape x, Shape w, DType type) {
        return fits(conv, x, w, type) && Math.multiplyExact(x.last(), w.dim(0)) >= 512;
    }

    /// The same for the gradient of the filter, whose products read one factor by columns.
    static boolean paysForWeights(Conv2d conv, Shape x, Shape w, DType type) {
        return fits(conv, x, w, type) && x.last() >= 32 && w.dim(0) >= 32;
    }

    private static boolean fits(Conv2d conv, Shape x, Shape w, DType type) {
        boolean three = w.dim(1) == 3 && w.dim(2) == 3;
        boolean same =
                conv.stride() == 1 && conv.top() == 1 && conv.left() == 1 && conv.bottom() == 1 && conv.right() == 1;
        boolean whole =
                x.dim(1) % 2 == 0 && x.dim(2) % 2 == 0 && x.last() % Memory.LANES == 0 && w.dim(0) % Memory.LANES == 0;
        return DnnlLibrary.threads() == 1 && type == DType.F32 && three && same && whole;
    }

    /// Rows of tiles of a batch of images, block by block.
    ///
    /// @param perRow tiles of a row
    /// @param rows of all images
    /// @param block rows at a time; the last block may have fewer
    private record Tiles(int height, int width, int perRow, int rows, int block) {
        static Tiles of(Shape x, int channels) {
            int perRow = x.dim(2) / 2;
            int rows = Math.multiplyExact(x.dim(0), x.dim(1) / 2);
            int fit = Math.max(LEAST_TILES, BLOCK / PLANES / channels) / perRow;
            return new Tiles(x.dim(1), x.dim(2), perRow, rows, Math.clamp(fit, 1, rows));
        }

        int rest() {
            return rows % block;
        }

        /// Tiles of `count` rows.
        int of(int count) {
            return count * perRow;
        }

        /// Bytes from the first pixel of the images to the upper row of a row of tiles.
        long offset(int row, int channels) {
            return 8L * row * width * channels;
        }

        boolean first(int row) {
            return row % (height / 2) == 0;
        }

        boolean last(int row) {
            return (row + 1) % (height / 2) == 0;
        }
    }

    Kernel forward(Shape x, Shape w, long xAt, long wAt, long biasAt, long yAt) {
        return convolution(x, w, false, xAt, wAt, biasAt, yAt);
    }

    Kernel backwardData(Shape x, Shape w, long dyAt, long wAt, long dxAt) {
        return convolution(x, w, true, dyAt, wAt, 0, dxAt);
    }

    private Kernel convolution(Shape x, Shape w, boolean turned, long in, long wAt, long biasAt, long out) {
        int filters = w.dim(0);
        int channels = w.last();
        int read = turned ? filters : channels;
        int written = turned ? channels : filters;
        Tiles tiles = Tiles.of(x, read + written);
        Input input = new Input(tiles, read);
        long before = scratch.take(4L * PLANES * tiles.of(tiles.block) * read);
        long after = scratch.take(4L * PLANES * tiles.of(tiles.block) * written);
        long bias = biasAt == 0 ? scratch.take(4L * written) : biasAt;
        long rows = scratch.take(4L * 4 * 3 * channels);
        long plainAt = scratch.take(4L * PLANES * filters * channels);
        MemorySegment plain = dnnl.descriptor(DType.F32, turned ? dnnl_abc() : dnnl_acb(), PLANES, read, written);
        MemorySegment description = product(tiles.of(tiles.block), read, written, null);
        MemorySegment filter = DnnlPrimitives.query(description, dnnl_query_weights_md());
        long filterAt = dnnl.scratchMemory(filter);
        Kernel reorder = dnnl.reorder(plain, plainAt, filter, filterAt);
        Kernel whole = product(description, before, filter, filterAt, after);
        Kernel rest = tiles.rest() == 0
                ? whole
                : product(product(tiles.of(tiles.rest()), read, written, filter), before, filter, filterAt, after);
        return () -> {
            for (int k = 0; k < filters; k++) {
                long at = plainAt + 4L * k * channels;
                filter(wAt + 4L * k * 9 * channels, rows, at, 4L * filters * channels, channels, turned);
            }
            reorder.run();
            if (biasAt == 0) {
                Memory.zero(bias, 4L * written);
            }
            input.prepare();
            for (int first = 0; first < tiles.rows; first += tiles.block) {
                int count = Math.min(tiles.block, tiles.rows - first);
                input.transform(in, first, count, before);
                (count == tiles.block ? whole : rest).run();
                long plane = 4L * tiles.of(count) * written;
                for (int row = 0; row < count; row++) {
                    long upper = out + tiles.offset(first + row, written);
                    WinogradTransforms.output(
                            after + 4L * tiles.of(row) * written,
                            plane,
                            bias,
                            written,
                            tiles.perRow,
                            upper,
                            upper + 4L * tiles.width * written);
                }
            }
        };
    }

    /// G g G^T of one filter [3, 3, C]: into its row of sixteen planes.
    private static void filter(long from, long rows, long to, long plane, int channels, boolean turned) {
        long pixel = 4L * channels;
        long line = 3 * pixel;
        WinogradTransforms.filter(turned ? from + 2 * line : from, turned ? -line : line, rows, line, 3 * channels);
        for (int i = 0; i < 4; i++) {
            long row = rows + i * line;
            WinogradTransforms.filter(
                    turned ? row + 2 * pixel : row, turned ? -pixel : pixel, to + 4 * i * plane, plane, channels);
        }
    }

    /// Sixteen products [tiles, read] [read, written].
    ///
    /// @param filter their second factor's layout, or null for the library to choose
    private MemorySegment product(long tiles, long read, long written, MemorySegment filter) {
        MemorySegment a = dnnl.descriptor(DType.F32, dnnl_abc(), PLANES, tiles, read);
        MemorySegment b =
                filter != null ? filter : dnnl.descriptor(DType.F32, dnnl_format_tag_any(), PLANES, read, written);
        MemorySegment y = dnnl.descriptor(DType.F32, dnnl_abc(), PLANES, tiles, written);
        return dnnl.description(
                "Conv2d",
                out -> dnnl_matmul_primitive_desc_create(
                        out, dnnl.engine(), a, b, MemorySegment.NULL, y, dnnl.attributes()));
    }

    private Kernel product(MemorySegment description, long before, MemorySegment filter, long filterAt, long after) {
        return dnnl.primitive(
                "Conv2d",
                description,
                DNNL_ARG_SRC(),
                dnnl.memory(DnnlPrimitives.query(description, dnnl_query_src_md()), before),
                DNNL_ARG_WEIGHTS(),
                dnnl.memory(filter, filterAt),
                DNNL_ARG_DST(),
                dnnl.memory(DnnlPrimitives.query(description, dnnl_query_dst_md()), after));
    }

    /// @param dbiasAt address, or 0 for none
    Kernel backwardWeight(Shape x, Shape w, long xAt, long dyAt, long dwAt, long dbiasAt) {
        int filters = w.dim(0);
        int channels = w.last();
        int size = Math.multiplyExact(filters * PLANES, channels);
        Tiles tiles = Tiles.of(x, filters + channels);
        Input input = new Input(tiles, channels);
        long images = scratch.take(4L * PLANES * tiles.of(tiles.block) * channels);
        long gradients = scratch.take(4L * PLANES * tiles.of(tiles.block) * filters);
        long part = scratch.take(4L * size);
        long total = scratch.take(4L * size);
        long rows = scratch.take(4L * 4 * 3 * channels);
        Kernel whole = outer(tiles.of(tiles.block), filters, channels, gradients, images, part);
        Kernel rest =
                tiles.rest() == 0 ? whole : outer(tiles.of(tiles.rest()), filters, channels, gradients, images, part);
        RowPattern pattern = new RowPattern(filters);
        float[] zero = new float[pattern.period];
        double[] sums = new double[pattern.period];
        return () -> {
            Memory.zero(total, 4L * size);
            Arrays.fill(sums, 0);
            input.prepare();
            for (int first = 0; first < tiles.rows; first += tiles.block) {
                int count = Math.min(tiles.block, tiles.rows - first);
                input.transform(xAt, first, count, images);
                long plane = 4L * tiles.of(count) * filters;
                for (int row = 0; row < count; row++) {
                    long upper = dyAt + tiles.offset(first + row, filters);
                    WinogradTransforms.gradient(
                            upper,
                            upper + 4L * tiles.width * filters,
                            filters,
                            tiles.perRow,
                            gradients + 4L * tiles.of(row) * filters,
                            plane);
                }
                (count == tiles.block ? whole : rest).run();
                WinogradTransforms.add(part, total, size);
                if (dbiasAt != 0) {
                    // Number 5 of a tile is the sum of its four results' gradients.
                    pattern.sum(gradients + 5 * plane, zero, tiles.of(count) * filters, sums);
                }
            }
            long plane = 4L * filters * channels;
            for (int k = 0; k < filters; k++) {
                long at = total + 4L * k * channels;
                filterGradient(at, plane, rows, dwAt + 4L * k * 9 * channels, channels);
            }
            for (int k = 0; dbiasAt != 0 && k < filters; k++) {
                Memory.setFloat(dbiasAt + 4L * k, (float) sums[k]);
            }
        };
    }

    /// G^T u G of one filter's row of sixteen planes: to [3, 3, C].
    private static void filterGradient(long from, long plane, long rows, long to, int channels) {
        long pixel = 4L * channels;
        long line = 3 * pixel;
        for (int i = 0; i < 4; i++) {
            WinogradTransforms.filterGradient(from + 4 * i * plane, plane, rows + i * line, pixel, channels);
        }
        WinogradTransforms.filterGradient(rows, line, to, line, 3 * channels);
    }

    /// Sixteen products [filters, tiles] [tiles, channels] of the transpose of [tiles, filters].
    private Kernel outer(long tiles, long filters, long channels, long gradients, long images, long to) {
        MemorySegment a = dnnl.descriptor(DType.F32, dnnl_acb(), PLANES, filters, tiles);
        MemorySegment b = dnnl.descriptor(DType.F32, dnnl_abc(), PLANES, tiles, channels);
        MemorySegment y = dnnl.descriptor(DType.F32, dnnl_abc(), PLANES, filters, channels);
        MemorySegment description = dnnl.description(
                "Conv2dBackwardWeight",
                out -> dnnl_matmul_primitive_desc_create(
                        out, dnnl.engine(), a, b, MemorySegment.NULL, y, dnnl.attributes()));
        return dnnl.primitive(
                "Conv2dBackwardWeight",
                description,
                DNNL_ARG_SRC(),
                dnnl.memory(a, gradients),
                DNNL_ARG_WEIGHTS(),
                dnnl.memory(b, images),
                DNNL_ARG_DST(),
                dnnl.memory(y, to));
    }

    /// B^T d B of rows of tiles.
    private final class Input {
        private final Tiles tiles;
        private final int channels;
        private final long line;
        private final long zeros;
        private final long rows;

        Input(Tiles tiles, int channels) {
            this.tiles = tiles;
            this.channels = channels;
            this.line = 4L * (tiles.width + 2) * channels;
            this.zeros = scratch.take(4L * tiles.width * channels);
            this.rows = scratch.take(4 * line);
        }

        /// The rows above and below an image, and the columns beside it, are zero.
        void prepare() {
            long pixel = 4L * channels;
            Memory.zero(zeros, tiles.width * pixel);
            for (int i = 0; i < 4; i++) {
                Memory.zero(rows + i * line, pixel);
                Memory.zero(rows + (i + 1) * line - pixel, pixel);
            }
        }

        /// @param to [16, tiles of `count` rows, channels]
        void transform(long from, int first, int count, long to) {
            long imageLine = 4L * tiles.width * channels;
            long plane = 4L * tiles.of(count) * channels;
            for (int row = 0; row < count; row++) {
                long upper = from + tiles.offset(first + row, channels);
                WinogradTransforms.inputDown(
                        tiles.first(first + row) ? zeros : upper - imageLine,
                        upper,
                        upper + imageLine,
                        tiles.last(first + row) ? zeros : upper + 2 * imageLine,
                        rows + 4L * channels,
                        line,
                        tiles.width * channels);
                long at = to + 4L * tiles.of(row) * channels;
                for (int i = 0; i < 4; i++) {
                    WinogradTransforms.inputAcross(rows + i * line, channels, tiles.perRow, at + 4 * i * plane, plane);
                }
            }
        }
    }
}
