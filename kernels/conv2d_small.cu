// conv2d_small.cu: 3x3 convolutions of stride 1 that keep the size of the image, with few channels in multiples of 8,
// forward and backward data, which reads dy as x and the filters turned.
//
// Math         conv2d_small        y[n,p,q,k] = bias[k] + sum_{r,s,c} x[n,p+r-1,q+s-1,c] w[k,r,s,c], x zero outside
//              conv2d_backward_data_small  dx[n,h,w,c] = sum_{r,s,k} dy[n,h+1-r,w+1-s,k] w[k,r,s,c]
//              conv2d_small adds a tensor like y, or one of which the pixels of an image share a line, if there is one.
//              Of an upsampled x (conv2d.cuh) it reads pixel (h/2,w/2) in the place of (h,w), and
//              conv2d_upsampled_backward_data_small adds up the four dx of each cell
// Shapes       x, dx [N,H,W,C], or [N,H/2,W/2,C] where x is upsampled   w [K,3,3,C]   bias [K] f32 or none
//              y, dy [N,H,W,K]; all but bias bf16
// Layout       C and K fastest
// Requires     C and K multiples of 8; 16-byte aligned; y may be the addend that is like it. A patch has at most as
//              many pixels as the block threads, and fits in shared memory with the filters of as many outputs as the
//              number in the name says. Where cells are added up, patches have pairs of rows, in multiples of 8 pixels
// Tiling       a warp makes 32 pixels x 8 to 32 outputs, a block one patch (patch_tile.cuh) of 64 to 256 pixels, then
//              further ones, of which the next is on its way; filters are read once. Two vectors of 8 channels are
//              the depth of a product, whatever taps they belong to: of 9 C / 8, and a zero one where that is odd.
//              Bias and addend are where the sums begin, so that they are read while the pixels come
// Numerics     bf16 products are exact, f32 sums in the order of the device's tensor cores; a tap outside the image
//              multiplies w by 0: w that is not finite shows there too. y is rounded once
// Determinism  run-to-run: one block per patch, a fixed order, no atomics
// Cost         18 N*H*W*K*C flop; x is read (rows + 2) / rows of a patch times, all but once from L2. N=128, 32x32,
//              C=K=8: 4.2 MB, 1 us at 4.3 TB/s, so 2 to 4 us with the launch were expected; measured on an
//              H200 8.2 us forward and 6.9 us of the data gradient, on average over the sizes of study 1's U-Net of W=8 at
//              N=128
// Reference    Conv2dReference, Conv2dReference.backwardData (double)
#include "patch_tile.cuh"
#include "tile_store.cuh"

constexpr int SMALL_THREADS = 256, SMALL_DOWN = 2; // 16 pixels

// Which of the patch's pixels the 16 rows of a product are.
enum class SmallOrder {
    ROWS, // as they lie in memory
    CELLS // 8 columns of a line, then those below in the next one: four cells of 2 x 2, see store_cells
};

// ACROSS: 8 outputs. BACKWARD: w is [channels,3,3,filters] of what is read and written, turned by 180 degrees.
template <int ACROSS, bool BACKWARD, SmallOrder ORDER>
struct SmallTile {
    const Patch& patch;
    const PatchArgs& a;
    int column; // first output of the block
    int depth;  // vectors
    int pitch;  // bytes of a filter's row in shared memory
    float sum[SMALL_DOWN][ACROSS][4];

    // Where things lie in shared memory: 16 zeros, what vector is where, filters, then patches.
    __device__ __forceinline__ SmallTile(const Patch& patch, int column)
        : patch(patch), a(patch.a), column(column), depth(PATCH_TAPS * patch.chunks),
          pitch(patch_pitch(BACKWARD ? PATCH_TAPS * ACROSS : depth)) {}

    __device__ __forceinline__ uint2* table() const {
        DYNAMIC_SHARED(unsigned char, shared);
        return (uint2*)(shared + PATCH_CHUNK_BYTES);
    }
    __device__ __forceinline__ unsigned char* filters() const {
        return (unsigned char*)(table() + ((depth + 1) & ~1));
    }
    __device__ __forceinline__ unsigned char* pixels() const {
        return filters() + (BACKWARD ? a.channels : PATCH_CHUNK * ACROSS) * pitch;
    }

