// taps.cuh: 3x3 convolutions with a single channel on one side as products on tensor cores, of which the nine neighbours of every
// pixel in that channel, its taps, are a factor.
//
// Images pass in pieces: bands of whole rows, at most PIECE pixels. In shared memory a piece's taps are a matrix [16,PIECE], row
// 3 r + s of which has for pixel (h,w) the value at (h+r-1, w+s-1), zero outside of the image; further rows are the kernel's.
// Requires   width a multiple of 16, at most PIECE
#pragma once
#include "bf16.cuh"
#include "mma.cuh"
#include "row_words.cuh"

constexpr int TAPS_THREADS = 256, TAPS_WARPS = TAPS_THREADS / 32;
constexpr int PIECE = 512;               // pixels
constexpr int TAPS_PITCH = PIECE + 8;    // of a row of the matrix: rows of a product's factor meet different banks
constexpr int TAPS_MATRIX = 16 * TAPS_PITCH;
constexpr int MOST_NEAR = 3 * (PIECE + 2); // values of a piece with a border: the most are of one row
static_assert(MOST_NEAR >= (PIECE / 16 + 2) * 18, "or of columns of 16");

// The pieces of a batch, counted by image and band.
struct Pieces {
    int height, width, rows, bands; // rows of a band

    __device__ __forceinline__ Pieces(int height, int width)
        : height(height), width(width), rows(min(height, PIECE / width)), bands((height + rows - 1) / rows) {}

    struct Piece {
        int64_t first; // pixel, of all images
        int row, rows; // the first, of its image
        int pixels;
    };

    __device__ __forceinline__ Piece operator[](int index) const {
        int image = index / bands, row = (index - image * bands) * rows, count = min(rows, height - row);
        return {((int64_t)image * height + row) * width, row, count, count * width};
    }
};

// A block's part of all pieces, and what it does of each: its values with a border of zeros, then the matrix.
struct Taps {
    bf16* matrix; // [16,TAPS_PITCH], shared
    bf16* near;   // [rows + 2, width + 2], shared
    int pitch, slot, at; // of this thread: 8 pixels from 8 slot on, which have (at) as their upper left neighbours
    bool there;

    __device__ __forceinline__ Taps(const Pieces& pieces, bf16* matrix, bf16* near)
        : matrix(matrix), near(near), pitch(pieces.width + 2), slot(threadIdx.x % (PIECE / 8)) {
        int row = 8 * slot / pieces.width;
        at = row * pitch + 8 * slot - row * pieces.width;
        there = row < pieces.rows;
    }

    // Of `from` [N,H,W]. The sum of this thread's values. Nobody reads those of the piece before any more.
    __device__ __forceinline__ float load(const Pieces& pieces, const Pieces::Piece& piece, const bf16* from) const {
        float sum = 0;
        const bf16* first = from + piece.first;
        for (int h = (int)threadIdx.x / 32; h < piece.rows + 2; h += TAPS_WARPS) {
            bool inside = (unsigned)(piece.row + h - 1) < (unsigned)pieces.height;
            for (int w = threadIdx.x % 32; w < pitch; w += 32) {
                bool is = inside && (unsigned)(w - 1) < (unsigned)pieces.width;
                bf16 value = is ? first[(h - 1) * pieces.width + w - 1] : bf16 {0};
                near[h * pitch + w] = value;
                if (h > 0 && h <= piece.rows) sum += to_float(value);
            }
        }
        return sum;
    }

    // The nine rows, when the values are there. Columns behind the last pixel are zero.
    __device__ __forceinline__ void spread(const Pieces::Piece& piece) const {
        bool has = there && 8 * slot < piece.pixels;
#pragma unroll
        for (int tap = (int)threadIdx.x / (PIECE / 8); tap < 9; tap += TAPS_THREADS / (PIECE / 8)) {
            const bf16* from = near + at + tap / 3 * pitch + tap % 3;
            unsigned words[4];
            for (int i = 0; i < 4; i++) {
                words[i] = has ? (unsigned)from[2 * i].bits | (unsigned)from[2 * i + 1].bits << 16 : 0u;
            }
            *(uint4*)(matrix + tap * TAPS_PITCH + 8 * slot) = make_uint4(words[0], words[1], words[2], words[3]);
        }
    }

    // Rows 9 to 15: the first of them `value`, the others zero.
    __device__ __forceinline__ void fill_rest(float value) const {
        unsigned word = pack_bf16(value, value);
        for (int i = threadIdx.x; i < 7 * PIECE / 2; i += TAPS_THREADS) {
            int row = i / (PIECE / 2);
            *(unsigned*)(matrix + (9 + row) * TAPS_PITCH + i % (PIECE / 2) * 2) = row == 0 ? word : 0u;
        }
    }

    // 16 pixels as rows and taps as columns of the left factor.
    __device__ __forceinline__ void get_pixels(unsigned (&a)[4], int pixel) const {
        int lane = threadIdx.x % 32;
        load_matrix<4, true>(a, matrix + (lane / 16 * 8 + lane % 8) * TAPS_PITCH + pixel + lane / 8 % 2 * 8);
    }

    // Taps as rows and 16 pixels as columns of the left factor.
    __device__ __forceinline__ void get_taps(unsigned (&a)[4], int pixel) const {
        int lane = threadIdx.x % 32;
        load_matrix(a, matrix + (lane / 8 % 2 * 8 + lane % 8) * TAPS_PITCH + pixel + lane / 16 * 8);
    }
};

// The filters to 8 TILES of many channels as the right factor of products with taps, and what is added, of a warp.
template <int TILES>
struct TapFilters {
    unsigned filters[TILES][2]; // taps as rows, channels as columns
    float bias[TILES][2];
    int first; // channel

    // Of w [wide,9], or, TURNED, of [9,wide] and the taps from the last to the first. `bias` [wide] or null.
    __device__ __forceinline__ TapFilters(const bf16* w, const float* added, int wide, int first, bool turned) : first(first) {
        int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
#pragma unroll
        for (int n = 0; n < TILES; n++) {
            int channel = first + 8 * n + g;
            unsigned value[4];
            for (int i = 0; i < 4; i++) {
                int tap = 2 * t + i % 2 + i / 2 * 8;
                value[i] = tap < 9 ? w[turned ? (8 - tap) * wide + channel : channel * 9 + tap].bits : 0u;
            }
            for (int i = 0; i < 2; i++) {
                filters[n][i] = value[2 * i] | value[2 * i + 1] << 16;
                bias[n][i] = added == nullptr ? 0.0f : added[first + 8 * n + 2 * t + i];
            }
        }
    }

    // Of all pixels of a piece, to [...,wide].
    __device__ __forceinline__ void multiply(const Taps& taps, const Pieces::Piece& piece, bf16* to, int wide) const {
        int g = threadIdx.x % 32 / 4, warp = threadIdx.x / 32;
#pragma unroll 1
        for (int pixel = 16 * warp; pixel < piece.pixels; pixel += 16 * TAPS_WARPS) {
            unsigned left[4];
            taps.get_pixels(left, pixel);
            RowWords<TILES> words;
#pragma unroll
            for (int n = 0; n < TILES; n++) {
                float sums[4] = {bias[n][0], bias[n][1], bias[n][0], bias[n][1]};
                mma_bf16(sums, left, filters[n]);
                for (int r = 0; r < 2; r++) words.of[n][r] = pack_bf16(sums[2 * r], sums[2 * r + 1]);
            }
            bf16* row = to + ((piece.first + pixel + g) * wide + first);
            words.store([&](int tile, int next, int below) { return row + below * wide + (tile + next) * 8; });
        }
    }
};
