// nearest_scan_sm90.cu: nearest_scan by the matrix instructions of sm_90.
//
// Math         as nearest_scan.cu
// Shapes       as nearest_scan.cu
// Layout       as nearest_scan.cu: the tiles of prepared vectors are what the instructions read
// Requires     depthBytes % 128 == 0, padded queries % 128 == 0, padded references % 256 == 0; 256 threads; compute
//              capability 9.0: on others the kernel is empty and must not be launched
// Tiling       128 queries x 256 references per block, 64 x 256 per four warps (128 sums a thread), 128 bytes of depth at
//              a time, four stages of 48 KiB in shared memory, one block on a multiprocessor. One thread copies a stage as
//              6 tiles of 8 KiB; the four products of a stage go on while the next is waited for. 192 queries would read
//              a fifth less of the second-level cache, but 168 registers do not hold 128 sums and the making of keys.
// Numerics     as nearest_scan.cu
// Determinism  as nearest_scan.cu
// Cost         as nearest_scan.cu
// Reference    as nearest_scan.cu; common/wgmma.cuh
#include "bulk_copy.cuh"
#include "nearest_scan.cuh"
#include "wgmma.cuh"

struct Sm90Scan {
    static constexpr int QUERIES = 128, REFERENCES = NEAREST_REFERENCES, THREADS = 256, STAGES = 4, STEP = 128; // bytes
    static constexpr int STAGE_BYTES = (QUERIES + REFERENCES) * STEP, STAGED = STAGES * STAGE_BYTES;
    static constexpr int GROUP_COLUMNS = 64; // of two groups: 8 of the 32 mma columns
};

#if !defined(__CUDACC__) || defined(__CUDA_ARCH_FEAT_SM90_ALL)

// One thread's copies: a stage after the other over all tiles of the block. In shared memory: registers are for sums.
struct Sm90Loader {
    const char* queries;
    const char* references;
    int64_t pitch; // of 64 vectors
    int step, steps, issued, total;

    __device__ __forceinline__ void start(const NearestScanArgs& a, int first_tile, int tiles) {
        pitch = a.depth_bytes * 64LL;
        steps = a.depth_bytes / Sm90Scan::STEP;
        total = tiles * steps;
        step = issued = 0;
        queries = static_cast<const char*>(a.queries) + blockIdx.y * (int64_t)Sm90Scan::QUERIES / 64 * pitch;
        references = static_cast<const char*>(a.references) + first_tile * (int64_t)Sm90Scan::REFERENCES / 64 * pitch;
    }

    __device__ __forceinline__ void load(unsigned char* stages, uint64_t* loaded) {
        if (issued == total) return;
        unsigned char* stage = stages + issued % Sm90Scan::STAGES * Sm90Scan::STAGE_BYTES;
        uint64_t* barrier = loaded + issued % Sm90Scan::STAGES;
        expect_bulk(barrier, Sm90Scan::STAGE_BYTES);
#pragma unroll
        for (int i = 0; i < Sm90Scan::QUERIES / 64; i++) {
            copy_bulk(stage + i * NEAREST_TILE_BYTES, queries + i * pitch, NEAREST_TILE_BYTES, barrier);
        }
        stage += Sm90Scan::QUERIES * Sm90Scan::STEP;
#pragma unroll
        for (int i = 0; i < Sm90Scan::REFERENCES / 64; i++) {
            copy_bulk(stage + i * NEAREST_TILE_BYTES, references + i * pitch, NEAREST_TILE_BYTES, barrier);
        }
        issued++;
        queries += NEAREST_TILE_BYTES;
        references += NEAREST_TILE_BYTES;
        if (++step == steps) { // the same queries, the next references
            step = 0;
            queries -= pitch;
            references += (Sm90Scan::REFERENCES / 64 - 1) * pitch;
        }
    }
};

struct Sm90Shared {
    NearestConstants<Sm90Scan::QUERIES, Sm90Scan::THREADS> constants;
    uint64_t loaded[Sm90Scan::STAGES]; // barriers
    Sm90Loader loader;
};
static_assert(Sm90Scan::STAGED + sizeof(Sm90Shared) <= 232448, "227 KiB, what a block of sm_90 may have");

