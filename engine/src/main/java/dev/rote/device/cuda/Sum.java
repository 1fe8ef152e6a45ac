package dev.rote.device.cuda;

import dev.rote.graph.Shape;

/// How `reduce.cu` adds up the middle axis of [outer,reduced,inner]: in one stage, or in chunks whose sums a second
/// stage adds up.
record Sum(long outer, long reduced, long inner, long chunk) {
    /// Blocks of 256 threads that fill a large GPU four times.
    private static final long ENOUGH_BLOCKS = 1024;
    /// Blocks with which a second stage costs more than it gains: two or more for every multiprocessor.
    private static final long MANY_BLOCKS = 264;
    /// Threads of a block, and vectors of a row that it takes at most, where a thread takes a vector of columns.
    private static final int PACKED_THREADS = 256;
    private static final int PACKED_COLUMNS = 32;
    /// Elements of a block's columns below which another chunk costs more than it gains.
    private static final long SMALLEST_CHUNK = 8192;

    static Sum of(Shape x, int begin, int end) {
        return of(x.elements(0, begin), x.elements(begin, end), x.elements(end, x.rank()));
    }

    static Sum ofAll(long elements) {
        return of(1, elements, 1);
    }

    static Sum of(long outer, long reduced, long inner) {
        Sum whole = new Sum(outer, reduced, inner, reduced);
        long useful = Math.ceilDiv(reduced * whole.width(), SMALLEST_CHUNK);
        long wanted = whole.blocks() >= MANY_BLOCKS ? 1 : ENOUGH_BLOCKS / whole.blocks();
        long chunks = Math.clamp(wanted, 1, useful);
        return new Sum(outer, reduced, inner, Math.ceilDiv(reduced, chunks));
    }

    int chunks() {
        return Math.toIntExact(Math.ceilDiv(reduced, chunk));
    }

    /// Columns of a block.
    int width() {
        return (int) Math.min(32, powerOfTwo(inner));
    }

    /// Few threads for few rows; many where the grid is too small to fill the GPU.
    int threads() {
        long wanted = powerOfTwo(Math.min(chunk, 1024)) * width();
        return (int) Math.clamp(wanted, 32, blocks() < ENOUGH_BLOCKS / 8 ? 1024 : 256);
    }

    int blocks() {
        return Math.toIntExact(outer * Math.ceilDiv(reduced, chunk) * Math.ceilDiv(inner, width()));
    }

    /// The sum of the chunks' sums.
    Sum second() {
        return new Sum(outer, chunks(), inner, chunks());
    }

    /// One f64 number per chunk and result, if there are two stages.
    long workspaceBytes() {
        return chunks() == 1 ? 0 : 8 * outer * chunks() * inner;
    }

    /// Whether a thread may take a vector of columns: one stage, vectors do not straddle rows, and every thread has
    /// one.
    boolean isPacked(int bytes) {
        boolean enough = reduced * inner * bytes >= (long) PACKED_THREADS * Packing.BYTES;
        return chunks() == 1 && enough && inner * bytes % Packing.BYTES == 0;
    }

    /// A launch of the only stage, vectors of a thread of `bytes` per element.
    KernelLaunch launchPacked(String kernel, int bytes, long x, long y, Factor factor) {
        int vector = Packing.BYTES / bytes;
        int columns = (int) Math.min(PACKED_COLUMNS, powerOfTwo(inner / vector));
        int blocks = Math.toIntExact(outer * Math.ceilDiv(inner, columns * vector));
        Arguments arguments = arguments(x, 0, y, factor, columns * vector);
        return KernelLaunch.blocks(kernel, blocks, PACKED_THREADS, arguments);
    }

    /// A launch of one stage.
    ///
    /// @param target second operand; 0 for none
    KernelLaunch launch(String kernel, long x, long target, long y, Factor factor) {
        return new KernelLaunch(
                kernel,
                KernelLaunch.Extent.of(blocks()),
                KernelLaunch.Extent.of(threads()),
                0,
                arguments(x, target, y, factor, width()));
    }

    private Arguments arguments(long x, long target, long y, Factor factor, int width) {
        return new Arguments()
                .pointer("x", x)
                .pointer("target", target)
                .pointer("y", y)
                .i64("outer", outer)
                .i64("reduced", reduced)
                .i64("inner", inner)
                .i64("chunk", chunk)
                .i64("divisor", factor.divisor())
                .f32("factor", factor.factor())
                .i32("chunks", chunks())
                .i32("width", width);
    }

    /// What a sum is multiplied with: `factor / divisor`.
    record Factor(float factor, long divisor) {
        static final Factor ONE = new Factor(1, 1);
    }

    private static long powerOfTwo(long atLeast) {
        long highest = Long.highestOneBit(atLeast);
        return highest == atLeast ? highest : 2 * highest;
    }
}
