// attention_block_sm90.cu: a whole block of self-attention with its group norm before and its residual behind, forward, in bf16 on tensor
// cores: x + out(attention(qkv(norm(x)))). What lies between stays on the multiprocessor.
//
// Math         h = group norm of x, as group_norm.cu without SiLU; qkv = h W_qkv^T + b_qkv; attention as attention_mma.cu;
//              y = x + attended W_out^T + b_out
// Shapes       as AttentionBlockArgs; TxCxD_G in a kernel's name are tokens, channels, values of a head, channels of a group
// Layout       C fastest, and D
// Requires     all tensors aligned to 16 bytes; y is x or does not overlap with it, nor with anything else that is read
// Tiling       blocks take images in turn, from the last to the first (norm_warps.cuh), and keep both filters in shared memory, in
//              rows with 16 bytes of padding. A head after another: a warp has 16 or 32 tokens, whose queries and results never leave
//              its registers; keys and values of one head at a time are in shared memory, and x of the next image comes to where
//              h was when the last head's are there. 256 tokens of 64 channels: 98 KiB, two blocks on a multiprocessor; of 128,
//              whose filters come for a head at a time: 196 KiB. By heads: a warp has 16 of 64 tokens and one head; keys and values of
//              all heads and two images are in shared memory, 213 KiB for 128 channels
// Numerics     f32 sums, mean and variance by pairs of equal halves (attention_block.cuh). h, qkv, weights and attended are rounded
//              to bf16 as they are where they lie in memory; the sum with x is rounded once. Weights as attention_head.cu, where
//              what bounds a warp's scores are its own queries, not all of a head's
// Determinism  run-to-run: fixed order, no atomics
// Cost         flop (8 C^2 + 4 C T) T an image. 512 images of 256x64, heads of 16: 16.8 MB read, again for the sum, and as many
//              written, a training step's h, qkv and attended 84 MB more. NOT MEASURED
// Reference    GroupNormReference, AttentionReference and LinearReference (double) one after another
#include "attention_block.cuh"

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

// Filters and what is added, of both products: qkv's by heads [heads,3,D,ROW], out's [C,ROW]. STREAMED: of two heads at a time.
template <class Shape, bool STREAMED>
struct BlockFilters {
    static constexpr int C = Shape::CHANNELS, D = Shape::DEPTH, ROW = Shape::ROW;
    static constexpr int KEPT = STREAMED ? 2 : Shape::HEADS; // heads
    static constexpr int FILTERS = (KEPT * 3 * D + C) * ROW; // elements
    bf16* filters;
    float* biases; // [4 C]

    __device__ __forceinline__ static int row_of_qkv(int i) { // which filter has row i, by heads
        int head = i / (3 * D), part = i / D % 3;
        return part * C + head * D + i % D;
    }

    // Starts to copy those of COUNT heads.
    template <int COUNT>
    __device__ __forceinline__ void copy_heads(const AttentionBlockArgs& a, int head) const {
        constexpr int COLUMNS = C / 8;
        bf16* to = filters + head % KEPT * 3 * D * ROW;
#pragma unroll 2
        for (int i = threadIdx.x; i < COUNT * 3 * D * COLUMNS; i += blockDim.x) {
            int row = i / COLUMNS, column = i % COLUMNS * 8;
            copy_async<16>(to + row * ROW + column, (const bf16*)a.w_qkv + (row_of_qkv(head * 3 * D + row) * C + column));
        }
    }

    // The same of what is copied once: all heads that are kept from the beginning, and out's. What is added is there at once.
    __device__ __forceinline__ void copy(const AttentionBlockArgs& a) const {
        constexpr int COLUMNS = C / 8;
        copy_heads<KEPT>(a, 0);
#pragma unroll 2
        for (int i = threadIdx.x; i < C * COLUMNS; i += blockDim.x) {
            int row = i / COLUMNS, column = i % COLUMNS * 8;
            copy_async<16>(filters + (KEPT * 3 * D + row) * ROW + column, (const bf16*)a.w_out + (row * C + column));
        }
        for (int i = threadIdx.x; i < 4 * C; i += blockDim.x) {
            const float* from = i < 3 * C ? a.b_qkv : a.b_out;
            biases[i] = from == nullptr ? 0.0f : from[i < 3 * C ? row_of_qkv(i) : i - 3 * C];
        }
    }