    // A row of `filters` is a row of w: all channels of a filter, or of its columns those of this block.
    __device__ __forceinline__ void copy_filters() const {
        int rows = BACKWARD ? a.channels : PATCH_CHUNK * ACROSS, vectors = BACKWARD ? PATCH_TAPS * ACROSS : depth;
        int lane = threadIdx.x % 32;
        for (int row = threadIdx.x / 32; row < rows; row += blockDim.x / 32) {
            for (int v = lane; v < vectors; v += 32) {
                int tap = v / ACROSS, c = column + (v - tap * ACROSS) * PATCH_CHUNK; // if BACKWARD
                bool inside = BACKWARD ? c < a.filters : column + row < a.filters;
                const bf16* from = (const bf16*)a.w;
                if (inside && BACKWARD) from += (row * PATCH_TAPS + tap) * a.filters + c;
                if (inside && !BACKWARD) from += (column + row) * PATCH_TAPS * a.channels + v * PATCH_CHUNK;
                copy_async<16>(filters() + row * pitch + v * PATCH_CHUNK_BYTES, from, inside);
            }
        }
    }

    // Offsets of a vector in a patch and among the filters.
    __device__ __forceinline__ void write_table() const {
        DYNAMIC_SHARED(uint4, zeros);
        if (threadIdx.x == 0) *zeros = make_uint4(0, 0, 0, 0);
        for (int v = threadIdx.x; v < depth; v += blockDim.x) {
            int tap = v / patch.chunks, chunk = v - tap * patch.chunks;
            int filter = BACKWARD ? PATCH_CHUNK * chunk * pitch + (PATCH_TAPS - 1 - tap) * ACROSS * PATCH_CHUNK_BYTES
                                  : v * PATCH_CHUNK_BYTES;
            table()[v] = make_uint2(patch.vector(v), filter);
        }
    }

    // This lane's pixel of a sum, in the patch; its output is column + 8 j + 2 (lane % 4).
    __device__ __forceinline__ static int pixel_of(int i, int half) {
        return threadIdx.x / 32 * 16 * SMALL_DOWN + 16 * i + 8 * half + threadIdx.x % 32 / 4;
    }

    // The pixel of this lane's row of an ldmatrix, in the patch.
    __device__ __forceinline__ int loaded_pixel(int i) const {
        int sixteen = threadIdx.x / 32 * SMALL_DOWN + i, row = threadIdx.x % 16;
        if (ORDER == SmallOrder::ROWS) return 16 * sixteen + row;
        int eights = a.width / 8, pair = sixteen / eights;
        return (2 * pair + row / 8) * a.width + 8 * (sixteen - pair * eights) + row % 8;
    }

