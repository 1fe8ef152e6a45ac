// conv2d_backward_weight_small.cu: the gradients of a 3x3 convolution with few channels, in multiples of 8, with
// respect to filter and bias, from one reading.
//
// Math         dw[k,r,s,c] = sum_{n,p,q} x[n, p+r-1, q+s-1, c] dy[n,p,q,k], zero outside
//              dbias[k] = sum_{n,p,q} dy[n,p,q,k]
//              and of an upsampled x (conv2d.cuh) its pixel (h/2,w/2) in the place of (h,w)
// Shapes       x [N,H,W,C], dy [N,H,W,K] bf16   dw [K,3,3,C], dbias [K] f32
// Layout       C and K fastest
// Requires     stride 1, padding 1; C and K multiples of 8, x and dy 16-byte aligned; two patches of x and dy, and the
//              sums of all warps, fit in shared memory
// Tiling       a block makes all of dw from a range of patches (patch_tile.cuh) of 64 to 256 pixels, which come through
//              a ring of 2 to 4 stages. Rows of the product are vectors of 8 channels of a tap, 9 C / 8 of them, two
//              to an mma; a warp has PAIRS such and ACROSS times 8 filters, 20 to 72 sums a lane; warps that have the
//              same take different strips of 16 pixels, the depth of an mma, and meet in shared memory at the end
// Numerics     f32 sums in the order of the tensor cores over a warp's strips, then over warps, then over splits
// Determinism  run-to-run, and the same on every device: patches, warps and splits depend on the shapes alone
// Cost         18*N*H*W*K*C flop; x is read (rows + 2) / rows of a patch times, all but once from L2. N=128, 32x32,
//              C=K=8: 4.2 MB, 1 us at 4.3 TB/s; measured on an H200 11.2 us, on average over the sizes of study 1's
//              U-Net of W=8 at N=128. Of sixteen networks as one launch, 32x32 with C=K=16, 134 MB: 200 us in parts of
//              1024 pixels, 143 in parts of 4096 with one block on a multiprocessor for want of registers, 79 with two
// Reference    Conv2dReference.backwardWeight (double)
#include "patch_tile.cuh"
#include "tile_store.cuh"

constexpr int SMALL_WEIGHT_THREADS = 320; // at most, ten warps
constexpr int STRIP = 16;                 // pixels
constexpr int WEIGHT_RUN = 3;             // chunks of x that a thread copies, of patches that are a run of memory

template <int PAIRS, int ACROSS>
struct SmallWeights {
    static constexpr int SUMS = PAIRS * ACROSS * 4; // of a lane

    const Patch& patch;
    const PatchArgs& a;
    int vectors, filter_chunks;
    int outputs, output, parts, part; // warps with other outputs, and with the same
    int down, first_vector, first_chunk;
    int dy_pitch, strips; // of a patch
    RunOfRows<WEIGHT_RUN> run;
    bool is_run;
    int first_pixel, first_dy_chunk, pixels_further, chunks_further; // that this thread copies of dy
    float sum[PAIRS][ACROSS][4] = {};
    float bias[ACROSS] = {}; // of this lane's pixels

    // Where things lie in shared memory: corners of pixels, then stages, each x and dy; in the end, the sums.
    __device__ __forceinline__ explicit SmallWeights(const Patch& patch)
        : patch(patch), a(patch.a), vectors(PATCH_TAPS * patch.chunks), filter_chunks(a.filters / PATCH_CHUNK),
          dy_pitch(patch_pitch(filter_chunks)), run(patch), is_run(run.takes(patch)) {
        int threads = blockDim.x;
        pixels_further = threads / filter_chunks, chunks_further = threads - pixels_further * filter_chunks;
        first_pixel = threadIdx.x / filter_chunks, first_dy_chunk = threadIdx.x - first_pixel * filter_chunks;
        int warp = threadIdx.x / 32;
        down = (vectors + 2 * PAIRS - 1) / (2 * PAIRS);
        outputs = down * ((filter_chunks + ACROSS - 1) / ACROSS);
        parts = blockDim.x / 32 / outputs;
        part = warp / outputs, output = warp - part * outputs;
        int across = output / down;
        first_vector = (output - across * down) * 2 * PAIRS, first_chunk = across * ACROSS;
        strips = (a.patch_images * a.patch_rows * a.width + STRIP - 1) / STRIP;
    }

