// nearest_scan.cu: lower bounds of all squared distances on tensor cores, of which the two least of every 32 references
// are kept. The first pass of the exact nearest-neighbour search.
//
// Math         key[q,r] = (c[r] - s[q,r]) - X[q] e[q,r],  s = the product of the hi parts; |q - r|^2 >= base[q] + 2 key
//              c, e and X as in common/nearest.cuh, x_lo/X the largest of the block's queries
// Shapes       queries [padded queries,depth], references [padded references,depth] bf16 or s8   terms of both
//              groups [padded queries,padded references/32] NearestGroup
// Layout       vectors in tiles (nearest_at), zeros behind d
// Requires     depthBytes % 128 == 0, padded queries % 128 == 0, padded references % 256 == 0; 256 threads; s8: depth at
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
#include "nearest_scan.cuh"

struct NearestScan {
    static constexpr int QUERIES = 128, REFERENCES = NEAREST_REFERENCES, WARP = 64, THREADS = 256, STAGES = 4, STEP = 64; // bytes
    static constexpr int STAGE_BYTES = (QUERIES + REFERENCES) * STEP, STAGED = STAGES * STAGE_BYTES;
    static constexpr int DOWN = WARP / 16, ACROSS = WARP / 8, ROWS = DOWN * 2; // mma tiles; rows of a thread

    // Eight neighbouring lines of 64 bytes in different banks.
    __device__ __forceinline__ static int place(int line, int part) { return line * STEP + ((part ^ (line / 2 & 3)) * 16); }
};

// Loads of one thread: 16 bytes of every 64th query and reference, a stage after the other over all tiles of the block.
struct NearestLoader {
    const char* queries;
    const char* references;
    int64_t pitch; // of 64 vectors
    int from, to, step = 0, steps;

    __device__ __forceinline__ NearestLoader(const NearestScanArgs& a, int first_tile)
        : pitch(a.depth_bytes * 64LL), steps(a.depth_bytes / NearestScan::STEP) {
        int line = threadIdx.x / 4, part = threadIdx.x % 4;
        queries = static_cast<const char*>(a.queries) + blockIdx.y * (int64_t)NearestScan::QUERIES / 64 * pitch;
        references = static_cast<const char*>(a.references) + first_tile * (int64_t)NearestScan::REFERENCES / 64 * pitch;
        from = (int)nearest_at(line, part * 16, 128);
        to = NearestScan::place(line, part);
    }

    __device__ __forceinline__ void load(unsigned char* stage) {
#pragma unroll
        for (int i = 0; i < NearestScan::QUERIES / 64; i++) {
            copy_async<16>(stage + to + i * 64 * NearestScan::STEP, queries + from + i * pitch);
        }
        stage += NearestScan::QUERIES * NearestScan::STEP;
#pragma unroll
        for (int i = 0; i < NearestScan::REFERENCES / 64; i++) {
            copy_async<16>(stage + to + i * 64 * NearestScan::STEP, references + from + i * pitch);
        }
        from ^= NearestScan::STEP; // the other half of the lines
        if (++step % 2 != 0) return;
        queries += NEAREST_TILE_BYTES;
        references += NEAREST_TILE_BYTES;
        if (step == steps) { // the same queries, the next references
            step = 0;
            queries -= pitch;
            references += (NearestScan::REFERENCES / 64 - 1) * pitch;
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
                load_matrix<4>(a[i], queries + NearestScan::place(row, 2 * k + lane / 16) + i * 16 * Scan::STEP);
            }
#pragma unroll
            for (int j = 0; j < Scan::ACROSS / 2; j++) {
                load_matrix<4>(b[j], references + NearestScan::place(column, 2 * k + lane / 8 % 2) + j * 16 * Scan::STEP);
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
        NearestLeast least[Scan::ROWS];
        float norm[Scan::ROWS];
#pragma unroll
        for (int row = 0; row < Scan::ROWS; row++) norm[row] = norms[warp_row() + row * 8 + g];
#pragma unroll
        for (int j = 0; j < Scan::ACROSS; j++) {
            float4 two = *reinterpret_cast<const float4*>(constants + warp_column() + 8 * j + 2 * t);
#pragma unroll
            for (int row = 0; row < Scan::ROWS; row++) {
                const Sum(&s)[4] = sum[row / 2][j];
                least[row].offer(s[row % 2 * 2], s[row % 2 * 2 + 1], norm[row], two, j);
            }
        }
        int64_t groups = a.tiles * (int64_t)(Scan::REFERENCES / NEAREST_MEMBERS);
        NearestGroup* to = a.groups + (blockIdx.y * (int64_t)Scan::QUERIES + warp_row() + g) * groups
                           + (tile * Scan::REFERENCES + warp_column()) / NEAREST_MEMBERS + t / 2;
#pragma unroll
        for (int row = 0; row < Scan::ROWS; row++) {
            NearestGroup group = least[row].of_pair();
            if (t % 2 == 0) to[row * 8 * groups] = group;
        }
    }
};

using BlockConstants = NearestConstants<NearestScan::QUERIES, NearestScan::THREADS>;

template <class Sum>
__device__ __forceinline__ void nearest_scan(const NearestScanArgs& a) {
    using Scan = NearestScan;
    DYNAMIC_SHARED(unsigned char, shared);
    auto& constants = *reinterpret_cast<BlockConstants*>(shared + Scan::STAGED);
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
    float ratio = constants.load_queries(a);
    NearestTile<Sum> sums;
    sums.clear();
    for (int i = 0, step = 0; i < total; i++) {
        wait_copies<Scan::STAGES - 2>();
        __syncthreads(); // this stage is there, and nobody reads the one before, which is loaded over
        load();
        sums.multiply(shared + i % Scan::STAGES * Scan::STAGE_BYTES);
        if (++step < loader.steps) continue;
        constants.load_references(a, tile, ratio);
        __syncthreads(); // the constants of all references are there; those of the tile before were read long ago
        sums.store_groups(a, tile, constants.reference, constants.norm);
        sums.clear();
        tile++;
        step = 0;
    }
    wait_copies<0>();
}

static_assert(NearestScan::STAGED + sizeof(BlockConstants) <= 101376, "99 KiB, what every architecture from 8.0 on has");

KERNEL_ALONE(nearest_scan_bf16, NearestScanArgs, 256) { nearest_scan<float>(a); }

KERNEL_ALONE(nearest_scan_s8, NearestScanArgs, 256) { nearest_scan<int>(a); }
