// row_words.cuh: what a product on tensor cores yields, rounded to bf16: as a factor of another one, and on its way to memory.
#pragma once
#include "tile_store.cuh"

// Rows g and g + 8 of 16, TILES times 8 columns, two values a word, as a product yields them: this lane's words.
template <int TILES>
struct RowWords {
    unsigned of[TILES][2];

    // As the left factor of a product: columns 16 k to 16 k + 15.
    __device__ __forceinline__ void get_left(unsigned (&a)[4], int k) const {
        for (int i = 0; i < 4; i++) a[i] = of[2 * k + i / 2][i % 2];
    }

    // A lane stores 16 bytes of a row at a time, two lanes a sector: at(tile, next, below) is where the 8 columns of tile + next
    // of row g + below go, `tile` even and known to the compiler, next 0 or 1, below 0 or 8.
    template <class F>
    __device__ __forceinline__ void store(F at) const {
        int t = threadIdx.x % 4;
#pragma unroll
        for (int first = 0; first < 2 * TILES; first += 4) {
            unsigned words[4];
            for (int n = 0; n < 4; n++) words[n] = first + n < 2 * TILES ? of[(first + n) / 2][n % 2] : 0u;
            transpose_quad(words, t);
            if (first + 4 <= 2 * TILES || first + t < 2 * TILES) {
                *(uint4*)at(first / 2, t / 2, t % 2 * 8) = make_uint4(words[0], words[1], words[2], words[3]);
            }
        }
    }
};
