package dev.rote.device.cuda;

import dev.rote.graph.DType;
import java.util.Optional;
import java.util.function.LongFunction;
import java.util.function.UnaryOperator;

/// A linear layer in bf16 by `linear_sm90.cu`, `linear_sm90_rows.cu` and `linear_backward_weight_sm90.cu`, of one
/// tensor or of two side by side, on compute capability 9.0.
///
/// @param x address of [rows,first], or where its gradient goes
/// @param x2 address of [rows,channels-first]; any where there is none
/// @param w address of [filters,channels], or where its gradient goes, in f32
/// @param y address of [rows,filters], or of its gradient
record Sm90Linear(int rows, int first, int channels, int filters, long x, long x2, long w, long y) {
    private static final int ROWS = 256; // of a block
    static final int LEAST_ROWS = 2048; // below, the tiles of other kernels keep more of a GPU busy
    private static final int THREADS = 256;
    private static final int STATE_BYTES = 2048;
    static final int WEIGHTS_STATE_BYTES = 1024;
    private static final int ROWS_STATE_BYTES = 3072;
    private static final int ROWS_MOST_COLUMNS = 512;
    static final int ONE_BLOCK = 232_448; // bytes of shared memory: 227 KiB
    private static final int TWO_BLOCKS = 115_712; // of 228 KiB, 1 KiB of each block's being the system's
    static final int MOST_STAGES = 8;
    static final int GROUP_FILTERS = 64; // of a weight gradient, by four warps
    private static final int MOST_GROUPS = 3;
    static final int STEP_ROWS = 64; // of a weight gradient
    static final int ENOUGH_ROWS = 256; // of a part of a weight gradient
    /// A block takes a multiprocessor. A constant, so that results do not depend on the device.
    static final int MULTIPROCESSORS = 132;

    private boolean isAligned() {
        return (x | (first == channels ? 0 : x2) | w | y) % Packing.BYTES == 0;
    }

    private static boolean takes(int rows, int first, int channels, int filters) {
        return rows >= LEAST_ROWS && first % 32 == 0 && channels % 32 == 0 && filters % 32 == 0;
    }

    private boolean isOf(int multiple, int... counts) {
        for (int count : counts) {
            if (count % multiple != 0) {
                return false;
            }
        }
        return true;
    }

    /// The same layer with its result at another address.
    Sm90Linear writing(long result) {
        return new Sm90Linear(rows, first, channels, filters, x, x2, w, result);
    }

    /// @param bias address of [filters], or 0
    /// @param addend address of [rows,filters], which is added to y, or 0
    Optional<KernelLaunch> forward(long bias, long addend) {
        if (!takes(rows, first, channels, filters) || !isAligned()) {
            return Optional.empty();
        }
        int columns = isOf(128, filters) && isOf(64, first, channels) ? 128 : isOf(64, filters) ? 64 : 32;
        if (addend == 0 && columns < 128 && filters >= 2 * columns && filters <= ROWS_MOST_COLUMNS) {
            // Rows would be read for several blocks of columns: they come once, if all filters have room beside them.
            int step = isOf(64, first, channels, filters) ? 64 : 32;
            int kept = ROWS_STATE_BYTES + filters * channels * 2;
            int stages = Math.min(MOST_STAGES, (TWO_BLOCKS - kept) / (ROWS * step * 2));
            if (stages >= 2 * (channels / step)) {
                Arguments arguments = forward(step, step, bias, 0).i32("stages", stages);
                String kernel = "linear_sm90_rows_" + step + "x" + step;
                int bytes = kept + stages * ROWS * step * 2;
                return Optional.of(inTurn(kernel, Math.ceilDiv(rows, ROWS), 2, bytes, arguments));
            }
        }
        int depth = columns == 128 ? 64 : 32;
        return Optional.of(product("linear_sm90_", depth, columns, filters, forward(depth, columns, bias, addend)));
    }

    private Arguments forward(int depth, int columns, long bias, long addend) {
        return new Arguments()
                .tensorMap("left", matrix(x, rows, first, ROWS, depth))
                .tensorMap("left2", matrix(first == channels ? x : x2, rows, second(), ROWS, depth))
                .tensorMap("right", matrix(w, filters, channels, columns, depth))
                .pointer("y", y)
                .pointer("y2", y)
                .pointer("bias", bias)
                .pointer("addend", addend)
                .i32("rows", rows)
                .i32("depth", channels)
                .i32("first", first)
                .i32("columns", filters)
                .i32("first_columns", filters);
    }

    Optional<KernelLaunch> backwardData() {
        if (!takes(rows, first, channels, filters) || !isAligned()) {
            return Optional.empty();
        }
        int columns = isOf(128, first, channels) && isOf(64, filters) ? 128 : isOf(64, first, channels) ? 64 : 32;
        int depth = columns == 128 ? 64 : 32;
        TensorMap gradient = matrix(y, rows, filters, ROWS, depth);
        Arguments arguments = new Arguments()
                .tensorMap("left", gradient)
                .tensorMap("left2", gradient)
                .tensorMap("right", matrix(w, filters, channels, depth, Math.min(columns, 64)))
                .pointer("y", x)
                .pointer("y2", x2)
                .pointer("bias", 0)
                .pointer("addend", 0)
                .i32("rows", rows)
                .i32("depth", filters)
                .i32("first", filters)
                .i32("columns", channels)
                .i32("first_columns", first);
        return Optional.of(product("linear_backward_data_sm90_", depth, columns, channels, arguments));
    }

