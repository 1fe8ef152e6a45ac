// nearest_scan.cu: lower bounds of all squared distances on tensor cores, of which the two least of every 32 references
// are kept. The first pass of the exact nearest-neighbour search.
//
// Math         key[q,r] = (c[r] - s[q,r]) - X[q] e[q,r],  s = the product of the hi parts; |q - r|^2 >= base[q] + 2 key
//              c, e and X as in common/nearest.cuh, x_lo/X the largest of the block's queries
// Shapes       queries [padded queries,depth], references [padded references,depth] bf16 or s8   terms of both
//              groups [padded queries,padded references/32] NearestGroup
// Layout       depth fastest, rows of depthBytes, zeros behind d
// Requires     depthBytes % 64 == 0, padded queries % 128 == 0, padded references % 256 == 0; 256 threads; s8: depth at
//              most 131,071, so that a sum fits in 32 bits
// Tiling       128 queries x 256 references per block, 64 x 64 per warp (128 sums a thread: one block on a
//              multiprocessor), 64 bytes of depth at a time, four stages of 24 KiB in shared memory, of which three are
//              on their way: 99 KiB fit on every architecture from 8.0 on. A block goes on to the next 256 references
//              without waiting: their first stages are on their way while the keys are made.
// Numerics     f32 sums in the order of the tensor cores, which the bound allows for; s8: exact. The low five bits of a
//              key name the reference of its group
// Determinism  a fixed order; minima do not depend on it
// Cost         2 m n d flops, 8 bytes per 32 pairs: compute-bound from d = 64 on. 10,000 x 32,768 x 1,024: 671 Gflop,
//              0.85 ms at 790 TFLOP/s
// Reference    NearestNeighboursReference; common/nearest.cuh
#include "async_copy.cuh"
#include "mma.cuh"
#include "nearest.cuh"

struct NearestScanArgs {
    const void* queries;                 // [padded queries,depthBytes]
    const void* references;              // [padded references,depthBytes]
    const NearestTerms* query_terms;     // [padded queries]
    const NearestTerms* reference_terms; // [padded references]
    NearestGroup* groups;                // [padded queries,tiles*8]
    int depth_bytes;
    int tiles;      // of 256 references
    int block_tiles; // of a block: tiles blockIdx.x*block_tiles ..
    float gamma;
};
LAYOUT(NearestScanArgs, queries, references, query_terms, reference_terms, groups, depth_bytes, tiles, block_tiles, gamma)

struct NearestScan {
    static constexpr int QUERIES = 128, REFERENCES = 256, WARP = 64, THREADS = 256, STAGES = 4, STEP = 64; // bytes
    static constexpr int STAGE_BYTES = (QUERIES + REFERENCES) * STEP, STAGED = STAGES * STAGE_BYTES;
    static constexpr int DOWN = WARP / 16, ACROSS = WARP / 8, ROWS = DOWN * 2; // mma tiles; rows of a thread
};

// Loads of one thread: 16 bytes of every 64th query and reference, a stage after the other over all tiles of the block.
struct NearestLoader {
    const char* queries;
    const char* references;
    int64_t pitch;
    int place, step = 0, steps;

    __device__ __forceinline__ NearestLoader(const NearestScanArgs& a, int first_tile)
        : pitch(a.depth_bytes), steps(a.depth_bytes / NearestScan::STEP) {
        int line = threadIdx.x / 4, part = threadIdx.x % 4;
        queries = static_cast<const char*>(a.queries) + (blockIdx.y * (int64_t)NearestScan::QUERIES + line) * pitch + part * 16;
        references = static_cast<const char*>(a.references)
                     + (first_tile * (int64_t)NearestScan::REFERENCES + line) * pitch + part * 16;
        place = nearest_place(line, part);
    }