    __device__ __forceinline__ const bf16* of_head(int head) const { return filters + head % KEPT * 3 * D * ROW; }
    __device__ __forceinline__ const float* bias_of_head(int head) const { return biases + head * 3 * D; }
    __device__ __forceinline__ const bf16* of_out(int filter) const { return filters + (KEPT * 3 * D + filter) * ROW; }
    __device__ __forceinline__ const float* bias_of_out(int filter) const { return biases + 3 * C + filter; }
};

// A warp's 16 or 32 tokens from `token` on, and a head.
template <class Shape, int SIXTEENS>
struct BlockTokens {
    static constexpr int C = Shape::CHANNELS, D = Shape::DEPTH, TILES = Shape::TILES;
    using Queries = HeadQueries<Shape::VECTOR, Shape::ARE, SIXTEENS>;
    using Sums = TokenSums<C, SIXTEENS, 3 * TILES>;
    int token;

    // Their queries, keys and values of a head, in this order.
    template <class Filters>
    __device__ __forceinline__ Sums multiply(const Filters& filters, int head, const bf16* tile) const {
        Sums qkv(filters.bias_of_head(head));
        qkv.template add<1>([&](unsigned(&a)[4], int s, int k) { load_left<C>(a, tile, token + 16 * s, k); }, filters.of_head(head));
        return qkv;
    }

    // Their queries, to qkv.
    __device__ __forceinline__ void store_queries(const Sums& sums, bf16* qkv, int head) const {
        int g = threadIdx.x % 32 / 4;
#pragma unroll
        for (int s = 0; s < SIXTEENS; s++) {
            bf16* row = qkv + ((token + 16 * s + g) * 3 * C + head * D);
            sums.template words<TILES>(s, 0).store(
                [&](int tile, int next, int below) { return row + below * 3 * C + (tile + next) * 8; });
        }
    }

    // Keys and values to shared memory, for the other warps.
    __device__ __forceinline__ void share(const Sums& sums, bf16* keys, bf16* values) const {
        constexpr int VECTOR = PITCH<bf16, Shape::VECTOR>;
        int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
        for (int s = 0; s < SIXTEENS; s++) {
            auto words = sums.template words<2 * TILES>(s, TILES);
            for (int n = 0; n < 2 * TILES; n++) {
                bf16* to = (n < TILES ? keys : values) + (token + 16 * s + g) * VECTOR + n % TILES * 8 + 2 * t;
                for (int r = 0; r < 2; r++) *(unsigned*)(to + 8 * r * VECTOR) = words.of[n][r];
            }
        }
    }

    // Their part of keys or values that are shared, to qkv's part 1 or 2.
    __device__ __forceinline__ void store_shared(const bf16* tile, bf16* qkv, int head, int part) const {
        constexpr int VECTORS = D / 8; // of a token
        int lane = threadIdx.x % 32, row = token + lane / VECTORS, d = lane % VECTORS * 8;
        if (lane >= 16 * SIXTEENS * VECTORS) return;
        const bf16* from = tile + row * PITCH<bf16, Shape::VECTOR> + d;
        bf16* to = qkv + (row * 3 * C + part * C + head * D + d);
#pragma unroll
        for (int n = 0; n < 16 * SIXTEENS; n += 32 / VECTORS) {
            *(uint4*)(to + n * 3 * C) = *(const uint4*)(from + n * PITCH<bf16, Shape::VECTOR>);
        }
    }

    __device__ __forceinline__ Queries queries(const Sums& sums) const {
        Queries own;
        for (int s = 0; s < SIXTEENS; s++) {
            auto words = sums.template words<TILES>(s, 0);
            if constexpr (TILES == 1) {
                own.rows[s][0][0] = words.of[0][0], own.rows[s][0][1] = words.of[0][1];
            } else {
                for (int k = 0; k < TILES / 2; k++) words.get_left(own.rows[s][k], k);
            }
        }
        return own;
    }

    // Weighted values over their weights. Log-sum-exp [T], or null.
    __device__ __forceinline__ void finish(const Queries& own, RowWords<TILES> (&attended)[SIXTEENS], float* lse) const {
        int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
        for (int s = 0; s < SIXTEENS; s++) {
            float sum[2] = {quad_sum(own.sum[s][0]), quad_sum(own.sum[s][1])};
            for (int r = 0; r < 2; r++) {
                float factor = 1.0f / sum[r];
                for (int n = 0; n < TILES; n++) {
                    const float(&y)[4] = own.y[s].sum[n];
                    attended[s].of[n][r] = pack_bf16(y[2 * r] * factor, y[2 * r + 1] * factor);
                }
            }
            float largest = t == 0 ? own.largest[s][0] : own.largest[s][1];
            if (lse != nullptr && t < 2) lse[token + 16 * s + 8 * t + g] = largest * LN_2 + logf(t == 0 ? sum[0] : sum[1]);
        }
    }

