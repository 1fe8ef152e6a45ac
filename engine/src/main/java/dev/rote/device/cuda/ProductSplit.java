package dev.rote.device.cuda;

/// How the long sum of a weight gradient [rows,columns] is divided among blocks that share a tile.
///
/// It depends on the shapes alone: results are the same on every device, and the plan knows the workspace.
///
/// @param count parts
/// @param depth terms of each but the last
record ProductSplit(int count, int depth) {
    /// One part: no workspace.
    static final ProductSplit NONE = new ProductSplit(1, 0);

    private static final int TILE = 64; // the tile that blocks are counted in, whatever the kernel's
    private static final int LEAST_DEPTH = 64; // a block sums at least this many; a multiple of every tile's depth
    private static final int ENOUGH_DEPTH = 256;
    static final int FEW_PARTS = 16;

    static ProductSplit of(long rows, long columns, int depth) {
        long tiles = new ProductTile(TILE, TILE, 0).blocks(rows, columns);
        long wanted = (ProductTile.BUSY_BLOCKS + tiles - 1) / tiles;
        long each = each(depth, wanted, FEW_PARTS, ENOUGH_DEPTH);
        long rounded = (each + LEAST_DEPTH - 1) / LEAST_DEPTH * LEAST_DEPTH;
        return new ProductSplit(Math.toIntExact((depth + rounded - 1) / rounded), Math.toIntExact(rounded));
    }

    /// How many of `all` units (terms, strips, patches) a part has.
    ///
    /// More than a few parts only where each has enough to do: what a part costs by itself, to begin, to be written
    /// and to be read again, is time that small networks side by side have no multiprocessors left for.
    ///
    /// @param wanted parts that keep a GPU busy
    /// @param few parts, of which those of sixteen networks do
    /// @param enough units beside which that cost is small
    static long each(long all, long wanted, int few, long enough) {
        return Math.max(Math.ceilDiv(all, wanted), Math.min(enough, Math.ceilDiv(all, (long) few)));
    }

    /// Of all parts; 0 if there is one, which goes straight to the result.
    long workspaceBytes(long rows, long columns, boolean rowSums) {
        return count == 1 ? 0 : 4L * count * (rows * columns + (rowSums ? rows : 0));
    }
}