    __device__ __forceinline__ void load(unsigned char* stage) {
#pragma unroll
        for (int i = 0; i < NearestScan::QUERIES / 64; i++) {
            copy_async<16>(stage + place + i * 64 * NearestScan::STEP, queries + i * 64 * pitch);
        }
        stage += NearestScan::QUERIES * NearestScan::STEP;
#pragma unroll
        for (int i = 0; i < NearestScan::REFERENCES / 64; i++) {
            copy_async<16>(stage + place + i * 64 * NearestScan::STEP, references + i * 64 * pitch);
        }
        queries += NearestScan::STEP;
        references += NearestScan::STEP;
        if (++step == steps) { // the same queries, the next references
            step = 0;
            queries -= pitch;
            references += (NearestScan::REFERENCES - 1) * pitch;
        }
    }
};

__device__ __forceinline__ void product(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) { mma_bf16(d, a, b); }
__device__ __forceinline__ void product(int (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) { mma_s8(d, a, b); }

template <class Sum> // float: bf16, int: s8
struct NearestTile {
    using Scan = NearestScan;
    Sum sum[Scan::DOWN][Scan::ACROSS][4];

    __device__ __forceinline__ static int warp_row() { return (int)threadIdx.x / 128 * Scan::WARP; }
    __device__ __forceinline__ static int warp_column() { return (int)threadIdx.x / 32 % 4 * Scan::WARP; }

    __device__ __forceinline__ void clear() {
#pragma unroll
        for (int i = 0; i < Scan::DOWN; i++) {
#pragma unroll
            for (int j = 0; j < Scan::ACROSS; j++) {
#pragma unroll
                for (int r = 0; r < 4; r++) sum[i][j][r] = 0;
            }
        }
    }

    __device__ __forceinline__ void multiply(const unsigned char* stage) {
        int lane = threadIdx.x % 32;
        int row = warp_row() + lane % 16, column = warp_column() + lane % 8 + lane / 16 * 8;
        const unsigned char* queries = stage;
        const unsigned char* references = stage + Scan::QUERIES * Scan::STEP;
#pragma unroll
        for (int k = 0; k < 2; k++) {
            unsigned a[Scan::DOWN][4], b[Scan::ACROSS / 2][4];
#pragma unroll
            for (int i = 0; i < Scan::DOWN; i++) {
                load_matrix<4>(a[i], queries + nearest_place(row, 2 * k + lane / 16) + i * 16 * Scan::STEP);
            }
#pragma unroll
            for (int j = 0; j < Scan::ACROSS / 2; j++) {
                load_matrix<4>(b[j], references + nearest_place(column, 2 * k + lane / 8 % 2) + j * 16 * Scan::STEP);
            }
#pragma unroll
            for (int i = 0; i < Scan::DOWN; i++) {
#pragma unroll
                for (int j = 0; j < Scan::ACROSS; j++) {
                    unsigned right[2] = {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]};
                    product(sum[i][j], a[i], right);
                }
            }
        }
    }

    // `constants` [256]: c and e of the tile's references; `norms` [128]: X.
    __device__ __forceinline__ void store_groups(const NearestScanArgs& a, int tile, const float2* constants, const float* norms) const {
        int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
        float first[Scan::ROWS], second[Scan::ROWS], norm[Scan::ROWS];
#pragma unroll
        for (int row = 0; row < Scan::ROWS; row++) {
            first[row] = second[row] = 2 * NEAREST_LARGE;
            norm[row] = norms[warp_row() + row * 8 + g];
        }
#pragma unroll
        for (int j = 0; j < Scan::ACROSS; j++) {
            float4 two = *reinterpret_cast<const float4*>(constants + warp_column() + 8 * j + 2 * t);
#pragma unroll
            for (int row = 0; row < Scan::ROWS; row++) {
#pragma unroll
                for (int i = 0; i < 2; i++) {
                    float s = (float)sum[row / 2][j][row % 2 * 2 + i];
                    float key = fmaf(-norm[row], i == 0 ? two.y : two.w, (i == 0 ? two.x : two.z) - s);
                    key = nearest_key(key, 4 * j + i);
                    second[row] = fminf(second[row], fmaxf(first[row], key));
                    first[row] = fminf(first[row], key);
                }
            }
        }
        int64_t groups = a.tiles * (int64_t)(Scan::REFERENCES / NEAREST_MEMBERS);
        NearestGroup* to = a.groups + (blockIdx.y * (int64_t)Scan::QUERIES + warp_row() + g) * groups
                           + (tile * Scan::REFERENCES + warp_column()) / NEAREST_MEMBERS + t / 2;
#pragma unroll
        for (int row = 0; row < Scan::ROWS; row++) { // a pair of lanes holds a group
            float mine = __uint_as_float(__float_as_uint(first[row]) | t % 2 * 2u);
            float other = __shfl_xor_sync(~0u, mine, 1), other_second = __shfl_xor_sync(~0u, second[row], 1);
            NearestGroup group = {fminf(mine, other), fminf(fmaxf(mine, other), fminf(second[row], other_second))};
            if (t % 2 == 0) to[row * 8 * groups] = group;
        }
    }
};