// Keys of 64 queries by four warps: a thread has two of them, g and g + 8 of its warp's 16.
template <class Sum>
__device__ __forceinline__ void store_groups(const NearestScanArgs& a, int tile, const Sm90Shared& shared, const Sum (&sum)[128]) {
    int lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    int row = threadIdx.x / 32 * 16 + g;
    float norm[2] = {shared.constants.norm[row], shared.constants.norm[row + 8]};
    int64_t groups = a.tiles * (int64_t)(Sm90Scan::REFERENCES / NEAREST_MEMBERS);
    NearestGroup* to = a.groups + (blockIdx.y * (int64_t)Sm90Scan::QUERIES + row) * groups
                       + tile * (Sm90Scan::REFERENCES / NEAREST_MEMBERS) + t / 2;
#pragma unroll
    for (int block = 0; block < Sm90Scan::REFERENCES / Sm90Scan::GROUP_COLUMNS; block++) {
        NearestLeast least[2];
#pragma unroll
        for (int j = 0; j < 8; j++) {
            int column = block * Sm90Scan::GROUP_COLUMNS + 8 * j + 2 * t;
            float4 two = *reinterpret_cast<const float4*>(shared.constants.reference + column);
            const Sum* s = sum + (block * 8 + j) * 4;
            least[0].offer(s[0], s[1], norm[0], two, j);
            least[1].offer(s[2], s[3], norm[1], two, j);
        }
#pragma unroll
        for (int i = 0; i < 2; i++) {
            NearestGroup group = least[i].of_pair();
            if (t % 2 == 0) to[8 * i * groups + 2 * block] = group;
        }
    }
}

template <class Sum>
__device__ __forceinline__ void nearest_scan_sm90(const NearestScanArgs& a) {
    using Scan = Sm90Scan;
    DYNAMIC_SHARED(unsigned char, stages);
    auto& shared = *reinterpret_cast<Sm90Shared*>(stages + Scan::STAGED);
    int tile = blockIdx.x * a.block_tiles, end = min(tile + a.block_tiles, a.tiles);
    if (tile >= end) return;
    if (threadIdx.x == 0) {
        for (uint64_t& barrier : shared.loaded) init_bulk_barrier(&barrier);
        shared.loader.start(a, tile, end - tile);
        for (int i = 0; i < Scan::STAGES - 1; i++) shared.loader.load(stages, shared.loaded);
    }
    float ratio = shared.constants.load_queries(a); // its barrier: the barriers of the copies are there as well
    int mine = threadIdx.x / 128 * NEAREST_TILE_BYTES, steps = a.depth_bytes / Scan::STEP, i = 0;
    for (; tile < end; tile++) {
        Sum sum[128];
        for (int step = 0; step < steps; step++, i++) {
            const unsigned char* stage = stages + i % Scan::STAGES * Scan::STAGE_BYTES;
            wait_bulk(shared.loaded + i % Scan::STAGES, i / Scan::STAGES % 2);
            MatrixDescriptor queries(stage + mine), references(stage + Scan::QUERIES * Scan::STEP);
            fence_products();
#pragma unroll
            for (int k = 0; k < Scan::STEP; k += 32) wgmma(sum, queries.along(k), references.along(k), step > 0 || k > 0);
            commit_products();
            wait_products<1>(sum); // those of the stage before
            __syncthreads();       // nobody reads the stage before, which is loaded over
            if (threadIdx.x == 0) shared.loader.load(stages, shared.loaded);
        }
        shared.constants.load_references(a, tile, ratio);
        wait_products<0>(sum);
        __syncthreads(); // the constants of all references are there; those of the tile before were read long ago
        store_groups(a, tile, shared, sum);
    }
}

KERNEL_ALONE(nearest_scan_bf16_sm90, NearestScanArgs, 256) { nearest_scan_sm90<float>(a); }

KERNEL_ALONE(nearest_scan_s8_sm90, NearestScanArgs, 256) { nearest_scan_sm90<int>(a); }

#else

KERNEL_ALONE(nearest_scan_bf16_sm90, NearestScanArgs, 256) {}

KERNEL_ALONE(nearest_scan_s8_sm90, NearestScanArgs, 256) {}

#endif
