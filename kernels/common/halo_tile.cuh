// halo_tile.cuh: 256 pixels of a 3x3 convolution with stride 1 and zeros around the image, on tensor cores in bf16.
//
// The tile's pixels are whole rows, of one image or of several whole ones, so they are neighbours in memory. With the
// pixels around them they are read once per 32 channels and multiplied nine times from shared memory, where a gathered
// product (tensor_tile.cuh) reads every pixel nine times from L2.
//
// Requires     width a multiple of 8 that divides 256; 256 pixels are whole rows of an image or whole images; channels
//              of the input multiples of 32, of the output of COLUMNS; all tensors aligned to 16 bytes
// Tiling       256 x COLUMNS per block, 8 warps; depth in steps of 32 channels x 3 taps of a row of the filter: the
//              filter's part of a step comes through a ring of three, the pixels of 32 channels through one or two buffers
// Layout       in shared memory a pixel, or a filter's row, has 64 bytes (a filter's row of 64 outputs: 128) in chunks of
//              16, chunk c of row p at place c ^ (p / 2 % 4) (c ^ p % 8), so the 8 rows of an ldmatrix lie in 8 bank groups
// Numerics     as tensor_tile.cuh
// Determinism  a fixed order: channels by 32, taps by rows, channels by 16
#pragma once
#include "tensor_tile.cuh"

constexpr int HALO_PIXELS = 256, HALO_DEPTH = 32, HALO_THREADS = 256, HALO_RING = 3;
constexpr int HALO_ROW_BYTES = 2 * HALO_DEPTH;
constexpr int HALO_PLACES = 400; // most pixels of a tile with those around it: four images of 8 x 8

// x from which the tile is computed, of [images,height,width,channels]; w [filters,3,3,...].
struct HaloInput {
    const bf16* x; // with `shift` 1 [images,height/2,width/2,channels], each pixel standing for 2 x 2
    const bf16* w;
    int images, height, width, channels;
    int columns; // the output's channels
    int shift;
};

// Which of the tile's pixels a row of the product is.
enum class HaloOrder {
    ROWS, // as they lie in memory
    CELLS // 16 rows are 8 columns of one line, then those below in the next line: four 2 x 2 cells, see store_cells
};

// BACKWARD: w is [channels,3,3,columns], turned by 180 degrees; else [columns,3,3,channels].
template <int COLUMNS, bool BACKWARD, HaloOrder ORDER = HaloOrder::ROWS>
struct HaloTile : TensorTile<bf16, HALO_PIXELS, COLUMNS, COLUMNS == 64 ? 64 : 32, 32> {
    using Tile = TensorTile<bf16, HALO_PIXELS, COLUMNS, COLUMNS == 64 ? 64 : 32, 32>;
    static_assert((COLUMNS == 32 || COLUMNS == 64) && Tile::THREADS == HALO_THREADS, "eight warps");
    static constexpr int TAP_BYTES = HALO_DEPTH * COLUMNS * 2, STEP_BYTES = 3 * TAP_BYTES;

    static constexpr int TABLE_BYTES = 4 * HALO_PLACES; // where each place comes from, in values of x; negative: zero

    int places;           // pixels of the tile with those around it
    int line;             // of them in a row
    int from[Tile::DOWN]; // pixel above and left of this lane's, for its rows of an ldmatrix

    __device__ __forceinline__ HaloTile(const HaloInput& in, int first_pixel) {
        int rows = min(in.height, HALO_PIXELS / in.width), images = HALO_PIXELS / (rows * in.width);
        int per_image = in.height * in.width, image = first_pixel / per_image;
        int first_row = (first_pixel - image * per_image) / in.width;
        line = in.width + 2;
        places = images * (rows + 2) * line;
        DYNAMIC_SHARED(int, table);
        for (int place = threadIdx.x; place < places; place += HALO_THREADS) {
            int above = place / line, column = place - above * line - 1;
            int n = above / (rows + 2), row = first_row + above - n * (rows + 2) - 1;
            bool inside = (unsigned)row < (unsigned)in.height && (unsigned)column < (unsigned)in.width
                          && image + n < in.images;
            int line_above = (image + n) * (in.height >> in.shift) + (row >> in.shift);
            table[place] = inside ? (line_above * (in.width >> in.shift) + (column >> in.shift)) * in.channels : -1;
        }
        int lane = threadIdx.x % 32;
#pragma unroll
        for (int i = 0; i < Tile::DOWN; i++) {
            int pixel = Tile::warp_row() + 16 * i + lane % 16;
            if (ORDER == HaloOrder::CELLS) {
                int eights = in.width / 8, eight = pixel / 16, pair = eight / eights;
                pixel = (2 * pair + lane % 16 / 8) * in.width + 8 * (eight - pair * eights) + lane % 8;
            }
            int n = pixel / (rows * in.width), inner = pixel - n * rows * in.width;
            from[i] = (n * (rows + 2) + inner / in.width) * line + inner % in.width;
        }
    }

