// linear_group.cu: linear layers in f32 that read one input, all in one launch, and their gradients: the projections of
// a time embedding for all residual blocks of a network.
//
// Math         of the layers l, each with its own w, bias and K filters:
//              linear_group                  y_l[n,k] = bias_l[k] + sum_c x[n,c] w_l[k,c]
//              linear_group_backward_weight  dw_l[k,c] = sum_n dy_l[n,k] x[n,c], dbias_l[k] = sum_n dy_l[n,k]
//              linear_group_backward_data    dx[n,c] = addend[n,c] + sum_l sum_k dy_l[n,k] w_l[k,c]
// Shapes       x, dx [N,C] f32   w, dw [K,C] f32   bias, dbias [K] f32 or none   y, dy [N,K], all f32 or all bf16
//              addend [N,C] f32 or none, in the place of dx or apart from it
// Layout       C and K fastest
// Requires     1 to 32 layers; 32-bit N, C and K. Results overlap nothing that is read but for the addend
// Tiling       a block has 32x32 values of one result and divides their sum among its 8 warps: chunks of 8 terms in
//              turn, each warp with operands of its own in shared memory, so that it waits for no other; 8x4 values a
//              thread in registers. Shared memory: 37 KiB, in which the parts of the warps are added at last. No sum is
//              divided among blocks: with 8 warps for 1024 values there are enough warps without it
// Numerics     fma in f32; a warp's sum is blocked by 64 of its terms, then the 8 parts are added in order. dbias: sums
//              of 8, of a warp, of the block
// Determinism  run-to-run: a fixed order, no atomics
// Cost         2*N*C*K flop a layer in each direction; each operand is read once per 32 rows or columns of the other,
//              from L2. Expected of an H200 for study 1's 17 layers at N=512: W=32, 1,100 filters in all, C=128:
//              0.15 GFLOP, 4 to 8 us in each direction; W=128, C=512: 2.4 GFLOP, 60 to 90 us. Measured of the three
//              launches of W=32 together: 60 us
// Reference    LinearReference (double)
#include "tile_load.cuh"
#include "tile_store.cuh"

constexpr int LAYERS = 32;

struct LinearGroupArgs {
    const float* x;         // [rows,channels]
    const float* addend;    // [rows,channels] or null
    float* dx;              // [rows,channels]
    float* w[LAYERS];       // [filters,channels]; backward weight writes dw
    float* bias[LAYERS];    // [filters] or null; backward weight writes dbias
    void* y[LAYERS];        // [rows,filters]; in both gradients dy, which is read
    int filters[LAYERS];
    int first_tile[LAYERS]; // tiles of 32 filters of the layers before
    int layers;
    int rows;
    int channels;
};
LAYOUT(LinearGroupArgs, x, addend, dx, w, bias, y, filters, first_tile, layers, rows, channels)

constexpr int TILE = 32, DEPTH = 8, WARPS = 8, THREADS = 32 * WARPS;
constexpr int ROW_RUN = 8, COLUMN_RUN = 4; // of a thread
constexpr int BLOCK_CHUNKS = 64 / DEPTH;
constexpr int PITCH = TILE + 4; // rows of float4; the 8 depths of 4 outer indices lie in 32 banks
constexpr int OPERAND = DEPTH * PITCH;
constexpr int PLACES = TILE * DEPTH / 32; // that a lane loads of an operand

__device__ __forceinline__ int lane() { return threadIdx.x % 32; }
__device__ __forceinline__ int warp() { return threadIdx.x / 32; }

// 32 rows of A or columns of B by 8 of the depth, as a warp loads them from a matrix with `pitch` values from one line
// to the next. A lane has the outer index `lane` if that is fastest.
template <class T, Fastest FASTEST>
struct Operand {
    static constexpr bool DEPTH_FAST = FASTEST == Fastest::DEPTH;
    static constexpr int OUTER_STEP = DEPTH_FAST ? 32 / DEPTH : 0, DEPTH_STEP = DEPTH_FAST ? 0 : 1;

    // The first place of this lane; each other one is a step further.
    __device__ __forceinline__ static int outer() { return DEPTH_FAST ? lane() / DEPTH : lane(); }
    __device__ __forceinline__ static int depth() { return DEPTH_FAST ? lane() % DEPTH : 0; }

