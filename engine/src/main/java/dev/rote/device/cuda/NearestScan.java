package dev.rote.device.cuda;

/// The kernels that bound distances: which, and how many queries and threads a block has. A block takes 256 references
/// at a time.
///
/// @param suffix of the kernels' names, after their type
/// @param queries of a block
/// @param sharedBytes stages, then constants
record NearestScan(String suffix, int queries, int threads, int sharedBytes) {
    /// References of a tile.
    static final int REFERENCES = 256;
    /// What queries are prepared in: a multiple of every kernel's.
    static final int QUERIES = 128;

    /// By mma.sync, for compute capability 8.0 and newer.
    static final NearestScan PORTABLE = of("", 128, 256, 4 * (128 + 256) * 64, 0);
    /// By wgmma and bulk copies, for compute capability 9.0 alone.
    static final NearestScan SM90 = of("_sm90", 128, 256, 4 * (128 + 256) * 128, 4 * 8 + 48);

    private static NearestScan of(String suffix, int queries, int threads, int stageBytes, int copyBytes) {
        int constants = REFERENCES * 8 + queries * 4 + threads / 32 * 4;
        return new NearestScan(suffix, queries, threads, stageBytes + constants + copyBytes);
    }

    /// The fastest for a compute capability.
    static NearestScan of(int major, int minor) {
        return major == 9 && minor == 0 ? SM90 : PORTABLE;
    }

    String kernel(boolean pixels) {
        return "nearest_scan_" + (pixels ? "s8" : "bf16") + suffix;
    }

    /// How tiles are shared out: a block takes the same queries through `blockTiles` tiles of references.
    ///
    /// @param queryTiles blocks that share references
    record Split(int queryTiles, int tiles, int blockTiles) {
        private static final double START_STEPS = 6; // what the first stages and the last keys of a block cost

        KernelLaunch.Extent grid() {
            return new KernelLaunch.Extent(Math.ceilDiv(tiles, blockTiles), queryTiles, 1);
        }
    }

    /// The split that ends first on so many multiprocessors, which hold a block each.
    ///
    /// @param steps of 64 bytes that a tile takes
    Split split(int queryCount, int tiles, int steps, int multiprocessors) {
        int queryTiles = Math.ceilDiv(queryCount, queries);
        double least = Double.POSITIVE_INFINITY;
        int best = 1;
        for (int blockTiles = 1; blockTiles <= tiles; blockTiles++) {
            long blocks = (long) queryTiles * Math.ceilDiv(tiles, blockTiles);
            double cost = Math.ceilDiv(blocks, multiprocessors) * (blockTiles + Split.START_STEPS / steps);
            if (cost < least) {
                least = cost;
                best = blockTiles;
            }
        }
        return new Split(queryTiles, tiles, best);
    }
}
