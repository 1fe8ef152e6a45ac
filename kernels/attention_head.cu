// attention_head.cu: multi-head self-attention with exact softmax, forward, a block to a head of few tokens and short
// vectors, in bf16 on tensor cores.
//
// Math         as attention_mma.cu
// Shapes       as attention_mma.cu
// Layout       D fastest
// Requires     T a multiple of 32, at most 256; D a multiple of 4, at most the number in the kernel's name; qkv and y aligned
//              to 16 bytes
// Tiling       a block of T threads owns a head, whose queries, keys and values are in shared memory as a whole: 36 KiB at T =
//              256, D = 16, 60 at D = 32. A warp has 32 queries, so what is read of keys and values serves twice as many
//              as in attention_mma.cu, and nothing but a head's vectors is loaded; what about the next block on the
//              multiprocessor reads comes to L2 meanwhile. _8: rows are those for 16, products of
//              scores have half the depth, those with values half the columns
// Numerics     f32 sums on tensor cores. Where |q| |k| log2(e) / sqrt D is at most 60 for the longest query and key, no weight
//              needs a maximum beside it: exp(s) lies between 2^-60 and 2^60, and precision is relative (values longer than
//              2^58 would overflow, and have one). Else the maximum of
//              a query's scores is found first, by products that are made again for the weights. Weights by ex2.approx (2 ulp),
//              without a maximum every fourth by a polynomial (2.7e-6), of scores rounded to 60 * 2^-24 (2.5e-6 of a weight);
//              rounded to bf16 for the second product, not for their sum
// Determinism  run-to-run: fixed order, no atomics
// Cost         4 T^2 D flop per head, T^2 exponentials. For 32 queries and 16 keys of a warp, D = 16: 98 instructions, and 96
//              cycles of the unit for exponentials, which four warps share; a polynomial takes 8 instructions, so that a
//              quarter of the weights balances the two. T = 256, D = 16, 2,048 heads: 28 and 27 us at 1.75 GHz, 16 us for the
//              bytes. On an H200 60 us (attention_mma.cu 70), T = 64, D = 32 15.1 us: by ncu a quarter of the instructions is
//              before and behind the loop, which takes half of a block's time (T = 64: a seventh), and four schedulers issue
//              2.5 a cycle. With what comes to L2 not measured
// Reference    AttentionReference (double). Milakov and Gimelshein 2018, arXiv:1805.02867, section 2: what the maximum is for
#include "attention_queries.cuh"
#include "packed.cuh"

constexpr int HEAD_TOKENS = 256; // at most

// Of a row of a tile. Square length; NaN if a value is.
template <int DEPTH>
__device__ __forceinline__ float square_length(const bf16* row) {
    float sum = 0;
#pragma unroll
    for (int d = 0; d < DEPTH; d += 8) {
        float values[8];
        unpack(*(const uint4*)(row + d), values);
        for (int i = 0; i < 8; i++) sum = fmaf(values[i], values[i], sum);
    }
    return sum;
}

// Of each of three numbers the largest that a thread has; none is negative. NaN if one is. `met` [3,warps], shared.
__device__ __forceinline__ void largest_of_block(float (&numbers)[3], unsigned (&met)[3][HEAD_TOKENS / 32]) {
    int warp = threadIdx.x / 32, warps = blockDim.x / 32;
#pragma unroll
    for (int i = 0; i < 3; i++) {
        unsigned largest = __reduce_max_sync(~0u, __float_as_uint(numbers[i]) & 0x7fffffffu); // ordered as they are, NaN last
        if (threadIdx.x % 32 == 0) met[i][warp] = largest;
    }
    __syncthreads(); // those of all warps are there
#pragma unroll
    for (int i = 0; i < 3; i++) {
        unsigned largest = 0;
#pragma unroll
        for (int w = 0; w < HEAD_TOKENS / 32; w++) largest = max(largest, w < warps ? met[i][w] : 0u);
        numbers[i] = __uint_as_float(largest);
    }
}

template <int DEPTH, Vectors ARE>
__device__ __forceinline__ void attention_head(const AttentionMmaArgs& a) {
    DYNAMIC_SHARED(bf16, queries); // [T,PITCH], then keys and values
    __shared__ unsigned met[3][HEAD_TOKENS / 32];
    HeadPlace head(a, gridDim.x - 1 - blockIdx.x); // from the last: norm_warps.cuh
    const bf16* keys = queries + a.tokens * PITCH<bf16, DEPTH>;
    const bf16* values = keys + a.tokens * PITCH<bf16, DEPTH>;
    int row = threadIdx.x & ~31; // a warp has as many queries as threads
    float scale = a.scale * LOG2_E;

    load_head<DEPTH, 3>(queries, head.part((const bf16*)a.qkv, 0), head.width);
    commit_copies();
    prefetch_head<3>(head, head.part((const bf16*)a.qkv, 0), head.width, a.ahead);
    wait_copies<0>();
    __syncthreads(); // the head is there
    int own_row = threadIdx.x * PITCH<bf16, DEPTH>;
    float longest[3]; // query, key and value, squared
#pragma unroll
    for (int i = 0; i < 3; i++) longest[i] = square_length<DEPTH>(queries + i * a.tokens * PITCH<bf16, DEPTH> + own_row);
    largest_of_block(longest, met);
    HeadQueries<DEPTH, ARE> own(queries, row);
    own.meet_head(keys, values, a.tokens, scale, longest);
    own.store(head.vectors((bf16*)a.y), head.numbers(a.lse), row);
}

KERNEL_RESIDENT(attention_head_bf16_mma_8, AttentionMmaArgs, HEAD_TOKENS, 3) { attention_head<16, Vectors::HALF>(a); }
KERNEL_RESIDENT(attention_head_bf16_mma_16, AttentionMmaArgs, HEAD_TOKENS, 3) { attention_head<16, Vectors::WHOLE>(a); }
KERNEL_RESIDENT(attention_head_bf16_mma_32, AttentionMmaArgs, HEAD_TOKENS, 2) { attention_head<32, Vectors::WHOLE>(a); }