    // From the first value of the chunk on, of which `outers` and `depths` are there; the others are zero.
    __device__ __forceinline__ static void fetch(float (&values)[PLACES], const T* from, int pitch, int outers,
                                                 int depths) {
        const T* at = from + (DEPTH_FAST ? (int64_t)outer() * pitch + depth() : outer());
        int64_t step = (int64_t)(OUTER_STEP + DEPTH_STEP) * pitch;
        outers -= outer(), depths -= depth();
#pragma unroll
        for (int i = 0; i < PLACES; i++) {
            values[i] = i * OUTER_STEP < outers && i * DEPTH_STEP < depths ? to_float(*at) : 0.0f;
            at += step;
        }
    }

    __device__ __forceinline__ static void put(float* shared, const float (&values)[PLACES]) {
        shared += depth() * PITCH + outer();
#pragma unroll
        for (int i = 0; i < PLACES; i++) shared[i * (DEPTH_STEP * PITCH + OUTER_STEP)] = values[i];
    }
};

// Where the tile of a block lies: its layer, and the first of its 32 filters.
struct FilterTile {
    int layer, filter;

    __device__ __forceinline__ static FilterTile of(const LinearGroupArgs& a, int tile) {
        int layer = 0;
        while (layer + 1 < a.layers && a.first_tile[layer + 1] <= tile) layer++;
        return {layer, (tile - a.first_tile[layer]) * TILE};
    }
};

__device__ __forceinline__ int chunks_of(int depth) { return (depth + DEPTH - 1) / DEPTH; }

// The factors of a product: `fetch` loads this lane's places of a chunk of A and B; a warp's chunks come in order.
template <class T>
struct Forward {
    using A = Operand<float, Fastest::DEPTH>;
    using B = Operand<float, Fastest::DEPTH>;
    const LinearGroupArgs& a;
    FilterTile at;
    int row;

    __device__ __forceinline__ int chunks() const { return chunks_of(a.channels); }

    __device__ __forceinline__ void fetch(int chunk, float (&left)[PLACES], float (&right)[PLACES]) {
        int c = chunk * DEPTH;
        A::fetch(left, a.x + (int64_t)row * a.channels + c, a.channels, a.rows - row, a.channels - c);
        B::fetch(right, a.w[at.layer] + (int64_t)at.filter * a.channels + c, a.channels,
                 a.filters[at.layer] - at.filter, a.channels - c);
    }
};

template <class T>
struct BackwardWeight {
    using A = Operand<T, Fastest::OUTER>;
    using B = Operand<float, Fastest::OUTER>;
    const LinearGroupArgs& a;
    FilterTile at;
    int channel;
    float row_sum; // of the filter of this lane

    __device__ __forceinline__ int chunks() const { return chunks_of(a.rows); }

    __device__ __forceinline__ void fetch(int chunk, float (&left)[PLACES], float (&right)[PLACES]) {
        int n = chunk * DEPTH, filters = a.filters[at.layer];
        A::fetch(left, (const T*)a.y[at.layer] + (int64_t)n * filters + at.filter, filters, filters - at.filter,
                 a.rows - n);
        B::fetch(right, a.x + (int64_t)n * a.channels + channel, a.channels, a.channels - channel, a.rows - n);
        float sum = 0;
#pragma unroll
        for (int i = 0; i < PLACES; i++) sum += left[i];
        row_sum += sum;
    }
};

// The filters of all layers, one after another.
template <class T>
struct BackwardData {
    using A = Operand<T, Fastest::DEPTH>;
    using B = Operand<float, Fastest::OUTER>;
    const LinearGroupArgs& a;
    int row, channel;
    int layer, before; // the layer of the last chunk, chunks of those before it

    __device__ __forceinline__ int chunks() const {
        int all = 0;
        for (int l = 0; l < a.layers; l++) all += chunks_of(a.filters[l]);
        return all;
    }

