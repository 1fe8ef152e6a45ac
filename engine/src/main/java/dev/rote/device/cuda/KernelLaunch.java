package dev.rote.device.cuda;

/// One kernel over a grid. Extents are in blocks and threads, x innermost.
///
/// @param cluster blocks that run together and see each other's shared memory (compute capability 9.0); one block: none
/// @param filling blocks that fill a GPU, where those along x take tiles in turn, so that fewer do the same; else 0
record KernelLaunch(
        String kernel, Extent grid, Extent block, Extent cluster, int sharedBytes, int filling, Arguments arguments)
        implements Launch {
    KernelLaunch(String kernel, Extent grid, Extent block, int sharedBytes, Arguments arguments) {
        this(kernel, grid, block, Extent.of(1), sharedBytes, 0, arguments);
    }

    KernelLaunch inClusters(Extent blocks) {
        return new KernelLaunch(kernel, grid, block, blocks, sharedBytes, filling, arguments);
    }

    /// The same, whose blocks along x take tiles in turn.
    KernelLaunch inTurn(int filling) {
        return new KernelLaunch(kernel, grid, block, cluster, sharedBytes, filling, arguments);
    }

    /// The grid of so many launches as one, each of them further planes. Where blocks take tiles in turn there are as
    /// many as fill a GPU, and what a block prepares is prepared less often.
    Extent gridOfAll(int launches) {
        int planes = grid.z * launches;
        if (filling == 0) {
            return new Extent(grid.x, grid.y, planes);
        }
        int rounds = Math.ceilDiv(grid.x, Math.clamp(filling / (grid.y * planes), 1, grid.x));
        return new Extent(Math.ceilDiv(grid.x, rounds), grid.y, planes);
    }

    boolean isInClusters() {
        return !cluster.equals(Extent.of(1));
    }

    record Extent(int x, int y, int z) {
        static Extent of(int x) {
            return new Extent(x, 1, 1);
        }
    }

    /// One thread per element, in blocks of 256, the grid's x as large as it may get and no larger than needed.
    static KernelLaunch perElement(String kernel, long elements, Arguments arguments) {
        int threads = 256;
        int blocks = Math.toIntExact(Math.max(1, (elements + threads - 1) / threads));
        return new KernelLaunch(kernel, Extent.of(blocks), Extent.of(threads), 0, arguments);
    }

    /// A one-dimensional grid without dynamic shared memory.
    static KernelLaunch blocks(String kernel, int blocks, int threads, Arguments arguments) {
        return new KernelLaunch(kernel, Extent.of(blocks), Extent.of(threads), 0, arguments);
    }
}
