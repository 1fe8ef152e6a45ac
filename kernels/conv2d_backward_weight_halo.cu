// conv2d_backward_weight_halo.cu: the gradients of a 3x3 convolution with respect to filter and bias, from one reading.
//
// Math         dw[k,r,s,c] = sum_{n,p,q} x[n, p+r-1, q+s-1, c] dy[n,p,q,k], zero outside    dbias[k] = sum_{n,p,q} dy[n,p,q,k]
//              and of an upsampled x (conv2d.cuh) its pixel (h/2,w/2) in the place of (h,w).
//              Nine products with the same factors: x is read once, and nine sums are kept, where the product of gathered
//              matrices (conv2d_backward_weight.cu) reads x nine times
// Shapes       x [N,H,W,C], dy [N,H,W,K] bf16   dw [K,3,3,C], dbias [K] f32
// Layout       C and K fastest
// Requires     stride 1, padding 1; C and K multiples of 8, x and dy 16-byte aligned
// Tiling       a block owns FILTERS x CHANNELS times nine taps, and a range of strips: 16 columns of an image, or 8 columns
//              of two images where these are no wider. 8 warps of 32 x 16 x 9 sums, 144 registers, so one block per
//              multiprocessor; a tile has 8, 4 or 2 of them, which is a group, and groups take strips in turn. A group goes
//              down its strip: row h of x meets rows h+1, h and h-1 of dy, whose fragments stay in registers, so a step of
//              16 pixels costs 5 ldmatrix for 36 products. Rows arrive in 4 stages of ROWS, three of which are on their
//              way: 48 KB or more per multiprocessor, what 1 us at 4.3 TB/s wants. A group has its own stages and its
//              own barrier: while one waits, others multiply. Shared memory 81 to 98 KB, within every device's 99
// Numerics     f32 sums in the order of the tensor cores over a group's strips, then over groups, then over splits
// Determinism  run-to-run, and the same on every device: tile and splits depend on the shapes alone
// Cost         18*N*H*W*K*C flop; x is read ceil(K/FILTERS) times, dy ceil(C/CHANNELS) times, all but once from L2.
//              N=512, 32x32, C=K=32: 9.7 GFLOP, 67 MB: 16 us at 4.3 TB/s
// Reference    Conv2dReference.backwardWeight (double)
#include "async_copy.cuh"
#include "conv2d.cuh"
#include "mma.cuh"
#include "tile_store.cuh"

constexpr int WEIGHT_TAPS = 9, WEIGHT_STAGES = 4, WEIGHT_WARPS = 8, WEIGHT_THREADS = 32 * WEIGHT_WARPS;
constexpr int WEIGHT_PIXELS = 16;  // of a strip's row: the depth of an mma
constexpr int WEIGHT_COLUMNS = 20; // of x in shared memory: 1 + 16 + 1 of one image, or 1 + 8 + 1 of each of two

// What a group keeps of a row: a strip of x, then one of dy. Pixels are 16 bytes further apart than they need to be, so
// that the 8 that an ldmatrix touches lie in different banks: 20 or 36 words, 0 20 8 28 16 4 24 12 or 0 4 8 ... mod 32.
template <int FILTERS, int CHANNELS, int ROWS>
struct WeightStage {
    static constexpr int X_PITCH = 2 * CHANNELS + 16, DY_PITCH = 2 * FILTERS + 16, X_BYTES = WEIGHT_COLUMNS * X_PITCH;
    static constexpr int ROW_BYTES = X_BYTES + WEIGHT_PIXELS * DY_PITCH, BYTES = ROWS * ROW_BYTES;
};

// The places in a row of x or of dy that a thread copies: LOADS of them, each `SLOTS` pixels behind the last one.
template <bool OF_X, int CHANNELS, int THREADS>
struct WeightPlaces {
    static constexpr int PIXELS = OF_X ? WEIGHT_COLUMNS : WEIGHT_PIXELS, CHUNKS = CHANNELS / 8, SLOTS = THREADS / CHUNKS;
    static constexpr int LOADS = (PIXELS + SLOTS - 1) / SLOTS, PITCH = 2 * CHANNELS + 16;

    int slot, chunk;
    const bf16* at[LOADS]; // in row 0 of the image
    unsigned inside;       // a bit for each; where it is 0, zeros are wanted

    __device__ __forceinline__ explicit WeightPlaces(int thread) : slot(thread / CHUNKS), chunk(thread % CHUNKS) {}

