package dev.rote.device.cuda;

/// How the tiles of a nearest-neighbour scan are shared out: a block takes the same 128 queries through `blockTiles` tiles
/// of 256 references.
///
/// @param queryTiles tiles of 128 queries
/// @param tiles tiles of 256 references
/// @param blockTiles of one block
record NearestScanSplit(int queryTiles, int tiles, int blockTiles) {
    static final int QUERIES = 128;
    static final int REFERENCES = 256;
    private static final double START_STEPS = 6; // what the first stages and the last keys of a block cost

    /// The split that ends first on so many multiprocessors, which hold a block each.
    ///
    /// @param steps of 64 bytes that a tile takes
    static NearestScanSplit of(int queryTiles, int tiles, int steps, int multiprocessors) {
        double least = Double.POSITIVE_INFINITY;
        int best = 1;
        for (int blockTiles = 1; blockTiles <= tiles; blockTiles++) {
            long blocks = (long) queryTiles * Math.ceilDiv(tiles, blockTiles);
            double cost = Math.ceilDiv(blocks, multiprocessors) * (blockTiles + START_STEPS / steps);
            if (cost < least) {
                least = cost;
                best = blockTiles;
            }
        }
        return new NearestScanSplit(queryTiles, tiles, best);
    }

    KernelLaunch.Extent grid() {
        return new KernelLaunch.Extent(Math.ceilDiv(tiles, blockTiles), queryTiles, 1);
    }
}