// After the stages in shared memory.
struct NearestConstants {
    float2 reference[NearestScan::REFERENCES]; // c, e
    float norm[NearestScan::QUERIES];          // X
    float ratio[NearestScan::THREADS / 32];    // largest x_lo/X of a warp's queries
};

// The largest x_lo/X of the block's queries, rounded up.
__device__ __forceinline__ float load_queries(const NearestScanArgs& a, NearestConstants& constants) {
    float ratio = 0;
    if (threadIdx.x < NearestScan::QUERIES) {
        NearestTerms terms = a.query_terms[blockIdx.y * (int64_t)NearestScan::QUERIES + threadIdx.x];
        constants.norm[threadIdx.x] = terms.norm;
        if (terms.norm > 0) ratio = terms.low / terms.norm * (1 + 0x1p-20f);
    }
    ratio = warp_max(ratio);
    if (threadIdx.x % 32 == 0) constants.ratio[threadIdx.x / 32] = ratio;
    __syncthreads(); // norms and ratios are there
    for (float other : constants.ratio) ratio = fmaxf(ratio, other);
    return ratio;
}

template <class Sum>
__device__ __forceinline__ void nearest_scan(const NearestScanArgs& a) {
    using Scan = NearestScan;
    DYNAMIC_SHARED(unsigned char, shared);
    auto& constants = *reinterpret_cast<NearestConstants*>(shared + Scan::STAGED);
    int tile = blockIdx.x * a.block_tiles, end = min(tile + a.block_tiles, a.tiles);
    if (tile >= end) return;
    NearestLoader loader(a, tile);
    int total = (end - tile) * loader.steps, loaded = 0;
    auto load = [&]() {
        if (loaded < total) loader.load(shared + loaded % Scan::STAGES * Scan::STAGE_BYTES);
        loaded++;
        commit_copies(); // an empty group too: the count of groups is the count of stages
    };
    for (int i = 0; i < Scan::STAGES - 1; i++) load();
    float ratio = load_queries(a, constants);
    NearestTile<Sum> sums;
    sums.clear();
    for (int i = 0, step = 0; i < total; i++) {
        wait_copies<Scan::STAGES - 2>();
        __syncthreads(); // this stage is there, and nobody reads the one before, which is loaded over
        load();
        sums.multiply(shared + i % Scan::STAGES * Scan::STAGE_BYTES);
        if (++step < loader.steps) continue;
        NearestTerms terms = a.reference_terms[tile * (int64_t)Scan::REFERENCES + threadIdx.x];
        float e = (ratio * terms.norm + terms.low + (a.gamma + 0x1p-17f) * terms.norm) * (1 + 0x1p-20f);
        constants.reference[threadIdx.x] = make_float2(terms.half, e);
        __syncthreads(); // the constants of all references are there; those of the tile before were read long ago
        sums.store_groups(a, tile, constants.reference, constants.norm);
        sums.clear();
        tile++;
        step = 0;
    }
    wait_copies<0>();
}

static_assert(NearestScan::STAGED + sizeof(NearestConstants) <= 101376, "99 KiB, what every architecture from 8.0 on has");

KERNEL(nearest_scan_bf16, NearestScanArgs, 256) { nearest_scan<float>(a); }

KERNEL(nearest_scan_s8, NearestScanArgs, 256) { nearest_scan<int>(a); }