    __device__ __forceinline__ void fetch(int chunk, float (&left)[PLACES], float (&right)[PLACES]) {
        while (chunk - before >= chunks_of(a.filters[layer])) before += chunks_of(a.filters[layer++]);
        int k = (chunk - before) * DEPTH, filters = a.filters[layer];
        A::fetch(left, (const T*)a.y[layer] + (int64_t)row * filters + k, filters, a.rows - row, filters - k);
        B::fetch(right, a.w[layer] + (int64_t)k * a.channels + channel, a.channels, a.channels - channel, filters - k);
    }
};

// Each warp's operands, twice: the next chunk goes into the other place. Then its part of the result, [32][PITCH].
using Parts = float[WARPS][2 * 2 * OPERAND];
static_assert(2 * 2 * OPERAND == TILE * PITCH, "a part takes the place of the operands");

// Sums the chunks of this warp and leaves them in its part.
template <class Factors>
__device__ __forceinline__ void multiply(Factors& factors, float (&part)[2 * 2 * OPERAND]) {
    int first_row = lane() / (TILE / COLUMN_RUN) * ROW_RUN, first_column = lane() % (TILE / COLUMN_RUN) * COLUMN_RUN;
    float left[PLACES], right[PLACES];
    float total[ROW_RUN][COLUMN_RUN] = {}, sum[ROW_RUN][COLUMN_RUN] = {};
    int chunks = factors.chunks(), chunk = warp();
    if (chunk < chunks) {
        factors.fetch(chunk, left, right);
        Factors::A::put(part, left);
        Factors::B::put(part + OPERAND, right);
    }
    __syncwarp(); // the first chunk is there
    for (int turn = 0; chunk < chunks; turn++, chunk += WARPS) {
        bool more = chunk + WARPS < chunks;
        if (more) factors.fetch(chunk + WARPS, left, right);
        const float* rows = part + turn % 2 * 2 * OPERAND + first_row;
        const float* columns = part + turn % 2 * 2 * OPERAND + OPERAND + first_column;
#pragma unroll
        for (int d = 0; d < DEPTH; d++) {
            float4 low = *reinterpret_cast<const float4*>(rows + d * PITCH);
            float4 high = *reinterpret_cast<const float4*>(rows + d * PITCH + 4);
            float4 four = *reinterpret_cast<const float4*>(columns + d * PITCH);
            float r[ROW_RUN] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
            float c[COLUMN_RUN] = {four.x, four.y, four.z, four.w};
#pragma unroll
            for (int i = 0; i < ROW_RUN; i++) {
#pragma unroll
                for (int j = 0; j < COLUMN_RUN; j++) sum[i][j] = __fmaf_rn(r[i], c[j], sum[i][j]);
            }
        }
        if ((turn + 1) % BLOCK_CHUNKS == 0 || !more) {
#pragma unroll
            for (int i = 0; i < ROW_RUN; i++) {
#pragma unroll
                for (int j = 0; j < COLUMN_RUN; j++) total[i][j] += sum[i][j], sum[i][j] = 0;
            }
        }
        if (more) {
            float* other = part + (turn + 1) % 2 * 2 * OPERAND;
            Factors::A::put(other, left);
            Factors::B::put(other + OPERAND, right);
        }
        __syncwarp(); // the next chunk is there, and nobody reads this one any more
    }
#pragma unroll
    for (int i = 0; i < ROW_RUN; i++) {
        *reinterpret_cast<float4*>(part + (first_row + i) * PITCH + first_column) =
            make_float4(total[i][0], total[i][1], total[i][2], total[i][3]);
    }
}

// The four neighbours of the block's tile that belong to this thread.
struct Place {
    int row, column;

    __device__ __forceinline__ static Place mine() {
        return {(int)threadIdx.x / (TILE / COLUMN_RUN), (int)threadIdx.x % (TILE / COLUMN_RUN) * COLUMN_RUN};
    }
};

// After a barrier.
__device__ __forceinline__ void add_parts(const Parts& parts, const Place& at, float (&values)[COLUMN_RUN]) {
    for (int w = 0; w < WARPS; w++) {
        float4 four = *reinterpret_cast<const float4*>(parts[w] + at.row * PITCH + at.column);
        float part[COLUMN_RUN] = {four.x, four.y, four.z, four.w};
#pragma unroll
        for (int j = 0; j < COLUMN_RUN; j++) values[j] = w == 0 ? part[j] : values[j] + part[j];
    }
}