    private KernelLaunch product(String stem, int depth, int columns, int across, Arguments arguments) {
        return product(stem, depth, columns, rows, across, arguments, more -> more);
    }

    /// The launch of a kernel of `linear_sm90_tile.cuh`.
    ///
    /// @param across columns of all tiles
    /// @param more what follows the number of stages
    static KernelLaunch product(
            String stem,
            int depth,
            int columns,
            int rows,
            int across,
            Arguments arguments,
            UnaryOperator<Arguments> more) {
        int stageBytes = (ROWS + columns) * depth * 2;
        int blocks = columns == 128 ? 1 : 2;
        int stages = Math.min(MOST_STAGES, ((blocks == 1 ? ONE_BLOCK : TWO_BLOCKS) - STATE_BYTES) / stageBytes);
        int tiles = MatrixLowering.extent("tiles", (long) Math.ceilDiv(rows, ROWS) * (across / columns));
        return inTurn(
                stem + depth + "x" + columns,
                tiles,
                blocks,
                STATE_BYTES + stages * stageBytes,
                more.apply(arguments.i32("stages", stages)));
    }

    private static KernelLaunch inTurn(String kernel, int tiles, int blocks, int sharedBytes, Arguments arguments) {
        int rounds = Math.ceilDiv(tiles, MULTIPROCESSORS * blocks);
        return new KernelLaunch(
                        kernel,
                        KernelLaunch.Extent.of(Math.ceilDiv(tiles, rounds)),
                        KernelLaunch.Extent.of(THREADS),
                        sharedBytes,
                        arguments)
                .inTurn(MULTIPROCESSORS * blocks);
    }

    private int second() {
        return first == channels ? first : channels - first;
    }

    static TensorMap matrix(long address, int rows, int row, int boxRows, int boxRow) {
        return TensorMap.swizzled(DType.BF16, address, new long[] {row, rows, 1}, new int[] {boxRow, boxRows, 1});
    }

    /// A weight gradient's launch, given the address of its parts, or 0 if there is one.
    record Weights(ProductSplit split, LongFunction<KernelLaunch> launch) {}

    /// How a weight gradient is divided; empty if the kernel does not take these shapes.
    static Optional<ProductSplit> split(int rows, int first, int channels, int filters) {
        if (!takes(rows, first, channels, filters)) {
            return Optional.empty();
        }
        int tiles = tiles(filters, channels, blockChannels(first, channels));
        int steps = Math.ceilDiv(rows, STEP_ROWS);
        int wanted = Math.max(1, MULTIPROCESSORS / tiles);
        int each = (int) ProductSplit.each(steps, wanted, ProductSplit.FEW_PARTS, ENOUGH_ROWS / STEP_ROWS);
        return Optional.of(new ProductSplit(Math.ceilDiv(steps, each), each));
    }

    private static int blockChannels(int first, int channels) {
        return first % 128 == 0 && channels % 128 == 0 ? 128 : first % 64 == 0 && channels % 64 == 0 ? 64 : 32;
    }

    /// Groups of four warps of a block: as many as share the filters evenly. The last of them may have half as many,
    /// beside zeros: rows bound these gradients, not products.
    static int groups(int filters) {
        int parts = Math.ceilDiv(filters, GROUP_FILTERS);
        int groups = MOST_GROUPS;
        while (parts % groups != 0) {
            groups--;
        }
        return groups;
    }

    private static int tiles(int filters, int channels, int blockChannels) {
        return Math.ceilDiv(filters, GROUP_FILTERS) / groups(filters) * (channels / blockChannels);
    }

    /// @param bias address of [filters], or 0
    Optional<Weights> backwardWeight(long bias) {
        return split(rows, first, channels, filters)
                .filter(split -> isAligned())
                .map(split -> new Weights(split, partial -> weights(split, bias, partial)));
    }

    private KernelLaunch weights(ProductSplit split, long bias, long partial) {
        int blockChannels = blockChannels(first, channels);
        int box = Math.min(blockChannels, 64);
        int groups = groups(filters);
        int stageBytes = STEP_ROWS * 2 * (groups * GROUP_FILTERS + blockChannels);
        int stages = Math.min(MOST_STAGES, (ONE_BLOCK - WEIGHTS_STATE_BYTES) / stageBytes);
        Arguments arguments = new Arguments()
                .tensorMap("x", matrix(x, rows, first, STEP_ROWS, box))
                .tensorMap("x2", matrix(first == channels ? x : x2, rows, second(), STEP_ROWS, box))
                .tensorMap("gradient", matrix(y, rows, filters, STEP_ROWS, GROUP_FILTERS))
                .pointer("dw", w)
                .pointer("dbias", bias)
                .pointer("partial", partial)
                .i32("rows", rows)
                .i32("first", first)
                .i32("channels", channels)
                .i32("filters", filters)
                .i32("steps_per_split", split.depth())
                .i32("stages", stages);
        return new KernelLaunch(
                "linear_backward_weight_sm90_" + blockChannels,
                new KernelLaunch.Extent(tiles(filters, channels, blockChannels), split.count(), 1),
                KernelLaunch.Extent.of(128 * groups),
                WEIGHTS_STATE_BYTES + stages * stageBytes,
                arguments);
    }
}