    __device__ __forceinline__ static int place_of(int row, int chunk) {
        return row * HALO_ROW_BYTES + ((chunk ^ (row >> 1 & 3)) << 4);
    }

    __device__ __forceinline__ void load_pixels(unsigned char* buffer, const HaloInput& in, int channel) const {
        DYNAMIC_SHARED(int, table);
        int part = threadIdx.x % 4;
        for (int place = threadIdx.x / 4; place < places; place += HALO_THREADS / 4) {
            int source = table[place];
            const bf16* from = source < 0 ? in.x : in.x + source + channel + 8 * part;
            copy_async<16>(buffer + place_of(place, part), from, source >= 0);
        }
    }

    // Three taps of row `row` of the filter.
    __device__ __forceinline__ static void load_filters(unsigned char* stage, const HaloInput& in, int column, int row,
                                                        int channel) {
        constexpr int ROWS = BACKWARD ? HALO_DEPTH : COLUMNS, CHUNKS = (BACKWARD ? COLUMNS : HALO_DEPTH) / 8;
        constexpr int COUNT = 3 * ROWS * CHUNKS;
#pragma unroll
        for (int i = 0; i < (COUNT + HALO_THREADS - 1) / HALO_THREADS; i++) {
            int at = threadIdx.x + i * HALO_THREADS;
            if (COUNT % HALO_THREADS != 0 && at >= COUNT) break;
            int chunk = at % CHUNKS, outer = at / CHUNKS % ROWS, s = at / (CHUNKS * ROWS);
            int tap = BACKWARD ? 8 - (3 * row + s) : 3 * row + s;
            const bf16* w = BACKWARD ? in.w + ((int64_t)(channel + outer) * 9 + tap) * in.columns + column + 8 * chunk
                                     : in.w + ((int64_t)(column + outer) * 9 + tap) * in.channels + channel + 8 * chunk;
            copy_async<16>(stage + s * TAP_BYTES + filter_place(outer, chunk), w);
        }
    }

    __device__ __forceinline__ static int filter_place(int row, int chunk) {
        return BACKWARD && COLUMNS == 64 ? row * 128 + ((chunk ^ (row & 7)) << 4) : place_of(row, chunk);
    }

    // Filters of 16 columns from `column` and 16 channels from `depth`, as TensorOperandTile::fragments<false>.
    __device__ __forceinline__ static void filter_fragments(unsigned (&values)[4], const unsigned char* tap, int column,
                                                            int depth) {
        int matrix = threadIdx.x % 32 / 8, row = threadIdx.x % 8;
        if constexpr (BACKWARD) {
            int d = depth + 8 * (matrix % 2) + row, c = column + 8 * (matrix / 2);
            load_matrix<4, true>(values, tap + filter_place(d, c / 8));
        } else {
            int c = column + 8 * (matrix / 2) + row, d = depth + 8 * (matrix % 2);
            load_matrix(values, tap + filter_place(c, d / 8));
        }
    }

    __device__ __forceinline__ void multiply(const HaloInput& in, int column) {
        DYNAMIC_SHARED(unsigned char, shared);
        unsigned char* ring = shared + TABLE_BYTES;
        unsigned char* pixels = ring + HALO_RING * STEP_BYTES;
        int buffer_bytes = places * HALO_ROW_BYTES, steps = in.channels / HALO_DEPTH * 3;
        auto load = [&](int step) {
            if (step < steps) {
                int part = step / 3, row = step - 3 * part;
                load_filters(ring + step % HALO_RING * STEP_BYTES, in, column, row, part * HALO_DEPTH);
                if (row == 0) load_pixels(pixels + part % 2 * buffer_bytes, in, part * HALO_DEPTH);
            }
            commit_copies(); // an empty group too: the count of groups is the count of steps
        };
        __syncthreads(); // the table is there
        load(0);
        load(1);
        for (int step = 0; step < steps; step++) {
            wait_copies<1>();
            __syncthreads(); // this step is there, and nobody reads the one before, which is loaded over
            load(step + 2);
            int part = step / 3;
            multiply_row(pixels + part % 2 * buffer_bytes, ring + step % HALO_RING * STEP_BYTES, step - 3 * part);
        }
        wait_copies<0>();
    }