    __device__ __forceinline__ void store(const RowWords<TILES> (&attended)[SIXTEENS], bf16* to, int head) const {
        int g = threadIdx.x % 32 / 4;
#pragma unroll
        for (int s = 0; s < SIXTEENS; s++) {
            bf16* row = to + ((token + 16 * s + g) * C + head * D);
            attended[s].store([&](int tile, int next, int below) { return row + below * C + (tile + next) * 8; });
        }
    }

    // y of COLUMNS channels from `column` on: x is added. left(a, s, k) and UNROLLED as TokenSums::add.
    template <int COLUMNS, int UNROLLED, class Filters, class F>
    __device__ __forceinline__ void project(const Filters& filters, int column, F left, const bf16* x, bf16* y) const {
        constexpr int OF_OUT = COLUMNS / 8;
        int row = token + (int)threadIdx.x % 32 / 4;
        auto place = [&](int s, int tile, int next, int below) {
            return (row + 16 * s + below) * C + column + (tile + next) * 8;
        };
        RowWords<OF_OUT> before[SIXTEENS];
#pragma unroll
        for (int s = 0; s < SIXTEENS; s++) {
            for (int n = 0; n < OF_OUT; n++) {
                for (int r = 0; r < 2; r++) {
                    before[s].of[n][r] = *(const unsigned*)(x + place(s, n, 0, 8 * r) + (int)threadIdx.x % 4 * 2);
                }
            }
        }
        TokenSums<C, SIXTEENS, OF_OUT> sums(filters.bias_of_out(column));
        sums.template add<UNROLLED>(left, filters.of_out(column));
#pragma unroll
        for (int s = 0; s < SIXTEENS; s++) {
            for (int n = 0; n < OF_OUT; n++) {
                for (int r = 0; r < 2; r++) {
                    unsigned word = before[s].of[n][r];
                    sums.of[s][n][2 * r] += __uint_as_float(word << 16);
                    sums.of[s][n][2 * r + 1] += __uint_as_float(word & 0xffff0000u);
                }
            }
            sums.template words<OF_OUT>(s, 0).store(
                [&](int tile, int next, int below) { return y + place(s, tile, next, below); });
        }
    }
};

template <class T>
__device__ __forceinline__ T* of_image(T* tensor, int image, int values) {
    return tensor == nullptr ? nullptr : tensor + (int64_t)image * values;
}

// The largest of what WARPS warps have found.
template <int WARPS>
__device__ __forceinline__ float largest_of(const unsigned (&found)[WARPS]) {
    unsigned largest = 0;
#pragma unroll
    for (int w = 0; w < WARPS; w++) largest = max(largest, found[w]);
    return __uint_as_float(largest);
}