    // The sums are what is added to them.
    __device__ __forceinline__ void begin(const Patch::Place& at) {
        int two = column + threadIdx.x % 4 * 2;
#pragma unroll
        for (int j = 0; j < ACROSS; j++) {
            int k = two + PATCH_CHUNK * j;
            bool is = a.bias != nullptr && k < a.filters;
            float low = is ? a.bias[k] : 0.0f, high = is ? a.bias[k + 1] : 0.0f;
#pragma unroll
            for (int i = 0; i < SMALL_DOWN; i++) {
                sum[i][j][0] = sum[i][j][2] = low;
                sum[i][j][1] = sum[i][j][3] = high;
            }
        }
        if (a.addend == nullptr) return;
#pragma unroll
        for (int i = 0; i < SMALL_DOWN; i++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int pixel = pixel_of(i, half);
                if (pixel >= at.count) continue;
                int line_of = (at.first + pixel) / a.addend_pixels;
                const bf16* line = (const bf16*)a.addend + (int64_t)line_of * a.filters + two;
#pragma unroll
                for (int j = 0; j < ACROSS; j++) {
                    if (two + PATCH_CHUNK * j >= a.filters) continue;
                    unsigned words = *(const unsigned*)(line + PATCH_CHUNK * j);
                    sum[i][j][2 * half] += __uint_as_float(words << 16);
                    sum[i][j][2 * half + 1] += __uint_as_float(words & 0xffff0000u);
                }
            }
        }
    }

    // `rows`: this lane's of the fragments of pixels, at tap (0,0); `columns`: of those of filters.
    __device__ __forceinline__ void multiply(const unsigned char* const (&rows)[SMALL_DOWN],
                                             const unsigned char* const (&columns)[(ACROSS + 1) / 2]) {
        unsigned b[(ACROSS + 1) / 2][4];
#pragma unroll
        for (int j = 0; j < (ACROSS + 1) / 2; j++) load_matrix<4, BACKWARD>(b[j], columns[j]);
#pragma unroll
        for (int i = 0; i < SMALL_DOWN; i++) {
            unsigned left[4];
            load_matrix(left, rows[i]);
#pragma unroll
            for (int j = 0; j < ACROSS; j++) {
                unsigned right[2] = {b[j / 2][j % 2], b[j / 2][j % 2 + 2]};
                mma_bf16(sum[i][j], left, right);
            }
        }
    }

    __device__ __forceinline__ void multiply(const unsigned char* pixels, const int (&corner)[SMALL_DOWN]) {
        DYNAMIC_SHARED(unsigned char, zeros);
        constexpr int PAIRS = (ACROSS + 1) / 2;
        int lane = threadIdx.x % 32, upper = lane / 16; // this lane's vector of the two
        int filter[PAIRS];
#pragma unroll
        for (int j = 0; j < PAIRS; j++) {
            int eight = min(2 * j + lane / 8 % 2, ACROSS - 1), row = lane % 8;
            filter[j] = BACKWARD ? row * pitch + eight * PATCH_CHUNK_BYTES : (PATCH_CHUNK * eight + row) * pitch;
        }
        const unsigned char* rows[SMALL_DOWN];
        const unsigned char* columns[PAIRS];
        auto point = [&](int v) {
            uint2 to = table()[v];
#pragma unroll
            for (int i = 0; i < SMALL_DOWN; i++) rows[i] = pixels + corner[i] + to.x;
#pragma unroll
            for (int j = 0; j < PAIRS; j++) columns[j] = filters() + filter[j] + to.y;
        };
#pragma unroll 2
        for (int v = 0; v + 1 < depth; v += 2) {
            point(v + upper);
            multiply(rows, columns);
        }
        if (depth % 2 == 0) return;
        point(depth - 1);
#pragma unroll
        for (int i = 0; i < SMALL_DOWN; i++) rows[i] = upper ? zeros : rows[i];
#pragma unroll
        for (int j = 0; j < PAIRS; j++) columns[j] = upper ? zeros : columns[j];
        multiply(rows, columns);
    }

    // 16 bytes at a time: four lanes that have two outputs each of four such pieces exchange them.
    __device__ __forceinline__ void store(const Patch::Place& at) const {
        int t = threadIdx.x % 4;
#pragma unroll
        for (int q = 0; q < SMALL_DOWN * ACROSS / 2; q++) {
            unsigned words[4];
#pragma unroll
            for (int n = 0; n < 4; n++) {
                int piece = 4 * q + n, half = piece / ACROSS;
                const float* two = sum[half / 2][piece % ACROSS] + half % 2 * 2;
                words[n] = pack_bf16(two[0], two[1]);
            }
            transpose_quad(words, t);
            int half = (4 * q + t) / ACROSS, pixel = pixel_of(half / 2, half % 2);
            int k = column + PATCH_CHUNK * (4 * q + t - half * ACROSS);
            if (pixel < at.count && k < a.filters) {
                *(uint4*)((bf16*)a.y + (int64_t)(at.first + pixel) * a.filters + k) =
                    make_uint4(words[0], words[1], words[2], words[3]);
            }
        }
    }

    // The sums of the 2 x 2 cells: left + right of upper + lower. Of the two lanes that have them, each stores half.
    __device__ __forceinline__ void store_cells(const Patch::Place& at) const {
        static_assert(SMALL_DOWN == 2, "a half for each lane");
        int lane = threadIdx.x % 32, i = lane / 4 % 2;
        int sixteen = threadIdx.x / 32 * SMALL_DOWN + i, eights = a.width / 8, pair = sixteen / eights;
        int cell = pair * (a.width / 2) + 4 * (sixteen - pair * eights) + lane / 8;
#pragma unroll
        for (int j = 0; j < ACROSS; j++) {
            float total[2];
#pragma unroll
            for (int e = 0; e < 2; e++) {
                float first = sum[0][j][e] + sum[0][j][e + 2], second = sum[1][j][e] + sum[1][j][e + 2];
                first += __shfl_xor_sync(~0u, first, 4);
                second += __shfl_xor_sync(~0u, second, 4);
                total[e] = i == 0 ? first : second;
            }
            int k = column + PATCH_CHUNK * j + lane % 4 * 2;
            if (4 * cell >= at.count || k >= a.filters) continue;
            bf16* line = (bf16*)a.y + (int64_t)(at.first / 4 + cell) * a.filters;
            *(unsigned*)(line + k) = pack_bf16(total[0], total[1]);
        }
    }
};

