// group_norm.cuh: the arguments of the kernels of group normalisation, forward and backward.
#pragma once
#include "norm.cuh"

struct GroupNormArgs {
    const void* x;      // [N,P,first]
    const float* gamma; // [C]
    const float* beta;  // [C]
    void* y;            // [N,P,C]
    float* mean;        // [N,G]
    float* rstd;        // [N,G]
    int64_t pixels;
    int channels;
    int groups;
    int per_group; // C/G
    int slice; // channels of a block, or of a warp; not for `_any`
    int silu;
    float eps;
    int first;      // channels of x. These two stand here because ptxas needs fewer registers than with x
    const void* x2; // [N,P,C-first]; not read if first is C
    const int32_t* step; // of a dropout of y's channels, as in random.cu; null if there is none. `_warps` only
    int64_t first_word;
    uint64_t seed;
    int purpose;
    uint32_t threshold;
    float kept; // 1 / (1 - rate)
    int images;
    int stages; // images that a block of `_staged` has in shared memory, 1 or 2
    int rounds; // pixels of a thread, of `_staged`: rounded up
    int ahead;  // images after which a multiprocessor has its next block; `_warps_4` only
};
LAYOUT(GroupNormArgs, x, gamma, beta, y, mean, rstd, pixels, channels, groups, per_group, slice, silu, eps, first, x2,
       step, first_word, seed, purpose, threshold, kept, images, stages, rounds, ahead)

struct GroupNormBackwardArgs {
    const void* dy;     // [N,P,C]
    const void* x;      // [N,P,first]
    const float* gamma; // [C]
    const float* beta;  // [C]
    const float* mean;  // [N,G]
    const float* rstd;  // [N,G]
    const void* addend; // [N,P,first], or null
    void* dx;           // [N,P,first]
    float* sums;        // [2,N,C]
    int64_t images;
    int64_t pixels;
    int channels;
    int groups;
    int per_group; // C/G
    int slice; // channels of a block, or of a warp; not for `_sums` and `_any`
    int silu;
    int first;      // channels of x and dx
    const void* x2; // [N,P,C-first]; not read if first is C
    void* dx2;      // the same
    const void* addend2; // the same, or null
    const int32_t* step; // of a dropout of dy's channels, as above
    int64_t first_word;
    uint64_t seed;
    int purpose;
    uint32_t threshold;
    float kept;
    void* totals; // [N,C], sums of dx over the pixels. `_totals` only
    int rounds;   // pixels of a thread, of `_staged`: rounded up
    int ahead;    // images after which a multiprocessor has its next block; `_warps` only
};
LAYOUT(GroupNormBackwardArgs, dy, x, gamma, beta, mean, rstd, addend, dx, sums, images, pixels, channels, groups, per_group, slice,
       silu, first, x2, dx2, addend2, step, first_word, seed, purpose, threshold, kept, totals, rounds, ahead)
