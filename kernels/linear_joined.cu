// linear_joined.cu: the linear layer over the channels of two tensors side by side, and its gradients: the 1x1 convolution
// of a concatenation that is never made.
//
// Math         linear_joined                  y[n,k] = bias[k] + sum_{c<F} x[n,c] w[k,c] + sum_{c>=F} x2[n,c-F] w[k,c]
//              linear_joined_backward_data    dx[n,c] = sum_k dy[n,k] w[k,c], dx2[n,c-F] the same for c >= F
//              linear_joined_backward_weight  dw[k,c] = sum_n dy[n,k] x[n,c], or x2[n,c-F]; dbias[k] = sum_n dy[n,k]
// Shapes       x, dx [N,F]   x2, dx2 [N,C-F]   w [K,C]   bias [K] f32 or none   y, dy [N,K]; dw [K,C], dbias [K] f32;
//              partial [splits][dw, then dbias]
// Layout       C, F and K fastest
// Requires     _f32, _bf16: nothing. _tensor: F, C and K multiples of 16 bytes, all tensors 16-byte aligned
// Tiling       as matmul.cu. Forward: a tile's depth passes from x to x2. Weight gradient: each thread's column lies in one
//              of them. Data gradient: each tile's columns lie in one of them
// Numerics     as matmul.cu, whose sums have the same order
// Determinism  run-to-run: a fixed order, no atomics
// Cost         2*N*C*K flop; memory-bound. N=524288, C=96, K=32 in bf16: 3.2 GFLOP, 134 MB: 31 us at 4.3 TB/s
// Reference    Conv2dReference (double)
#include "fma_tile.cuh"
#include "tensor_tile.cuh"

struct LinearJoinedArgs {
    void* x;        // [rows,first]; backward data writes dx here
    void* x2;       // [rows,channels-first]; backward data writes dx2 here
    void* w;        // [filters,channels]; backward weight writes dw f32 here
    void* y;        // [rows,filters]; in both gradients dy, which is read
    float* bias;    // [filters] or null; backward weight writes dbias here
    float* partial; // backward weight: [splits][dw, then dbias], or null if there is one split
    int rows;
    int first;
    int channels;
    int filters;
    int depth_per_split; // backward weight: a multiple of every tile's depth
};
LAYOUT(LinearJoinedArgs, x, x2, w, y, bias, partial, rows, first, channels, filters, depth_per_split)

template <class T, class Tile>
__device__ __forceinline__ void linear_joined(const LinearJoinedArgs& a) {
    TilePosition at = TilePosition::of(a.rows, a.filters, Tile::ROWS, Tile::COLUMNS);
    JoinedOperand<T> x {(const T*)a.x, (const T*)a.x2, a.first, a.rows, a.channels};
    JoinedLoader<T, Tile::ROWS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> left(x, at.row);
    MatrixOperand<T> w {(const T*)a.w, a.channels, 1, a.filters, a.channels};
    MatrixLoader<T, Fastest::DEPTH, Tile::COLUMNS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> right(w, at.column, 0);
    Tile tile;
    tile.multiply(left, right, a.channels, false);
    tile.store(ProductResult<T> {(T*)a.y, a.bias, nullptr, a.rows, a.filters}, at.row, at.column);
}

// Column tiles of dx, then those of dx2.
template <class T, class Tile>
__device__ __forceinline__ void linear_joined_backward_data(const LinearJoinedArgs& a) {
    int before = (a.first + Tile::COLUMNS - 1) / Tile::COLUMNS * Tile::COLUMNS;
    TilePosition at = TilePosition::of(a.rows, before + a.channels - a.first, Tile::ROWS, Tile::COLUMNS);
    bool second = at.column >= before;
    int column = second ? at.column - before : at.column, skipped = second ? a.first : 0;
    int columns = second ? a.channels - a.first : a.first;
    MatrixOperand<T> dy {(const T*)a.y, a.filters, 1, a.rows, a.filters};
    MatrixLoader<T, Fastest::DEPTH, Tile::ROWS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> left(dy, at.row, 0);
    MatrixOperand<T> w {(const T*)a.w + skipped, 1, a.channels, columns, a.filters};
    MatrixLoader<T, Fastest::OUTER, Tile::COLUMNS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> right(w, column, 0);
    Tile tile;
    tile.multiply(left, right, a.filters, false);
    tile.store(ProductResult<T> {(T*)(second ? a.x2 : a.x), nullptr, nullptr, a.rows, columns}, at.row, column);
}

