package dev.rote.device.cuda;

import dev.rote.graph.DType;

/// The part of a product's result that one block computes, and which kernels have it.
///
/// @param rows of the result
/// @param columns of the result
/// @param threads of a block
record ProductTile(int rows, int columns, int threads) {
    private static final int STAGES = 3; // TensorTile::STAGES
    /// Blocks that keep a large GPU busy: two for each of 132 multiprocessors. A constant, so that results do not
    /// depend on the device.
    static final int BUSY_BLOCKS = 264;

    // Multiply-adds in f32.
    // 1 to 8 channels (heads, W = 8): a wider tile multiplies by zeros.
    private static final ProductTile GENERAL_NARROW = new ProductTile(128, 8, 256);
    // 9 to 32 channels.
    private static final ProductTile GENERAL_MIDDLE = new ProductTile(128, 32, 256);
    // Registers: 170 a thread, one block per multiprocessor.
    private static final ProductTile GENERAL_WIDE = new ProductTile(128, 64, 256);
    // Weight gradients, where rows and columns are channels; registers: 108 a thread, two blocks.
    private static final ProductTile GENERAL_SQUARE = new ProductTile(64, 64, 256);
    // Few rows or few blocks: a larger tile is mostly empty.
    private static final ProductTile GENERAL_SMALL = new ProductTile(32, 32, 256);

    // Tensor cores.
    // Up to 32 channels: memory is the limit, zeros in the tile cost nothing that shows.
    private static final ProductTile TENSOR_NARROW = new ProductTile(128, 32, 128);
    // Registers: 128 a thread in bf16, four blocks; 142 in TF32, three.
    private static final ProductTile TENSOR_WIDE = new ProductTile(128, 64, 128);
    // Twice the blocks, where these are few.
    private static final ProductTile TENSOR_SQUARE = new ProductTile(64, 64, 128);
    // Weight gradients with up to 32 filters.
    private static final ProductTile TENSOR_FLAT = new ProductTile(32, 128, 128);

    /// For the many pixels (or rows) and few channels of forward and data gradient.
    static ProductTile pixels(boolean tensor, long rows, long columns) {
        if (tensor) {
            boolean busy = TENSOR_WIDE.blocks(rows, columns) >= BUSY_BLOCKS;
            return columns <= 32 ? TENSOR_NARROW : busy ? TENSOR_WIDE : TENSOR_SQUARE;
        }
        return columns <= 8 ? GENERAL_NARROW : columns <= 32 ? GENERAL_MIDDLE : GENERAL_WIDE;
    }

    /// For weight gradients, whose rows are output channels.
    static ProductTile weights(boolean tensor, long rows, long columns) {
        if (tensor) {
            return rows <= 32 ? TENSOR_FLAT : TENSOR_SQUARE;
        }
        return rows <= 32 || columns <= 32 ? GENERAL_SMALL : GENERAL_SQUARE;
    }

    /// For products of matrices.
    ///
    /// @param rowsFast the left operand's rows are fastest in memory
    static ProductTile matrices(boolean tensor, boolean rowsFast, long rows, long columns) {
        if (tensor) {
            return rowsFast || TENSOR_WIDE.blocks(rows, columns) < BUSY_BLOCKS ? TENSOR_SQUARE : TENSOR_WIDE;
        }
        return isSmall(rows, columns) ? GENERAL_SMALL : GENERAL_WIDE;
    }

    /// For products of two matrices side by side, or whose result is two.
    ///
    /// @param columns of the wider result
    static ProductTile joined(boolean tensor, long rows, long columns) {
        return tensor && columns <= 32 ? TENSOR_NARROW : matrices(tensor, false, rows, columns);
    }

    /// Whether a product of matrices in f32 has too few wide tiles for a large GPU.
    static boolean isSmall(long rows, long columns) {
        return GENERAL_WIDE.blocks(rows, columns) < BUSY_BLOCKS;
    }

    /// Blocks for a result of that size.
    long blocks(long resultRows, long resultColumns) {
        return (resultRows + rows - 1) / rows * ((resultColumns + columns - 1) / columns);
    }

    /// How kernels with this tile on this type end.
    String suffix(boolean tensor, DType type) {
        boolean f32 = type == DType.F32;
        String arithmetic = tensor ? (f32 ? "_tensor_tf32" : "_tensor_bf16") : (f32 ? "_f32" : "_bf16");
        return arithmetic + "_" + rows + "x" + columns;
    }

    /// Shared memory of a tensor-core kernel, as TensorOperandTile lays it out.
    ///
    /// @param depthFast whether the depth is the fastest index of the left and right operand
    int sharedBytes(boolean leftDepthFast, boolean rightDepthFast) {
        return STAGES * (operandBytes(rows, leftDepthFast) + operandBytes(columns, rightDepthFast));
    }

    /// 64 bytes of depth; padded by 16 bytes a row, or by 512 in all.
    private static int operandBytes(int outers, boolean depthFast) {
        return depthFast ? 80 * outers : 64 * outers + 512;
    }
}