    __device__ __forceinline__ int* corners() const {
        DYNAMIC_SHARED(int, corners);
        return corners;
    }
    __device__ __forceinline__ int stage_bytes() const { return patch.bytes() + strips * STRIP * dy_pitch; }
    __device__ __forceinline__ unsigned char* stage(int i) const {
        return (unsigned char*)(corners() + strips * STRIP) + i * stage_bytes();
    }

    __device__ __forceinline__ void prepare() const {
        for (int pixel = threadIdx.x; pixel < strips * STRIP; pixel += blockDim.x) {
            corners()[pixel] = patch.corner(pixel);
        }
        for (int i = 0; i < a.stages; i++) patch.clear_sides(stage(i));
    }

    // x and dy of a patch, zeros behind its pixels; nothing if there is no such patch.
    __device__ __forceinline__ void copy(unsigned char* to, int at, int end) const {
        if (at < end) {
            Patch::Place place = patch.at(at);
            if (is_run) run.copy(to, place);
            else patch.copy(to, place);
            const bf16* from = (const bf16*)a.y + (int64_t)place.first * a.filters;
            unsigned char* dy = to + patch.bytes();
            int pixel = first_pixel, chunk = first_dy_chunk;
            while (pixel < strips * STRIP) {
                bool inside = pixel < place.count;
                int source = inside ? pixel * a.filters + chunk * PATCH_CHUNK : 0;
                copy_async<16>(dy + pixel * dy_pitch + chunk * PATCH_CHUNK_BYTES, from + source, inside);
                pixel += pixels_further, chunk += chunks_further;
                if (chunk >= filter_chunks) pixel++, chunk -= filter_chunks;
            }
        }
        commit_copies(); // an empty group too: the count of groups is the count of stages
    }

    // Until the oldest of the stages is there.
    __device__ __forceinline__ void wait() const {
        if (a.stages == 4) {
            wait_copies<2>();
        } else if (a.stages == 3) {
            wait_copies<1>();
        } else {
            wait_copies<0>();
        }
    }

    __device__ __forceinline__ void multiply(int begin, int end) {
        int lane = threadIdx.x % 32;
        int vector[PAIRS]; // this lane's, in a patch; those behind the last are not stored
#pragma unroll
        for (int q = 0; q < PAIRS; q++) vector[q] = patch.vector(min(first_vector + 2 * q + lane / 8 % 2, vectors - 1));
        int row = lane % 8 + lane / 16 * 8; // of x; of dy its pixels and chunks lie the other way round
        int chunk = min(first_chunk + (ACROSS == 1 ? 0 : lane / 16), filter_chunks - 1);
        int dy_at = patch.bytes() + lane % 16 * dy_pitch + chunk * PATCH_CHUNK_BYTES;
        for (int i = 0; i < a.stages - 1; i++) copy(stage(i), begin + i, end);
        int filled = a.stages - 1, here = 0;
        bool ones = a.bias != nullptr && first_vector == 0;
        for (int at = begin; at < end; at++) {
            wait();
            __syncthreads(); // the stage is there, and nobody reads the one before, which is loaded over
            copy(stage(filled), at + a.stages - 1, end);
            const unsigned char* x = stage(here);
            for (int strip = part; strip < strips; strip += parts) {
                const unsigned char* pixel = x + corners()[strip * STRIP + row];
                unsigned right[2 * ACROSS];
                load_matrix<2 * ACROSS, true>(right, x + dy_at + strip * STRIP * dy_pitch);
                if (ones) add_pixels(right);
#pragma unroll
                for (int q = 0; q < PAIRS; q++) {
                    unsigned left[4];
                    load_matrix<4, true>(left, pixel + vector[q]);
#pragma unroll
                    for (int j = 0; j < ACROSS; j++) {
                        unsigned b[2] = {right[2 * j], right[2 * j + 1]};
                        mma_bf16(sum[q][j], left, b);
                    }
                }
            }
            filled = filled == a.stages - 1 ? 0 : filled + 1;
            here = here == a.stages - 1 ? 0 : here + 1;
        }
        wait_copies<0>();
    }

