// nearest.cuh: what the kernels of the exact nearest-neighbour search share: the layout of prepared vectors and the bound
// that makes the search exact.
//
// A vector v [d] is centred, x = fl(v - centre), and split, x = x_hi + x_lo with x_hi = bf16(x), 0 below 2^-100; the
// scan sees x_hi only. For a query x and a reference y, with u = 2^-24, s the product of the hi parts as the tensor
// cores give it, X >= max(|x|, |x_hi|) and Y alike:
//   |s - xy| <= |x_lo| Y + X |y_lo| + gamma X Y + 2^-106       gamma = 24 ceil(d/16) 2^-23
// since tensor cores align the 16 products and the sum so far to the largest of them and may cut off each below 2^-23
// of it, in two halves if they like; 2^-106 is what d products below 2^-126 lose. Hence for
//   c = |y|^2/2 - 2^-17 Y^2 - 2^-100        e = (x_lo/X) Y + |y_lo| + (gamma + 2^-17) Y, rounded up
//   key = (c - s) - X e,                    base = |x|^2 - 2^-21 X^2
// the squared distance of the vectors themselves is at least base + 2 key: 2^-17 (Y^2 + X Y) holds the three roundings
// of the key, the five bits of it that name a reference (below 2^-18 of it), and, with 2^-21 X^2, the rounding of the
// centring, which changes the square by at most 4 u (X^2 + Y^2).
// 8-bit vectors are centred by 128: x_lo = 0, s is exact, gamma = 0.
// Reference  Fasi et al. 2021, "Numerical behavior of NVIDIA tensor cores", PeerJ Computer Science 7, e330.
#pragma once
#include "bf16.cuh"
#include "sums.cuh"

// Of a vector as a reference: c, Y, |y_lo|; as a query: X = Y. Norms rounded up.
struct alignas(16) NearestTerms {
    float half, norm, low, unused;
};

// The least key of a group of 32 references and the second least. The low five bits of `first` say whose it is.
struct alignas(8) NearestGroup {
    float first, second;
};

constexpr int NEAREST_MEMBERS = 32;          // references of a group
constexpr unsigned NEAREST_MEMBER_BITS = 31; // of a key
constexpr float NEAREST_LARGE = 0x1p126f;    // above every key, below it where it is subtracted
constexpr double NEAREST_LONGEST = 0x1p60;   // longer vectors are compared with everything by direct differences

// 64 references are two groups, so that a pair of lanes holds one: member 4 j + i of group 2 b + p is 64 b + 8 j + 4 p + i.
__device__ __forceinline__ int nearest_reference(int group, int member) {
    return group / 2 * 64 + member / 4 * 8 + group % 2 * 4 + member % 4;
}

__device__ __forceinline__ float nearest_key(float key, unsigned member) {
    return __uint_as_float((__float_as_uint(key) & ~NEAREST_MEMBER_BITS) | member);
}

// Where byte `at` of a prepared vector lies: in tiles of 64 vectors x 128 bytes of depth, the tiles of 64 vectors one after
// the other. Line r of a tile has its eight parts of 16 bytes at part ^ (r % 8): the 128-byte swizzle of the matrix
// descriptors of sm_90, with which eight neighbouring lines lie in different banks.
constexpr int NEAREST_TILE_BYTES = 64 * 128;

__device__ __forceinline__ int64_t nearest_at(int64_t row, int at, int depth_bytes) {
    int64_t tile = row / 64 * (depth_bytes / 128) + at / 128;
    int line = (int)(row % 64);
    return tile * NEAREST_TILE_BYTES + line * 128 + ((at / 16 % 8 ^ (line & 7)) * 16) + at % 16;
}