    // `first` of `channels` channels; a strip, or none if it is not `wanted`.
    __device__ __forceinline__ void find(const Conv2dArgs& a, const void* base, int channels, int first, int strip,
                                         bool wanted) {
        bool paired = a.width <= 8;
        int across = (a.width + WEIGHT_PIXELS - 1) / WEIGHT_PIXELS, channel = first + 8 * chunk;
        int columns = WEIGHT_PIXELS + (OF_X ? (paired ? 4 : 2) : 0); // what is further is not read
        inside = 0;
#pragma unroll
        for (int i = 0; i < LOADS; i++) {
            int column = slot + i * SLOTS, second = paired && column >= PIXELS / 2;
            int image = paired ? 2 * strip + second : strip / across;
            int pixel = column - OF_X + (paired ? -second * (PIXELS / 2) : (strip - image * across) * WEIGHT_PIXELS);
            bool is = wanted && image < a.images && (unsigned)pixel < (unsigned)a.width && column < columns &&
                      channel < channels;
            inside |= (unsigned)is << i;
            at[i] = (const bf16*)base;
            int shift = OF_X ? a.shift : 0, line = (a.width >> shift) * channels;
            if (is) at[i] += (int64_t)image * ((a.height >> shift) * line) + ((pixel >> shift) * channels + channel);
        }
    }

    // Those that are `ahead` values further, to a row in shared memory.
    __device__ __forceinline__ void copy(unsigned char* row, int ahead) const {
        unsigned char* to = row + slot * PITCH + chunk * 16;
#pragma unroll
        for (int i = 0; i < LOADS; i++) {
            if (PIXELS % SLOTS != 0 && slot + i * SLOTS >= PIXELS) break;
            copy_async<16>(to + i * SLOTS * PITCH, at[i] + ahead, inside >> i & 1);
        }
    }
};

// Copies a group's rows. Step v of an image brings row v-1 of x and row v of dy, so that the row after x's is there.
template <int FILTERS, int CHANNELS, int ROWS, int THREADS>
struct WeightLoader {
    using Stage = WeightStage<FILTERS, CHANNELS, ROWS>;

    const Conv2dArgs& a;
    WeightPlaces<true, CHANNELS, THREADS> x;
    WeightPlaces<false, FILTERS, THREADS> dy;
    int filter, channel, strip, strip_step, end, step, left;
    unsigned char* first;
    unsigned char* stage;

    // Of `stages` stages, to `shared`; strips `strip`, `strip + strip_step`, ... below `end`.
    __device__ __forceinline__ WeightLoader(const Conv2dArgs& a, unsigned char* shared, int filter, int channel, int strip,
                                          int strip_step, int end, int stages)
        : a(a), x(threadIdx.x % THREADS), dy(threadIdx.x % THREADS), filter(filter), channel(channel), strip(strip),
          strip_step(strip_step), end(end), step(0), left(stages), first(shared), stage(shared) {
        find();
    }

    __device__ __forceinline__ void find() {
        x.find(a, a.x, a.channels, channel, strip, strip < end);
        dy.find(a, a.y, a.filters, filter, strip, strip < end);
    }

    __device__ __forceinline__ void load(int row) const {
        int v = step + row;
        unsigned char* to = stage + row * Stage::ROW_BYTES;
        if (left <= 0) return;
        if (v > 0 && v <= a.height) x.copy(to, ((v - 1) >> a.shift) * ((a.width >> a.shift) * a.channels));
        if (v < a.height) dy.copy(to + Stage::X_BYTES, v * (a.width * a.filters));
    }

    __device__ __forceinline__ void advance() {
        left--;
        stage = stage == first + (WEIGHT_STAGES - 1) * Stage::BYTES ? first : stage + Stage::BYTES;
        step += ROWS;
        if (step <= a.height) return;
        step = 0;
        strip += strip_step;
        find();
    }
};

template <int FILTERS, int CHANNELS, int ROWS>
struct WeightTile {
    static constexpr int WARPS_ACROSS = CHANNELS / 16, WARPS = FILTERS / 32 * WARPS_ACROSS; // of a group
    static constexpr int GROUPS = WEIGHT_WARPS / WARPS, THREADS = 32 * WARPS;
    using Stage = WeightStage<FILTERS, CHANNELS, ROWS>;
    using Loader = WeightLoader<FILTERS, CHANNELS, ROWS, THREADS>;
    using Fragment = unsigned[2][4]; // of dy: 32 filters, 16 pixels
    static_assert(GROUPS * WEIGHT_STAGES * Stage::BYTES <= 99 << 10, "a block's shared memory on every device");
    // The sums of a group pass through the stages: see gather.
    static_assert(GROUPS == 1 || THREADS * 4 * (16 * WEIGHT_TAPS + 4) <= GROUPS * WEIGHT_STAGES * Stage::BYTES, "sums fit");