    // A lane has 4 pixels of a filter of each 8, two to a register.
    __device__ __forceinline__ void add_pixels(const unsigned (&dy)[2 * ACROSS]) {
#pragma unroll
        for (int i = 0; i < 2 * ACROSS; i++) {
            bias[i / 2] += __uint_as_float(dy[i] << 16) + __uint_as_float(dy[i] & 0xffff0000u);
        }
    }

    // Adds up what the parts have and stores it.
    __device__ __forceinline__ void store(const ProductResult<float>& to) {
        DYNAMIC_SHARED(float, shared);
        int lane = threadIdx.x % 32, values = outputs * SUMS * 32; // of a part
        float* biases = shared + parts * values;                   // [parts][filters]
        __syncthreads(); // nobody reads the stages
        float* mine = shared + threadIdx.x / 32 * (SUMS * 32) + lane;
#pragma unroll
        for (int i = 0; i < SUMS; i++) mine[i * 32] = sum[i / 4 / ACROSS][i / 4 % ACROSS][i % 4];
#pragma unroll
        for (int j = 0; j < ACROSS; j++) {
            float total = bias[j];
            total += __shfl_xor_sync(~0u, total, 1);
            total += __shfl_xor_sync(~0u, total, 2);
            int k = (first_chunk + j) * PATCH_CHUNK + lane / 4;
            if (first_vector == 0 && lane % 4 == 0 && k < a.filters) biases[part * a.filters + k] = total;
        }
        __syncthreads(); // the sums are there
        for (int i = threadIdx.x; i < values; i += blockDim.x) {
            int sums = i / 32, of = sums / SUMS, at = sums - of * SUMS, across = of / down;
            int pair = (of - across * down) * PAIRS + at / 4 / ACROSS, v = 2 * pair + at % 4 / 2;
            int k = (across * ACROSS + at / 4 % ACROSS) * PATCH_CHUNK + lane % 4 * 2 + at % 2;
            if (v >= vectors || k >= a.filters) continue;
            float total = 0;
            for (int p = 0; p < parts; p++) total += shared[p * values + i];
            to.y[(int64_t)k * to.columns + v * PATCH_CHUNK + lane / 4] = total;
        }
        if (to.row_sums == nullptr) return;
        for (int k = threadIdx.x; k < a.filters; k += blockDim.x) {
            float total = 0;
            for (int p = 0; p < parts; p++) total += biases[p * a.filters + k];
            to.row_sums[k] = total;
        }
    }
};

template <int PAIRS, int ACROSS>
__device__ __forceinline__ void conv2d_backward_weight_small(const PatchArgs& a) {
    int split = blockIdx.x, begin = split * a.patches_per_split, end = min(begin + a.patches_per_split, a.patches);
    Patch patch(a);
    SmallWeights<PAIRS, ACROSS> weights(patch);
    weights.prepare();
    weights.multiply(begin, end);
    weights.store(split_result((float*)a.w, a.bias, a.partial, split, a.filters, PATCH_TAPS * a.channels));
}

// Of 256 threads, three blocks of the first on a multiprocessor, two of the others, where shared memory has room for them.
#define SMALL_WEIGHTS(pairs, filters, across, registers)                                                             \
    KERNEL_OF_REGISTERS(conv2d_backward_weight_small_##pairs##x##filters, PatchArgs, SMALL_WEIGHT_THREADS, registers) { \
        conv2d_backward_weight_small<pairs, across>(a);                                                              \
    }
SMALL_WEIGHTS(5, 8, 1, 80)
SMALL_WEIGHTS(5, 16, 2, 128)
SMALL_WEIGHTS(9, 8, 1, 128)
SMALL_WEIGHTS(9, 16, 2, 128)
