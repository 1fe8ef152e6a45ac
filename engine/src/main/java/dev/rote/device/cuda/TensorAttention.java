package dev.rote.device.cuda;

import dev.rote.graph.DType;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The tensor cores' kernels of attention for one type and head size: their names, blocks and shared memory, as
/// `attention_mma.cuh`, `attention_head.cu` and `attention_backward_head.cu`, `_pairs.cu` and `_whole.cu` lay it out.
///
/// @param type of qkv
/// @param size the longest vector of a head that the kernels take
/// @param half whether vectors are at most 8, for which some kernels have products of half the depth
/// @param roomy whether a block may have 227 KiB of shared memory
record TensorAttention(DType type, int size, boolean half, boolean roomy) {
    /// Shared memory of a block on every GPU since sm_80: 99 KiB.
    static final int SHARED_BYTES = 99 << 10;

    private static final List<Integer> SIZES = List.of(16, 32, 64, 128);
    private static final int HALF = 8;
    private static final int THREADS = 128;
    private static final int TOKENS = 64; // of a block
    private static final int PAIR_KEYS = 128; // of a block whose warps have pairs of 16
    private static final int MOST_PAIRED = 32; // the longest vectors of these
    /// Of heads of which the gradient's block has everything: the longest vectors by tokens, of which each has a
    /// thread.
    private static final Map<Integer, Integer> WHOLE_SIZES = Map.of(64, 32, 128, 16, 256, 16);
    private static final Map<Integer, Integer> ROOMY_SIZES = Map.of(64, 32, 128, 16, 256, 32);
    private static final int MOST_HEAD_TOKENS = 256; // of a block that has a head to itself, a thread each
    private static final int WARP_QUERIES = 32; // of such a block's warps
    /// One block for each of 132 multiprocessors. A constant, so that results do not depend on the device.
    private static final int BUSY_HEADS = 132;

    /// Empty if rows are too long or not aligned to what is copied at once (16 bytes, up to size 32 four values), or
    /// the type is multiplied in f32, or an image has more elements than the kernels can count.
    ///
    /// @param width values of a token in y: heads times depth
    static Optional<TensorAttention> of(DType type, int tokens, int width, int depth, TensorCores cores) {
        boolean counted = 3L * width * (tokens + TOKENS) < Integer.MAX_VALUE;
        boolean taken = counted && MatrixLowering.onTensorCores(type, cores.tf32());
        return SIZES.stream()
                .filter(size -> taken && depth <= size)
                .findFirst()
                .filter(size -> depth % (size <= 32 ? 4 : 16 / type.bytes()) == 0)
                .map(size -> new TensorAttention(type, size, depth <= HALF, cores.sm90()));
    }

    KernelLaunch forward(long heads, int tokens, Arguments arguments) {
        boolean whole =
                type == DType.BF16 && size <= MOST_PAIRED && tokens % WARP_QUERIES == 0 && tokens <= MOST_HEAD_TOKENS;
        if (whole) {
            return ofHead("attention_head", heads, tokens, 3 * tokens * rowBytes(), arguments);
        }
        int bytes = (TOKENS + 2 * 2 * passing()) * rowBytes();
        return launch("attention", tiles(tokens) * heads, bytes, arguments);
    }

    /// Whether one block computes all gradients of a head: where they fit in its shared memory, and either this takes
    /// no blocks away or there are enough.
    ///
    /// @param heads of all images
    boolean backwardByHead(long heads, int tokens) {
        return headBytes(tokens) <= SHARED_BYTES && (tiles(tokens) == 1 || heads >= BUSY_HEADS);
    }

    KernelLaunch backwardByHead(long heads, int tokens, Arguments arguments) {
        int whole = (roomy ? ROOMY_SIZES : WHOLE_SIZES).getOrDefault(tokens, 0);
        if (type == DType.BF16 && size <= whole) {
            int bytes = 4 * tokens * rowBytes() // queries, keys, values and dy
                    + tokens * 2 * Float.BYTES // log-sum-exp and delta
                    + tokens * (TOKENS * type.bytes() + 16) // slopes
                    + (tokens > PAIR_KEYS ? 2 * TOKENS * size * Float.BYTES : 0); // sums of dq
            return ofHead("attention_backward_whole_" + tokens, heads, tokens, bytes, arguments);
        }
        boolean pairs =
                type == DType.BF16 && size <= MOST_PAIRED && tiles(tokens) > 1 && pairBytes(tokens) <= SHARED_BYTES;
        return pairs
                ? launch("attention_backward_pairs", heads, Math.toIntExact(pairBytes(tokens)), arguments)
                : launch("attention_backward_head", heads, Math.toIntExact(headBytes(tokens)), arguments);
    }

    List<KernelLaunch> backward(long heads, int tokens, Arguments arguments) {
        int pairs = size * type.bytes() <= 256 ? 2 : 1;
        int bytes = (2 * TOKENS + 2 * pairs * passing()) * rowBytes();
        long blocks = tiles(tokens) * heads;
        return List.of(
                launch("attention_backward_queries", blocks, bytes, arguments),
                launch("attention_backward_keys", blocks, bytes, arguments));
    }

    private KernelLaunch launch(String direction, long blocks, int sharedBytes, Arguments arguments) {
        String kernel = direction + (type == DType.BF16 ? "_bf16_mma_" : "_tf32_mma_") + size;
        return launch(kernel, blocks, THREADS, sharedBytes, arguments);
    }

    /// A block of a thread for each token to a head, in bf16.
    private KernelLaunch ofHead(String direction, long heads, int tokens, int sharedBytes, Arguments arguments) {
        return launch(direction + "_bf16_mma_" + (half ? HALF : size), heads, tokens, sharedBytes, arguments);
    }

    private static KernelLaunch launch(String kernel, long blocks, int threads, int sharedBytes, Arguments arguments) {
        return new KernelLaunch(
                kernel,
                KernelLaunch.Extent.of(Math.toIntExact(blocks)),
                KernelLaunch.Extent.of(threads),
                sharedBytes,
                arguments);
    }

    private static long tiles(int tokens) {
        return Math.ceilDiv(tokens, TOKENS);
    }

    /// Of a token's vector, with its padding.
    private int rowBytes() {
        return size * type.bytes() + 16;
    }

    /// Tokens of a tile that passes.
    private int passing() {
        return size * type.bytes() >= 256 ? 32 : 64;
    }

    /// Keys and values, slopes, two numbers for each token, one or two pairs of tiles that pass; of several tiles, the
    /// sums of dq.
    private long headBytes(int tokens) {
        long tiles = tiles(tokens);
        long pairs = type == DType.F32 && size >= 32 ? 1 : Math.min(2, tiles);
        long vectors = (2 + 2 * pairs) * TOKENS * rowBytes();
        long slopes = (long) TOKENS * (TOKENS * type.bytes() + 16);
        long sums = tiles == 1 ? 0 : 4L * tiles * TOKENS * size;
        return vectors + slopes + 8 * tiles * TOKENS + sums;
    }

    /// The same for blocks of twice as many keys and values; slopes lie where the values were.
    private long pairBytes(int tokens) {
        long tiles = tiles(tokens);
        long vectors = (PAIR_KEYS + 4 * TOKENS) * (long) rowBytes();
        long slopes = (long) PAIR_KEYS * (TOKENS * type.bytes() + 16);
        long sums = tokens <= PAIR_KEYS ? 0 : 4L * tiles * TOKENS * size;
        return vectors + slopes + 8 * tiles * TOKENS + sums;
    }
}