    float sum[WEIGHT_TAPS][2][2][4] = {}; // tap, 16 filters, 8 channels, as an mma has it
    float bias[2][2] = {};              // 16 filters, 8 filters: this lane's pixels

    __device__ __forceinline__ static int warp() { return threadIdx.x / 32 % WARPS; }
    __device__ __forceinline__ static int warp_filter() { return warp() / WARPS_ACROSS * 32; }
    __device__ __forceinline__ static int warp_channel() { return warp() % WARPS_ACROSS * 16; }
    __device__ __forceinline__ static int group() { return (int)threadIdx.x / THREADS; }

    __device__ __forceinline__ void multiply(const Conv2dArgs& a, int filter, int channel, int begin, int end, bool sums) {
        DYNAMIC_SHARED(unsigned char, shared);
        unsigned char* mine = shared + group() * (WEIGHT_STAGES * Stage::BYTES);
        int rounds = (end - begin + GROUPS - 1) / GROUPS, stages = rounds * ((a.height + ROWS) / ROWS);
        Loader loader(a, mine, filter, channel, begin + group(), GROUPS, end, stages);
        for (int stage = 0; stage < WEIGHT_STAGES - 1; stage++) {
            for (int row = 0; row < ROWS; row++) loader.load(row);
            loader.advance();
            commit_copies();
        }
        // Where this lane's ldmatrix rows begin: pixel and 8 channels. Of x, the second image is 2 columns further on.
        int lane = threadIdx.x % 32, low = lane % 8, eight = lane / 8 % 2, half = lane / 16, gap = a.width <= 8 ? 10 : 8;
        const unsigned char* x_lane = mine + (low + eight * gap) * Stage::X_PITCH + 2 * (warp_channel() + 8 * half);
        const unsigned char* dy_lane =
            mine + Stage::X_BYTES + (low + half * 8) * Stage::DY_PITCH + 2 * (warp_filter() + 8 * eight);
        bool ones = sums && warp_channel() == 0;
        Fragment before = {}, here = {}, after;
        int first_step = 0, offset = 0;
        for (int stage = 0; stage < stages; stage++) {
            wait_copies<WEIGHT_STAGES - 2>();
            barrier_sync(1 + group(), THREADS); // the stage is there, and nobody reads the one before, which is loaded over
#pragma unroll 1
            for (int row = 0; row < ROWS; row++) {
                loader.load(row);
                int step = first_step + row, at = offset + row * Stage::ROW_BYTES;
                if (step > a.height) continue;
                if (step < a.height) {
#pragma unroll
                    for (int i = 0; i < 2; i++) load_matrix<4, true>(after[i], dy_lane + at + 32 * i);
                    if (ones) add_pixels(after);
                } else {
                    clear(after);
                }
                if (step == 0) {
                    clear(here); // there is no row above the image
                } else {
                    multiply_row(x_lane + at, after, here, before);
                }
                copy(before, here);
                copy(here, after);
            }
            loader.advance();
            commit_copies(); // an empty group too: the count of groups is the count of stages
            first_step = first_step + ROWS > a.height ? 0 : first_step + ROWS;
            offset = offset == (WEIGHT_STAGES - 1) * Stage::BYTES ? 0 : offset + Stage::BYTES;
        }
        wait_copies<0>();
    }

    // Row h of x with rows h+1, h, h-1 of dy: taps (0,s), (1,s), (2,s).
    __device__ __forceinline__ void multiply_row(const unsigned char* x, const Fragment& after, const Fragment& here,
                                                 const Fragment& before) {
#pragma unroll
        for (int s = 0; s < 3; s++) {
            unsigned columns[4];
            load_matrix<4, true>(columns, x + s * Stage::X_PITCH);
#pragma unroll
            for (int j = 0; j < 2; j++) {
                unsigned right[2] = {columns[2 * j], columns[2 * j + 1]};
#pragma unroll
                for (int i = 0; i < 2; i++) {
                    mma_bf16(sum[s][i][j], after[i], right);
                    mma_bf16(sum[3 + s][i][j], here[i], right);
                    mma_bf16(sum[6 + s][i][j], before[i], right);
                }
            }
        }
    }