template <class T, class Tile>
__device__ __forceinline__ void linear_joined_backward_weight(const LinearJoinedArgs& a) {
    using Columns = MatrixLoader<T, Fastest::OUTER, Tile::COLUMNS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS>;
    int split = blockIdx.y, begin = split * a.depth_per_split, end = min(begin + a.depth_per_split, a.rows);
    TilePosition at = TilePosition::of(a.filters, a.channels, Tile::ROWS, Tile::COLUMNS);
    MatrixOperand<T> dy {(const T*)a.y, 1, a.filters, a.filters, a.rows};
    MatrixLoader<T, Fastest::OUTER, Tile::ROWS, Tile::DEPTH, Tile::CHUNK, Tile::THREADS> left(dy, at.row, begin);
    // A thread loads one chunk of columns of many rows, so all that it loads is of x or of x2.
    bool second = at.column + typename Columns::Places(false).outer >= a.first;
    int columns = second ? a.channels - a.first : a.first;
    MatrixOperand<T> x {(const T*)(second ? a.x2 : a.x), 1, columns, columns, a.rows};
    Columns right(x, second ? at.column - a.first : at.column, begin);
    Tile tile;
    bool sums = a.bias != nullptr && at.column == 0;
    tile.multiply(left, right, end - begin, sums);
    ProductResult<float> to = split_result((float*)a.w, a.bias, a.partial, split, a.filters, a.channels);
    tile.store(to, at.row, at.column);
    if (sums) tile.store_row_sums(to, at.row);
}

// Registers leave room for `blocks` on a multiprocessor: left to itself, ptxas spills a few for more.
#define LINEAR_JOINED(suffix, threads, blocks, T, ...)                                             \
    KERNEL_RESIDENT(linear_joined_##suffix, LinearJoinedArgs, threads, blocks) {                   \
        linear_joined<T, __VA_ARGS__>(a);                                                          \
    }                                                                                              \
    KERNEL_RESIDENT(linear_joined_backward_data_##suffix, LinearJoinedArgs, threads, blocks) {     \
        linear_joined_backward_data<T, __VA_ARGS__>(a);                                            \
    }
#define LINEAR_JOINED_BACKWARD_WEIGHT(suffix, threads, blocks, T, ...)                             \
    KERNEL_RESIDENT(linear_joined_backward_weight_##suffix, LinearJoinedArgs, threads, blocks) {   \
        linear_joined_backward_weight<T, __VA_ARGS__>(a);                                          \
    }

LINEAR_JOINED(f32_128x64, 256, 1, float, FmaTile<float, 128, 64, 8, 4>)
LINEAR_JOINED(f32_32x32, 256, 4, float, FmaTile<float, 32, 32, 2, 2>)
LINEAR_JOINED(bf16_128x64, 256, 1, bf16, FmaTile<bf16, 128, 64, 8, 4>)
LINEAR_JOINED(bf16_32x32, 256, 4, bf16, FmaTile<bf16, 32, 32, 2, 2>)
LINEAR_JOINED(tensor_bf16_128x64, 128, 4, bf16, TensorTile<bf16, 128, 64, 64, 32>)
LINEAR_JOINED(tensor_bf16_128x32, 128, 6, bf16, TensorTile<bf16, 128, 32, 32, 32>)
LINEAR_JOINED(tensor_bf16_64x64, 128, 6, bf16, TensorTile<bf16, 64, 64, 32, 32>)
LINEAR_JOINED(tensor_tf32_128x64, 128, 4, float, TensorTile<float, 128, 64, 64, 32>)
LINEAR_JOINED(tensor_tf32_128x32, 128, 6, float, TensorTile<float, 128, 32, 32, 32>)
LINEAR_JOINED(tensor_tf32_64x64, 128, 6, float, TensorTile<float, 64, 64, 32, 32>)
LINEAR_JOINED_BACKWARD_WEIGHT(f32_64x64, 256, 2, float, FmaTile<float, 64, 64, 4, 4>)
LINEAR_JOINED_BACKWARD_WEIGHT(f32_32x32, 256, 4, float, FmaTile<float, 32, 32, 2, 2>)
LINEAR_JOINED_BACKWARD_WEIGHT(bf16_64x64, 256, 2, bf16, FmaTile<bf16, 64, 64, 4, 4>)
LINEAR_JOINED_BACKWARD_WEIGHT(bf16_32x32, 256, 4, bf16, FmaTile<bf16, 32, 32, 2, 2>)
LINEAR_JOINED_BACKWARD_WEIGHT(tensor_bf16_64x64, 128, 5, bf16, TensorTile<bf16, 64, 64, 32, 32>)
LINEAR_JOINED_BACKWARD_WEIGHT(tensor_bf16_32x128, 128, 5, bf16, TensorTile<bf16, 32, 128, 32, 32>)
LINEAR_JOINED_BACKWARD_WEIGHT(tensor_tf32_64x64, 128, 5, float, TensorTile<float, 64, 64, 32, 32>)
LINEAR_JOINED_BACKWARD_WEIGHT(tensor_tf32_32x128, 128, 5, float, TensorTile<float, 32, 128, 32, 32>)