// A warp has SIXTEENS times 16 tokens: a head after another.
template <class Shape, int SIXTEENS, bool STREAMED>
__device__ __forceinline__ void attention_block_in_turn(const AttentionBlockArgs& a) {
    using Filters = BlockFilters<Shape, STREAMED>;
    constexpr int T = Shape::TOKENS, C = Shape::CHANNELS, WARPS = T / 16 / SIXTEENS, ALL = C / 8;
    using Norm = BlockNorm<Shape, 32 * WARPS>;
    using Tokens = BlockTokens<Shape, SIXTEENS>;
    DYNAMIC_SHARED(bf16, shared);
    bf16* tile = shared + Filters::FILTERS;
    bf16* keys = tile + Shape::TILE;
    bf16* values = keys + Shape::HEAD_TILE;
    Filters filters {shared, (float*)(values + Shape::HEAD_TILE)};
    Moments* met = (Moments*)(filters.biases + 4 * C);
    __shared__ unsigned longest[3][WARPS]; // queries, which a warp has for itself, keys and values: registers are few
    Norm norm;
    Tokens own {(int)threadIdx.x / 32 * 16 * SIXTEENS};
    const bf16* x = (const bf16*)a.x;

    int image = a.images - 1 - (int)blockIdx.x;
    filters.copy(a);
    norm.copy(tile, of_image(x, image, T * C));
    commit_copies();
#pragma unroll 1
    for (; image >= 0; image -= (int)gridDim.x) {
        wait_copies<0>();
        norm.begin(tile, met);
        __syncthreads(); // all warps' moments are there, and the filters
        norm.finish(a, image, tile, met);
        __syncthreads(); // h is there
        RowWords<ALL> attended[SIXTEENS] = {};
#pragma unroll 1
        for (int head = 0; head < Shape::HEADS; head++) {
            auto qkv = own.multiply(filters, head, tile);
            if (a.qkv != nullptr) own.store_queries(qkv, of_image((bf16*)a.qkv, image, 3 * T * C), head);
            unsigned of_queries = qkv.template longest<Shape::TILES>(0);
            unsigned of_keys = qkv.template longest<Shape::TILES>(Shape::TILES);
            unsigned of_values = qkv.template longest<Shape::TILES>(2 * Shape::TILES);
            __syncthreads(); // nobody reads the head before any more
            own.share(qkv, keys, values);
            if (threadIdx.x % 32 == 0) {
                unsigned* its = &longest[0][threadIdx.x / 32];
                its[0] = of_queries, its[WARPS] = of_keys, its[2 * WARPS] = of_values;
            }
            auto queries = own.queries(qkv);
            if (STREAMED) wait_copies<0>();
            __syncthreads(); // keys and values are there, and the next filters; of the last head: nobody reads h any more
            int next = image - (int)gridDim.x;
            if (STREAMED && (head < Shape::HEADS - 2 || next >= 0)) filters.template copy_heads<1>(a, (head + 2) % Shape::HEADS);
            if (head == Shape::HEADS - 1 && next >= 0) norm.copy(tile, of_image(x, next, T * C));
            commit_copies();
            if (a.qkv != nullptr) {
                own.store_shared(keys, of_image((bf16*)a.qkv, image, 3 * T * C), head, 1);
                own.store_shared(values, of_image((bf16*)a.qkv, image, 3 * T * C), head, 2);
            }
            float of_warp = __uint_as_float(longest[0][threadIdx.x / 32]);
            float squares[3] = {of_warp, largest_of(longest[1]), largest_of(longest[2])};
            queries.meet_head(keys, values, T, a.scale * LOG2_E, squares);
            RowWords<Shape::TILES> one[SIXTEENS];
            own.finish(queries, one, of_image(a.lse, image * Shape::HEADS + head, T));
            if (a.attended != nullptr) own.store(one, of_image((bf16*)a.attended, image, T * C), head);
            // Those of all heads move up, so that registers need no index.
#pragma unroll
            for (int s = 0; s < SIXTEENS; s++) {
#pragma unroll
                for (int n = 0; n < ALL; n++) {
                    const auto& from = n + Shape::TILES < ALL ? attended[s].of[(n + Shape::TILES) % ALL]
                                                              : one[s].of[(n + Shape::TILES) % Shape::TILES];
                    for (int r = 0; r < 2; r++) attended[s].of[n][r] = from[r];
                }
            }
        }
#pragma unroll 1
        for (int column = 0; column < C; column += 32) {
            own.template project<32, C / 32>(
                filters, column, [&](unsigned(&left)[4], int s, int k) { attended[s].get_left(left, k); },
                of_image(x, image, T * C), of_image((bf16*)a.y, image, T * C));
        }
    }
}

