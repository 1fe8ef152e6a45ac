package dev.rote.device.cuda;

/// One kernel over a grid. Extents are in blocks and threads, x innermost.
///
/// @param cluster blocks that run together and see each other's shared memory (compute capability 9.0); one block: none
record KernelLaunch(String kernel, Extent grid, Extent block, Extent cluster, int sharedBytes, Arguments arguments)
        implements Launch {
    KernelLaunch(String kernel, Extent grid, Extent block, int sharedBytes, Arguments arguments) {
        this(kernel, grid, block, Extent.of(1), sharedBytes, arguments);
    }

    KernelLaunch inClusters(Extent blocks) {
        return new KernelLaunch(kernel, grid, block, blocks, sharedBytes, arguments);
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
