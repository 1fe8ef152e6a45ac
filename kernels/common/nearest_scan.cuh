// nearest_scan.cuh: what the scans of the exact nearest-neighbour search share, whatever their tensor-core instructions:
// arguments, the constants of a block, and the keys of a thread's sums.
#pragma once
#include "nearest.cuh"

struct NearestScanArgs {
    const void* queries;                 // [padded queries,depth_bytes]
    const void* references;              // [padded references,depth_bytes]
    const NearestTerms* query_terms;     // [padded queries]
    const NearestTerms* reference_terms; // [padded references]
    NearestGroup* groups;                // [padded queries,tiles*8]
    int depth_bytes;
    int tiles;       // of 256 references
    int block_tiles; // of a block: tiles blockIdx.x*block_tiles ..
    float gamma;
};
LAYOUT(NearestScanArgs, queries, references, query_terms, reference_terms, groups, depth_bytes, tiles, block_tiles, gamma)

constexpr int NEAREST_REFERENCES = 256; // of a tile, as many as a block's first threads

// After the stages in shared memory.
template <int QUERIES, int THREADS>
struct NearestConstants {
    float2 reference[NEAREST_REFERENCES]; // c, e
    float norm[QUERIES];                  // X
    float ratio[THREADS / 32];            // largest x_lo/X of a warp's queries

    // The largest x_lo/X of the block's queries, rounded up.
    __device__ __forceinline__ float load_queries(const NearestScanArgs& a) {
        float largest = 0;
        if (threadIdx.x < QUERIES) {
            NearestTerms terms = a.query_terms[blockIdx.y * (int64_t)QUERIES + threadIdx.x];
            norm[threadIdx.x] = terms.norm;
            if (terms.norm > 0) largest = terms.low / terms.norm * (1 + 0x1p-20f);
        }
        largest = warp_max(largest);
        if (threadIdx.x % 32 == 0) ratio[threadIdx.x / 32] = largest;
        __syncthreads(); // norms and ratios are there
        for (float other : ratio) largest = fmaxf(largest, other);
        return largest;
    }

    // c and e of a tile's references; a barrier before they are read, and one before they are loaded over.
    __device__ __forceinline__ void load_references(const NearestScanArgs& a, int tile, float largest) {
        if (threadIdx.x >= NEAREST_REFERENCES) return;
        NearestTerms terms = a.reference_terms[tile * (int64_t)NEAREST_REFERENCES + threadIdx.x];
        float e = (largest * terms.norm + terms.low + (a.gamma + 0x1p-17f) * terms.norm) * (1 + 0x1p-20f);
        reference[threadIdx.x] = make_float2(terms.half, e);
    }
};

// The two least keys of one query among a lane's references of a group.
struct NearestLeast {
    float first = 2 * NEAREST_LARGE, second = 2 * NEAREST_LARGE;

    // Of the references c and e of which are (two.x, two.y) and (two.z, two.w); members 4 j and 4 j + 1 of even lanes.
    template <class Sum>
    __device__ __forceinline__ void offer(Sum s0, Sum s1, float norm, float4 two, int j) {
        offer(nearest_key(fmaf(-norm, two.y, two.x - (float)s0), 4 * j));
        offer(nearest_key(fmaf(-norm, two.w, two.z - (float)s1), 4 * j + 1));
    }

    __device__ __forceinline__ void offer(float key) {
        second = fminf(second, fmaxf(first, key));
        first = fminf(first, key);
    }

    // Of both lanes of a pair, which hold a group; the same on both.
    __device__ __forceinline__ NearestGroup of_pair() const {
        float mine = __uint_as_float(__float_as_uint(first) | (threadIdx.x & 1) * 2u);
        float other = __shfl_xor_sync(~0u, mine, 1), other_second = __shfl_xor_sync(~0u, second, 1);
        return {fminf(mine, other), fminf(fmaxf(mine, other), fminf(second, other_second))};
    }
};
