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
//              Bias and addend are where the sums begin, so that they are read while the pixels come. _of_8, _of_16: the
//              number of channels is known, and a patch is a run of memory. A warp keeps the filters in registers for
//              all its patches, a thread knows where the chunks that it copies go, and what is added comes during the
//              products: at most 365 instructions for a warp's part of a patch (C=K=16, loops.py) in the place of some
//              790, of which 54 and 63 are products and loads of their factors
// Numerics     bf16 products are exact, f32 sums in the order of the device's tensor cores; a tap outside the image
//              multiplies w by 0: w that is not finite shows there too. y is rounded once
// Determinism  run-to-run: one block per patch, a fixed order, no atomics
// Cost         18 N*H*W*K*C flop; x is read (rows + 2) / rows of a patch times, all but once from L2. N=128, 32x32,
//              C=K=8: 4.2 MB, 1 us at 4.3 TB/s; measured on an H200 8.2 us forward and 6.9 us of the data gradient, on
//              average over the sizes of study 1's U-Net of W=8 at N=128, without _of_8 and _of_16. Of sixteen networks as
//              one launch, 32x32 with C=K=16, 134 MB: forward 68 us (109 without), data gradient 53 (72)
// Reference    Conv2dReference, Conv2dReference.backwardData (double)
#include "patch_tile.cuh"
#include "tile_store.cuh"

constexpr int SMALL_THREADS = 256, SMALL_DOWN = 2; // 16 pixels
constexpr int SMALL_RUN = 3;                       // chunks of a thread: 10 lines of 32 pixels and 16 channels

// Which of the patch's pixels the 16 rows of a product are.
enum class SmallOrder {
    ROWS, // as they lie in memory
    CELLS // 8 columns of a line, then those below in the next one: four cells of 2 x 2, see store_cells
};

// ACROSS: 8 outputs. BACKWARD: w is [channels,3,3,filters] of what is read and written, turned by 180 degrees. CHUNKS: of 8
// channels that are read, whose filters a warp then has in registers; 0 for any number.
template <int ACROSS, bool BACKWARD, SmallOrder ORDER, int CHUNKS>
struct SmallTile {
    static constexpr int PRODUCTS = (PATCH_TAPS * CHUNKS + 1) / 2; // of two vectors
    // Whether what is added comes while pixels are multiplied: a gradient has nothing to add, others no registers left.
    static constexpr bool ADDS_LATE = !BACKWARD && CHUNKS > 0;

    const Patch& patch;
    const PatchArgs& a;
    int column; // first output of the block
    int depth;  // vectors
    int pitch;  // bytes of a filter's row in shared memory
    float sum[SMALL_DOWN][ACROSS][4];
    unsigned added[SMALL_DOWN][2][ACROSS]; // to them in the end, two values each

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

