// tests.cu: kernels for the tests of the stand-in itself; some are wrong on purpose. Not part of the fat binary.
#include "async_copy.cuh"
#include "mma.cuh"
#include "reduce.cuh"

struct TestArgs {
    const float* x; // [n]
    float* y;
    int64_t n;
    float factor;
};
LAYOUT(TestArgs, x, y, n, factor)

KERNEL(test_scale, TestArgs, 256) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i < a.n) a.y[i] = a.factor * a.x[i];
}

// y[i] += factor, so that the order of launches shows
KERNEL(test_step, TestArgs, 256) {
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    if (i < a.n) a.y[i] = a.factor * a.y[i] + a.x[i];
}

// y[block] = sum of the block's x
KERNEL(test_block_sum, TestArgs, 1024) {
    __shared__ float scratch[32];
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    float sum = block_sum(i < a.n ? a.x[i] : 0.0f, scratch);
    if (threadIdx.x == 0) a.y[blockIdx.x] = sum;
}

// y = x reversed within the block; `factor` 0 leaves out the barrier
KERNEL(test_reverse, TestArgs, 256) {
    DYNAMIC_SHARED(float, tile);
    int64_t i = blockIdx.x * (int64_t)blockDim.x + threadIdx.x;
    tile[threadIdx.x] = a.x[i];
    if (a.factor != 0) __syncthreads();
    a.y[i] = tile[blockDim.x - 1 - threadIdx.x];
}

// Thread 3 of block 1 leaves before the barrier that thread 5 waits at, and half a warp misses a shuffle
KERNEL(test_deadlock, TestArgs, 64) {
    if (a.factor == 0) {
        if (blockIdx.x == 1 && threadIdx.x >= 32) barrier_sync(1, 64);
    } else if (threadIdx.x != 3) {
        a.y[threadIdx.x] = __shfl_sync(~0u, a.x[threadIdx.x], 0);
    }
}

// Lanes of one warp meet in different operations
KERNEL(test_divergence, TestArgs, 32) {
    if (threadIdx.x < 16) {
        a.y[threadIdx.x] = warp_sum(a.x[threadIdx.x]);
    } else {
        __syncwarp();
    }
}

// y = x through shared memory by asynchronous copies; `factor` 0 leaves out the wait
KERNEL(test_async_copy, TestArgs, 128) {
    DYNAMIC_SHARED(float, tile);
    int i = threadIdx.x;
    copy_async<4>(tile + i, a.x + i, i < a.n);
    commit_copies();
    if (a.factor != 0) wait_copies<0>();
    __syncthreads();
    a.y[i] = tile[i];
}

// Writes `factor` elements behind the end
KERNEL(test_overrun, TestArgs, 32) {
    if (threadIdx.x == 0) a.y[a.n - 1 + (int)a.factor] = 1.0f;
}

// Writes `factor` elements behind the shared memory of a thread each
KERNEL(test_shared_overrun, TestArgs, 32) {
    DYNAMIC_SHARED(float, tile);
    tile[threadIdx.x] = a.x[threadIdx.x];
    if (threadIdx.x == 0 && a.factor != 0) tile[blockDim.x - 1 + (int)a.factor] = 1.0f;
    a.y[threadIdx.x] = tile[threadIdx.x];
}

struct ProductArgs {
    const bf16* a_matrix; // [16,16]
    const bf16* b_matrix; // [16,8]
    const float* x;       // [16,8]
    const float* w;       // [8,8]
    float* y;             // [16,8]  A B
    float* z;             // [16,8]  X W in TF32
};
LAYOUT(ProductArgs, a_matrix, b_matrix, x, w, y, z)

KERNEL(test_products, ProductArgs, 32) {
    __shared__ __align__(16) bf16 left[16][16];
    __shared__ __align__(16) bf16 right[16][8];
    int lane = threadIdx.x, g = lane / 4, t = lane % 4;
    for (int i = lane; i < 256; i += 32) left[i / 16][i % 16] = a.a_matrix[i];
    for (int i = lane; i < 128; i += 32) right[i / 8][i % 8] = a.b_matrix[i];
    __syncwarp(); // both are there
    unsigned af[4], bf[2];
    load_matrix<4>(af, &left[lane % 16][lane / 16 * 8]);
    load_matrix<2, true>(bf, &right[lane % 16][0]);
    float d[4] = {0, 0, 0, 0};
    mma_bf16(d, af, bf);
    for (int r = 0; r < 4; r++) a.y[(g + r / 2 * 8) * 8 + 2 * t + r % 2] = d[r];

    unsigned xf[4], wf[2];
    for (int r = 0; r < 4; r++) xf[r] = to_tf32(a.x[(g + r % 2 * 8) * 8 + t + r / 2 * 4]);
    for (int r = 0; r < 2; r++) wf[r] = to_tf32(a.w[(t + r * 4) * 8 + g]);
    float e[4] = {0, 0, 0, 0};
    mma_tf32(e, xf, wf);
    for (int r = 0; r < 4; r++) a.z[(g + r / 2 * 8) * 8 + 2 * t + r % 2] = e[r];
}