// 64 tokens, 4 warps to a head: all heads at once.
template <class Shape>
__device__ __forceinline__ void attention_block_by_heads(const AttentionBlockArgs& a) {
    constexpr int T = Shape::TOKENS, C = Shape::CHANNELS, OF_HEAD = T / 16, THREADS = 32 * OF_HEAD * Shape::HEADS;
    using Norm = BlockNorm<Shape, THREADS>;
    using Tokens = BlockTokens<Shape, 1>;
    DYNAMIC_SHARED(bf16, shared);
    using Filters = BlockFilters<Shape, false>;
    bf16* tiles = shared + Filters::FILTERS; // [2,TILE]
    int warp = threadIdx.x / 32, head = warp / OF_HEAD;
    bf16* keys = tiles + 2 * Shape::TILE + head * 2 * Shape::HEAD_TILE;
    bf16* values = keys + Shape::HEAD_TILE;
    Filters filters {shared, (float*)(tiles + 2 * Shape::TILE + Shape::HEADS * 2 * Shape::HEAD_TILE)};
    Moments* met = (Moments*)(filters.biases + 4 * C);
    __shared__ unsigned longest[Shape::HEADS][2][OF_HEAD];
    Norm norm;
    Tokens own {warp % OF_HEAD * 16};
    const bf16* x = (const bf16*)a.x;

    int image = a.images - 1 - (int)blockIdx.x;
    filters.copy(a);
    norm.copy(tiles, of_image(x, image, T * C));
    commit_copies();
    bf16 *tile = tiles, *other = tiles + Shape::TILE;
#pragma unroll 1
    for (; image >= 0; image -= (int)gridDim.x) {
        wait_copies<0>();
        norm.begin(tile, met);
        __syncthreads(); // all warps' moments are there, and the filters; nobody reads the other tile any more
        int next = image - (int)gridDim.x;
        if (next >= 0) norm.copy(other, of_image(x, next, T * C));
        commit_copies();
        norm.finish(a, image, tile, met);
        __syncthreads(); // h is there
        auto qkv = own.multiply(filters, head, tile);
        if (a.qkv != nullptr) own.store_queries(qkv, of_image((bf16*)a.qkv, image, 3 * T * C), head);
        own.share(qkv, keys, values);
        auto queries = own.queries(qkv);
        float squares[3] = {__uint_as_float(qkv.template longest<Shape::TILES>(0)), 0, 0};
        unsigned of_keys = qkv.template longest<Shape::TILES>(Shape::TILES);
        unsigned of_values = qkv.template longest<Shape::TILES>(2 * Shape::TILES);
        if (threadIdx.x % 32 == 0) longest[head][0][warp % OF_HEAD] = of_keys, longest[head][1][warp % OF_HEAD] = of_values;
        __syncthreads(); // keys and values are there, and nobody reads h any more
        if (a.qkv != nullptr) {
            own.store_shared(keys, of_image((bf16*)a.qkv, image, 3 * T * C), head, 1);
            own.store_shared(values, of_image((bf16*)a.qkv, image, 3 * T * C), head, 2);
        }
        squares[1] = largest_of(longest[head][0]), squares[2] = largest_of(longest[head][1]);
        queries.meet_head(keys, values, T, a.scale * LOG2_E, squares);
        RowWords<Shape::TILES> attended[1];
        own.finish(queries, attended, of_image(a.lse, image * Shape::HEADS + head, T));
        if (a.attended != nullptr) own.store(attended, of_image((bf16*)a.attended, image, T * C), head);
        int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
        for (int n = 0; n < Shape::TILES; n++) {
            bf16* to = tile + (own.token + g) * Shape::ROW + head * Shape::DEPTH + 8 * n + 2 * t;
            for (int r = 0; r < 2; r++) *(unsigned*)(to + 8 * r * Shape::ROW) = attended[0].of[n][r];
        }
        __syncthreads(); // what all heads attended to is there
        own.template project<C / Shape::HEADS, 1>(
            filters, head * (C / Shape::HEADS),
            [&](unsigned(&left)[4], int, int k) { load_left<C>(left, tile, own.token, k); }, of_image(x, image, T * C),
            of_image((bf16*)a.y, image, T * C));
        bf16* used = tile;
        tile = other, other = used;
    }
}

#define ATTENTION_BLOCK(function, ...) function<__VA_ARGS__>(a)

#else

#define ATTENTION_BLOCK(function, ...)

#endif

// Blocks on a multiprocessor, and of the entry for replicas, which needs registers to find its arguments.
#define IN_TURN(T, C, D, G, SIXTEENS, STREAMED, BLOCKS, REPLICA_BLOCKS)                                                            \
    KERNEL_RESIDENT_ROOMY(attention_block_sm90_##T##x##C##x##D##_##G, AttentionBlockArgs, 2 * T / SIXTEENS, BLOCKS, REPLICA_BLOCKS) { \
        ATTENTION_BLOCK(attention_block_in_turn, BlockShape<T, C, D, G>, SIXTEENS, STREAMED);                                   \
    }
#define BY_HEADS(T, C, D, G)                                                                      \
    KERNEL_RESIDENT(attention_block_sm90_##T##x##C##x##D##_##G, AttentionBlockArgs, 2 * T * C / D, 1) { \
        ATTENTION_BLOCK(attention_block_by_heads, BlockShape<T, C, D, G>);                        \
    }

// Study 1's U-Net of 32 channels, of 16, at 8x8 pixels of 8, and at 16x16 of 64: four heads, eight groups.
IN_TURN(256, 64, 16, 8, 2, false, 2, 1)
BY_HEADS(64, 128, 32, 16)
IN_TURN(256, 32, 8, 4, 2, false, 2, 2)
BY_HEADS(64, 64, 16, 8)
IN_TURN(64, 32, 8, 4, 1, false, 4, 4)
KERNEL_RESIDENT(attention_block_sm90_256x128x32_16, AttentionBlockArgs, 512, 1) {
    ATTENTION_BLOCK(attention_block_in_turn, BlockShape<256, 128, 32, 16>, 1, true);
}