    // A lane has 4 pixels of each of 4 filters, two to a register.
    __device__ __forceinline__ void add_pixels(const Fragment& dy) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
#pragma unroll
            for (int word = 0; word < 4; word++) {
                bias[i][word % 2] += __uint_as_float(dy[i][word] << 16) + __uint_as_float(dy[i][word] & 0xffff0000u);
            }
        }
    }

    __device__ __forceinline__ static void clear(Fragment& to) {
#pragma unroll
        for (int i = 0; i < 8; i++) to[i / 4][i % 4] = 0;
    }

    __device__ __forceinline__ static void copy(Fragment& to, const Fragment& from) {
#pragma unroll
        for (int i = 0; i < 8; i++) to[i / 4][i % 4] = from[i / 4][i % 4];
    }

    template <class F>
    __device__ __forceinline__ void each_sum(F f) {
#pragma unroll
        for (int i = 0; i < WEIGHT_TAPS * 16; i++) f(i, sum[i / 16][i / 8 % 2][i / 4 % 2][i % 4]);
#pragma unroll
        for (int i = 0; i < 4; i++) f(WEIGHT_TAPS * 16 + i, bias[i / 2][i % 2]);
    }

    // Adds the other groups' sums to those of group 0, in order.
    __device__ __forceinline__ void gather() {
        DYNAMIC_SHARED(float, shared);
        float* mine = shared + threadIdx.x % THREADS;
#pragma unroll 1
        for (int other = 1; other < GROUPS; other++) {
            __syncthreads(); // nobody reads the stages, or the sums of the group before
            if (group() == other) each_sum([&](int i, float& value) { mine[i * THREADS] = value; });
            __syncthreads(); // the other group's sums are there
            if (group() == 0) each_sum([&](int i, float& value) { value += mine[i * THREADS]; });
        }
    }

    __device__ __forceinline__ void store(const ProductResult<float>& to, int filter, int channel, int channels) const {
        int lane = threadIdx.x % 32;
        bool whole = to.aligned();
#pragma unroll
        for (int i = 0; i < 4; i++) {
            int k = filter + warp_filter() + 8 * i + lane / 4;
            if (k >= to.rows) continue;
#pragma unroll
            for (int j = 0; j < 2; j++) {
                int c = channel + warp_channel() + 8 * j + lane % 4 * 2;
#pragma unroll
                for (int tap = 0; tap < WEIGHT_TAPS; tap++) {
                    const float* d = &sum[tap][i / 2][j][i % 2 * 2];
                    float two[2] = {d[0], d[1]};
                    store_run<2>(to.y + ((int64_t)k * to.columns + tap * channels + c), two, channels - c, whole);
                }
            }
        }
    }

    __device__ __forceinline__ void store_bias(const ProductResult<float>& to, int filter) const {
#pragma unroll
        for (int i = 0; i < 4; i++) {
            float total = bias[i / 2][i % 2];
            total += __shfl_xor_sync(~0u, total, 1);
            total += __shfl_xor_sync(~0u, total, 2);
            int k = filter + warp_filter() + 8 * i + threadIdx.x % 32 / 4;
            if (warp_channel() == 0 && threadIdx.x % 4 == 0 && k < to.rows) to.row_sums[k] = total;
        }
    }
};

template <int FILTERS, int CHANNELS, int ROWS>
__device__ __forceinline__ void conv2d_backward_weight_halo(const Conv2dArgs& a) {
    int across = (a.width + WEIGHT_PIXELS - 1) / WEIGHT_PIXELS;
    int strips = a.width <= 8 ? (a.images + 1) / 2 : a.images * across;
    int split = blockIdx.y, begin = split * a.depth_per_split, end = min(begin + a.depth_per_split, strips);
    TilePosition at = TilePosition::of(a.filters, a.channels, FILTERS, CHANNELS);
    bool sums = a.bias != nullptr && at.column == 0;
    WeightTile<FILTERS, CHANNELS, ROWS> tile;
    tile.multiply(a, at.row, at.column, begin, end, sums);
    tile.gather();
    if (tile.group() != 0) return;
    ProductResult<float> to =
        split_result((float*)a.w, a.bias, a.partial, split, a.filters, WEIGHT_TAPS * a.channels);
    tile.store(to, at.row, at.column, a.channels);
    if (sums) tile.store_bias(to, at.row);
}

KERNEL(conv2d_backward_weight_halo_bf16_32x32, Conv2dArgs, WEIGHT_THREADS) { conv2d_backward_weight_halo<32, 32, 2>(a); }
KERNEL(conv2d_backward_weight_halo_bf16_64x32, Conv2dArgs, WEIGHT_THREADS) { conv2d_backward_weight_halo<64, 32, 3>(a); }
KERNEL(conv2d_backward_weight_halo_bf16_32x64, Conv2dArgs, WEIGHT_THREADS) { conv2d_backward_weight_halo<32, 64, 3>(a); }
KERNEL(conv2d_backward_weight_halo_bf16_64x64, Conv2dArgs, WEIGHT_THREADS) { conv2d_backward_weight_halo<64, 64, 4>(a); }