    // The sums begin with the bias, and where it does not come late with what is added to them.
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
        bool own = a.addend_pixels == 1;
#pragma unroll
        for (int i = 0; i < SMALL_DOWN; i++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int pixel = pixel_of(i, half);
                int line_of = own ? at.first + pixel : CHUNKS > 0 ? at.image : (at.first + pixel) / a.addend_pixels;
                const bf16* line = (const bf16*)a.addend + (int64_t)line_of * a.filters + two;
#pragma unroll
                for (int j = 0; j < ACROSS; j++) {
                    bool is = pixel < at.count && two + PATCH_CHUNK * j < a.filters;
                    added[i][half][j] = is ? *(const unsigned*)(line + PATCH_CHUNK * j) : 0u;
                }
            }
        }
        if (!ADDS_LATE) add();
    }

    __device__ __forceinline__ void add() {
#pragma unroll
        for (int n = 0; n < SMALL_DOWN * 2 * ACROSS; n++) {
            int i = n / ACROSS / 2, half = n / ACROSS % 2, j = n % ACROSS;
            unsigned words = added[i][half][j];
            sum[i][j][2 * half] += __uint_as_float(words << 16);
            sum[i][j][2 * half + 1] += __uint_as_float(words & 0xffff0000u);
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

    // This lane's row of the fragments of filters, 16 outputs a fragment, before a vector's offset.
    __device__ __forceinline__ void place_filters(int (&filter)[(ACROSS + 1) / 2]) const {
        int lane = threadIdx.x % 32;
#pragma unroll
        for (int j = 0; j < (ACROSS + 1) / 2; j++) {
            int eight = min(2 * j + lane / 8 % 2, ACROSS - 1), row = lane % 8;
            filter[j] = BACKWARD ? row * pitch + eight * PATCH_CHUNK_BYTES : (PATCH_CHUNK * eight + row) * pitch;
        }
    }

    __device__ __forceinline__ void multiply(const unsigned char* pixels, const int (&corner)[SMALL_DOWN]) {
        DYNAMIC_SHARED(unsigned char, zeros);
        constexpr int PAIRS = (ACROSS + 1) / 2;
        int upper = threadIdx.x % 32 / 16; // this lane's vector of the two
        int filter[PAIRS];
        place_filters(filter);
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

    // What a warp keeps of the filters, and where its lane's vectors of pixels lie, for all patches.
    struct Kept {
        unsigned filters[PRODUCTS + (CHUNKS == 0)][4];
        int vectors[CHUNKS == 1 ? PRODUCTS : 3]; // of two chunks: a row's first tap, from which the others lie evenly
    };

    __device__ __forceinline__ void keep(Kept& kept) const {
        static_assert(CHUNKS <= 2 && ACROSS <= 2, "registers");
        DYNAMIC_SHARED(unsigned char, zeros);
        int upper = threadIdx.x % 32 / 16, filter[1];
        place_filters(filter);
#pragma unroll
        for (int p = 0; p < PRODUCTS; p++) {
            bool is = 2 * p + upper < PATCH_TAPS * CHUNKS; // else a pixel that is there meets a filter of zeros
            uint2 to = table()[is ? 2 * p + upper : 2 * p];
            load_matrix<4, BACKWARD>(kept.filters[p], is ? filters() + filter[0] + to.y : zeros);
            if (CHUNKS == 1) kept.vectors[p] = to.x;
            if (CHUNKS == 2 && p % 3 == 0) kept.vectors[p / 3] = to.x;
        }
    }

    __device__ __forceinline__ void multiply(const Kept& kept, const unsigned char* pixels, const int (&corner)[SMALL_DOWN]) {
        constexpr int PITCH = (CHUNKS | 1) * PATCH_CHUNK_BYTES;
#pragma unroll
        for (int p = 0; p < PRODUCTS; p++) {
#pragma unroll
            for (int i = 0; i < SMALL_DOWN; i++) {
                int vector = CHUNKS == 1 ? kept.vectors[p] : kept.vectors[p / 3] + p % 3 * PITCH;
                unsigned left[4];
                load_matrix(left, pixels + corner[i] + vector);
#pragma unroll
                for (int j = 0; j < ACROSS; j++) {
                    unsigned right[2] = {kept.filters[p][j], kept.filters[p][j + 2]};
                    mma_bf16(sum[i][j], left, right);
                }
            }
        }
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

template <int ACROSS, bool BACKWARD, SmallOrder ORDER = SmallOrder::ROWS, int CHUNKS = 0>
__device__ __forceinline__ void conv2d_small(const PatchArgs& a) {
    using Tile = SmallTile<ACROSS, BACKWARD, ORDER, CHUNKS>;
    Patch patch(a);
    Tile tile(patch, blockIdx.y * PATCH_CHUNK * ACROSS);
    unsigned char* here = tile.pixels();
    unsigned char* next = here + (a.stages - 1) * patch.bytes();
    RunOfRows<CHUNKS == 0 ? 1 : SMALL_RUN> run(patch);
    auto copy = [&](unsigned char* to, const Patch::Place& place) {
        if constexpr (CHUNKS > 0) {
            run.copy(to, place);
        } else {
            patch.copy(to, place);
        }
    };
    Patch::Place place = patch.at(blockIdx.x);
    tile.copy_filters();
    copy(here, place);
    commit_copies();
    patch.clear_sides(here);
    if (a.stages == 2 && (int)(blockIdx.x + gridDim.x) < a.patches) patch.clear_sides(next);
    tile.write_table();
    int corner[SMALL_DOWN];
#pragma unroll
    for (int i = 0; i < SMALL_DOWN; i++) corner[i] = patch.corner(tile.loaded_pixel(i));
    typename Tile::Kept kept;
    if constexpr (CHUNKS > 0) {
        wait_copies<0>();
        __syncthreads(); // filters and the table are there
        tile.keep(kept);
    }
    for (int at = blockIdx.x; at < a.patches; at += gridDim.x) {
        tile.begin(place);
        wait_copies<0>();
        __syncthreads(); // this patch and the table are there, and nobody reads the patch before, which is loaded over
        bool more = at + (int)gridDim.x < a.patches;
        Patch::Place after = place;
        if (more) {
            after = patch.at(at + gridDim.x);
            copy(next, after);
        }
        commit_copies();
        if constexpr (CHUNKS > 0) {
            tile.multiply(kept, here, corner);
        } else {
            tile.multiply(here, corner);
        }
        if (Tile::ADDS_LATE && a.addend != nullptr) tile.add();
        if constexpr (ORDER == SmallOrder::CELLS) {
            tile.store_cells(place);
        } else {
            tile.store(place);
        }
        place = after;
        unsigned char* other = here;
        here = next, next = other;
    }
}

// Of any number of channels.
#define SMALL(outputs, across, blocks)                                                            \
    KERNEL_RESIDENT(conv2d_small_##outputs, PatchArgs, SMALL_THREADS, blocks) {                   \
        conv2d_small<across, false>(a);                                                           \
    }                                                                                             \
    KERNEL_RESIDENT(conv2d_backward_data_small_##outputs, PatchArgs, SMALL_THREADS, blocks) {     \
        conv2d_small<across, true>(a);                                                            \
    }                                                                                             \
    KERNEL_RESIDENT(conv2d_upsampled_backward_data_small_##outputs, PatchArgs, SMALL_THREADS, blocks) { \
        conv2d_small<across, true, SmallOrder::CELLS>(a);                                         \
    }
SMALL(8, 1, 4)
SMALL(16, 2, 4)
SMALL(24, 3, 3)
SMALL(32, 4, 3)

// Of 8 or 16 channels, of patches that are a run of memory.
#define SMALL_KEPT(channels, chunks, outputs, across, blocks)                                                \
    KERNEL_RESIDENT(conv2d_small_##outputs##_of_##channels, PatchArgs, SMALL_THREADS, blocks) {              \
        conv2d_small<across, false, SmallOrder::ROWS, chunks>(a);                                            \
    }                                                                                                        \
    KERNEL_RESIDENT(conv2d_backward_data_small_##outputs##_of_##channels, PatchArgs, SMALL_THREADS, blocks) { \
        conv2d_small<across, true, SmallOrder::ROWS, chunks>(a);                                             \
    }
SMALL_KEPT(8, 1, 8, 1, 4)
SMALL_KEPT(8, 1, 16, 2, 3)
SMALL_KEPT(16, 2, 8, 1, 3)
SMALL_KEPT(16, 2, 16, 2, 2)