    __device__ __forceinline__ void multiply_row(const unsigned char* pixels, const unsigned char* stage, int row) {
        int upper = threadIdx.x % 32 / 16; // this lane's chunk of the two of an ldmatrix
#pragma unroll 1
        for (int s = 0; s < 3; s++) {
            int place[Tile::DOWN];
#pragma unroll
            for (int i = 0; i < Tile::DOWN; i++) place[i] = place_of(from[i] + row * line + s, upper);
#pragma unroll
            for (int k = 0; k < HALO_DEPTH; k += 16) {
                unsigned a[Tile::DOWN][4], b[2][4];
#pragma unroll
                for (int j = 0; j < 2; j++) {
                    filter_fragments(b[j], stage + s * TAP_BYTES, Tile::warp_column() + 16 * j, k);
                }
#pragma unroll
                for (int i = 0; i < Tile::DOWN; i++) load_matrix(a[i], pixels + (place[i] ^ k * 2));
#pragma unroll
                for (int i = 0; i < Tile::DOWN; i++) {
#pragma unroll
                    for (int j = 0; j < 4; j++) {
                        unsigned right[2] = {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]};
                        mma_bf16(this->sum[i][j], a[i], right);
                    }
                }
            }
        }
    }

    // Adds a tensor to the sums, of which `shared` pixels share a line: [pixels/shared,columns], columns even.
    __device__ __forceinline__ void add(const bf16* addend, int shared, int pixels, int columns, int row, int column) {
        static_assert(ORDER == HaloOrder::ROWS, "pixels as they lie in memory");
        int lane = threadIdx.x % 32;
        column += Tile::warp_column() + lane % 4 * 2;
#pragma unroll
        for (int i = 0; i < Tile::DOWN; i++) {
#pragma unroll
            for (int half = 0; half < 2; half++) {
                int at = row + Tile::warp_row() + 16 * i + 8 * half + lane / 4;
                if (at >= pixels) continue;
                const bf16* line = addend + (int64_t)(at / shared) * columns + column;
#pragma unroll
                for (int j = 0; j < Tile::ACROSS; j++) {
                    if (column + 8 * j >= columns) continue;
                    unsigned two = *(const unsigned*)(line + 8 * j);
                    this->sum[i][j][2 * half] += __uint_as_float(two << 16);
                    this->sum[i][j][2 * half + 1] += __uint_as_float(two & 0xffff0000u);
                }
            }
        }
    }

    // The sums of the 2 x 2 cells, to `to` [pixels/4,columns] from row `row` on; the four are left + right of upper + lower.
    __device__ __forceinline__ void store_cells(const ProductResult<bf16>& to, const HaloInput& in, int row, int column) {
        static_assert(ORDER == HaloOrder::CELLS, "neighbours in registers");
        int lane = threadIdx.x % 32, eights = in.width / 8;
        bool whole = to.aligned();
#pragma unroll
        for (int i = 0; i < Tile::DOWN; i++) {
#pragma unroll
            for (int j = 0; j < Tile::ACROSS; j++) {
#pragma unroll
                for (int e = 0; e < 2; e++) {
                    float upper_and_lower = this->sum[i][j][e] + this->sum[i][j][e + 2];
                    this->sum[i][j][e] = upper_and_lower + __shfl_xor_sync(~0u, upper_and_lower, 4);
                }
            }
            int eight = Tile::warp_row() / 16 + i, pair = eight / eights;
            int cell = row + pair * (in.width / 2) + 4 * (eight - pair * eights) + lane / 8;
            int at = lane / 4 % 2 == 0 ? cell : to.rows; // both lanes of a cell have its sum, and one stores it
            bf16* line = to.y + (int64_t)at * to.columns;
#pragma unroll
            for (int j = 0; j < Tile::ACROSS; j += 4) {
                this->store_four(to, line, at, column + Tile::warp_column() + 8 * j, this->sum[i], j, 0, whole);
            }
        }
    }
};