template <class Out>
__device__ __forceinline__ void store(const ProductResult<Out>& to, const float (&values)[COLUMN_RUN], int row,
                                      int column) {
    if (row >= to.rows) return;
    store_run<COLUMN_RUN>(to.y + (int64_t)row * to.columns + column, values, to.columns - column, to.aligned());
}

// Blocks: tiles of filters, tiles of rows.
template <class T>
__device__ __forceinline__ void linear_group(const LinearGroupArgs& a) {
    __shared__ __align__(16) Parts parts;
    FilterTile at = FilterTile::of(a, blockIdx.x);
    int row = blockIdx.y * TILE;
    Forward<T> factors {a, at, row};
    multiply(factors, parts[warp()]);
    __syncthreads(); // all parts are there
    Place mine = Place::mine();
    float values[COLUMN_RUN];
    add_parts(parts, mine, values);
    ProductResult<T> to {(T*)a.y[at.layer], a.bias[at.layer], nullptr, a.rows, a.filters[at.layer]};
    int column = at.filter + mine.column;
#pragma unroll
    for (int j = 0; j < COLUMN_RUN; j++) values[j] += column + j < to.columns ? to.bias_of(column + j) : 0.0f;
    store(to, values, row + mine.row, column);
}

// Blocks: tiles of filters, tiles of channels.
template <class T>
__device__ __forceinline__ void linear_group_backward_weight(const LinearGroupArgs& a) {
    __shared__ __align__(16) Parts parts;
    __shared__ float row_sums[WARPS][TILE];
    FilterTile at = FilterTile::of(a, blockIdx.x);
    int channel = blockIdx.y * TILE, filters = a.filters[at.layer];
    BackwardWeight<T> factors {a, at, channel, 0};
    multiply(factors, parts[warp()]);
    row_sums[warp()][lane()] = factors.row_sum;
    __syncthreads(); // all parts and sums are there
    Place mine = Place::mine();
    float values[COLUMN_RUN];
    add_parts(parts, mine, values);
    ProductResult<float> to {a.w[at.layer], nullptr, a.bias[at.layer], filters, a.channels};
    store(to, values, at.filter + mine.row, channel + mine.column);
    if (to.row_sums == nullptr || channel != 0 || warp() != 0 || at.filter + lane() >= filters) return;
    float sum = 0;
    for (int w = 0; w < WARPS; w++) sum += row_sums[w][lane()];
    to.row_sums[at.filter + lane()] = sum;
}

// Blocks: tiles of channels, tiles of rows.
template <class T>
__device__ __forceinline__ void linear_group_backward_data(const LinearGroupArgs& a) {
    __shared__ __align__(16) Parts parts;
    int channel = blockIdx.x * TILE, row = blockIdx.y * TILE;
    BackwardData<T> factors {a, row, channel, 0, 0};
    multiply(factors, parts[warp()]);
    __syncthreads(); // all parts are there
    Place mine = Place::mine();
    float values[COLUMN_RUN];
    add_parts(parts, mine, values);
    int64_t first = (int64_t)(row + mine.row) * a.channels + channel + mine.column;
    if (a.addend != nullptr && row + mine.row < a.rows) {
#pragma unroll
        for (int j = 0; j < COLUMN_RUN; j++) {
            if (channel + mine.column + j < a.channels) values[j] += a.addend[first + j];
        }
    }
    store(ProductResult<float> {a.dx, nullptr, nullptr, a.rows, a.channels}, values, row + mine.row,
          channel + mine.column);
}

#define LINEAR_GROUP(direction, type, T) \
    KERNEL_RESIDENT(direction##_##type, LinearGroupArgs, THREADS, 2) { direction<T>(a); }
LINEAR_GROUP(linear_group, f32, float)
LINEAR_GROUP(linear_group, bf16, bf16)
LINEAR_GROUP(linear_group_backward_weight, f32, float)
LINEAR_GROUP(linear_group_backward_weight, bf16, bf16)
LINEAR_GROUP(linear_group_backward_data, f32, float)
LINEAR_GROUP(linear_group_backward_data, bf16, bf16)