template <int ACROSS, bool BACKWARD, SmallOrder ORDER = SmallOrder::ROWS>
__device__ __forceinline__ void conv2d_small(const PatchArgs& a) {
    Patch patch(a);
    SmallTile<ACROSS, BACKWARD, ORDER> tile(patch, blockIdx.y * PATCH_CHUNK * ACROSS);
    unsigned char* here = tile.pixels();
    unsigned char* next = here + (a.stages - 1) * patch.bytes();
    tile.copy_filters();
    patch.copy(here, blockIdx.x);
    commit_copies();
    patch.clear_sides(here);
    if (a.stages == 2 && (int)(blockIdx.x + gridDim.x) < a.patches) patch.clear_sides(next);
    tile.write_table();
    int corner[SMALL_DOWN];
#pragma unroll
    for (int i = 0; i < SMALL_DOWN; i++) corner[i] = patch.corner(tile.loaded_pixel(i));
    for (int at = blockIdx.x; at < a.patches; at += gridDim.x) {
        Patch::Place place = patch.at(at);
        tile.begin(place);
        wait_copies<0>();
        __syncthreads(); // this patch and the table are there, and nobody reads the patch before, which is loaded over
        if (at + (int)gridDim.x < a.patches) patch.copy(next, at + gridDim.x);
        commit_copies();
        tile.multiply(here, corner);
        if constexpr (ORDER == SmallOrder::CELLS) {
            tile.store_cells(place);
        } else {
            tile.store(place);
        }
        unsigned char* other = here;
        here = next, next = other;
    }
}

KERNEL_RESIDENT(conv2d_small_8, PatchArgs, SMALL_THREADS, 4) { conv2d_small<1, false>(a); }
KERNEL_RESIDENT(conv2d_small_16, PatchArgs, SMALL_THREADS, 4) { conv2d_small<2, false>(a); }
KERNEL_RESIDENT(conv2d_small_24, PatchArgs, SMALL_THREADS, 3) { conv2d_small<3, false>(a); }
KERNEL_RESIDENT(conv2d_small_32, PatchArgs, SMALL_THREADS, 3) { conv2d_small<4, false>(a); }
KERNEL_RESIDENT(conv2d_backward_data_small_8, PatchArgs, SMALL_THREADS, 4) { conv2d_small<1, true>(a); }
KERNEL_RESIDENT(conv2d_backward_data_small_16, PatchArgs, SMALL_THREADS, 4) { conv2d_small<2, true>(a); }
KERNEL_RESIDENT(conv2d_backward_data_small_24, PatchArgs, SMALL_THREADS, 3) { conv2d_small<3, true>(a); }
KERNEL_RESIDENT(conv2d_backward_data_small_32, PatchArgs, SMALL_THREADS, 3) { conv2d_small<4, true>(a); }
KERNEL_RESIDENT(conv2d_upsampled_backward_data_small_8, PatchArgs, SMALL_THREADS, 4) {
    conv2d_small<1, true, SmallOrder::CELLS>(a);
}
KERNEL_RESIDENT(conv2d_upsampled_backward_data_small_16, PatchArgs, SMALL_THREADS, 4) {
    conv2d_small<2, true, SmallOrder::CELLS>(a);
}
KERNEL_RESIDENT(conv2d_upsampled_backward_data_small_24, PatchArgs, SMALL_THREADS, 3) {
    conv2d_small<3, true, SmallOrder::CELLS>(a);
}
KERNEL_RESIDENT(conv2d_upsampled_backward_data_small_32, PatchArgs, SMALL_THREADS, 3) {
    conv2d_small<4, true, SmallOrder::CELLS>(a);
}
