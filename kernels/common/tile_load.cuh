// tile_load.cuh: who loads what of a matrix product, D [M,N] = A [M,depth] B [depth,N].
//
// An operand is seen as outer x depth: `outer` is a row of A or a column of B. It need not lie in memory as a matrix: a
// loader turns (outer, depth) into an address, and says where the value is zero instead. A thread loads the same places of
// every tile; what belongs to them is worked out once, and going one tile further costs a few additions.
//
// Layout     one of the two is fastest in memory; loads are CHUNK values along it
// Requires   with CHUNK > 1 the fastest extent is a multiple of CHUNK, so a chunk is within or without
#pragma once
#include "bf16.cuh"

// Which of outer and depth is fastest in memory; EITHER is decided at run time.
enum class Fastest { DEPTH, OUTER, EITHER };

// Places of one thread in a tile of OUTERS x DEPTHS: `LOADS` of them, each `outer_step`, `depth_step` from the last one.
template <int OUTERS, int DEPTHS, int CHUNK, int THREADS>
struct TilePlaces {
    static constexpr int CHUNKS = OUTERS * DEPTHS / CHUNK;
    static constexpr int LOADS = CHUNKS < THREADS ? 1 : CHUNKS / THREADS;
    static_assert(CHUNKS < THREADS || CHUNKS % THREADS == 0, "every thread loads equally much");

    int outer, depth, outer_step, depth_step;

    __device__ __forceinline__ explicit TilePlaces(bool depth_fastest) {
        int thread = threadIdx.x;
        if (depth_fastest) {
            constexpr int ROW = DEPTHS / CHUNK;
            outer = thread / ROW, depth = thread % ROW * CHUNK, outer_step = THREADS / ROW, depth_step = 0;
        } else {
            constexpr int ROW = OUTERS / CHUNK;
            outer = thread % ROW * CHUNK, depth = thread / ROW, outer_step = 0, depth_step = THREADS / ROW;
        }
    }

    __device__ __forceinline__ bool active() const { return CHUNKS >= THREADS || (int)threadIdx.x < CHUNKS; }
};

// Where a value lies; outside it is zero and `at` is not to be read. A pointer that is null outside would say the same,
// but ptxas 13.0 tests such a pointer before it is there (sm_90a, seen in conv2d_f32_128x64: reads of address 0).
template <class T>
struct Found {
    const T* at;
    bool inside;
};

// A matrix in memory: value (outer, depth) at base[outer * outer_stride + depth * depth_stride].
template <class T>
struct MatrixOperand {
    const T* base;
    int64_t outer_stride, depth_stride;
    int outers, depths;
};

template <class T, Fastest FASTEST_, int OUTERS, int DEPTHS, int CHUNK, int THREADS>
struct MatrixLoader {
    using Places = TilePlaces<OUTERS, DEPTHS, CHUNK, THREADS>;
    using Value = T;
    static constexpr Fastest FASTEST = FASTEST_;
    static constexpr int LOADS = Places::LOADS;

    bool depth_fastest;
    Places places;
    const T* base;
    const T* at;
    int64_t between, ahead; // values from one load to the next, from one tile to the next
    int outers_left, depths_left; // counted from this thread's first place

    __device__ __forceinline__ MatrixLoader(const MatrixOperand<T>& matrix, int first_outer, int first_depth)
        : depth_fastest(FASTEST == Fastest::EITHER ? matrix.depth_stride == 1 : FASTEST == Fastest::DEPTH),
          places(depth_fastest), base(matrix.base) {
        int outer = first_outer + places.outer, depth = first_depth + places.depth;
        at = base + outer * matrix.outer_stride + depth * matrix.depth_stride;
        between = places.outer_step * matrix.outer_stride + places.depth_step * matrix.depth_stride;
        ahead = DEPTHS * matrix.depth_stride;
        outers_left = matrix.outers - outer;
        depths_left = matrix.depths - depth;
    }

    __device__ __forceinline__ Found<T> find(int i) const {
        return {at + i * between, i * places.outer_step < outers_left && i * places.depth_step < depths_left};
    }

    __device__ __forceinline__ void advance() {
        at += ahead;
        depths_left -= DEPTHS;
    }
};

// Two matrices side by side, of `first` and `depths - first` values a row: value (outer, depth) of rows [outers,depths] that
// lie in memory as [outers,first] at `base` and the rest at `second`. `first` is a multiple of CHUNK.
template <class T>
struct JoinedOperand {
    const T* base;
    const T* second;
    int first, outers, depths;
};

template <class T, int OUTERS, int DEPTHS, int CHUNK, int THREADS>
struct JoinedLoader {
    using Places = TilePlaces<OUTERS, DEPTHS, CHUNK, THREADS>;
    using Value = T;
    static constexpr Fastest FASTEST = Fastest::DEPTH;
    static constexpr int LOADS = Places::LOADS;

    JoinedOperand<T> matrix;
    Places places;
    const T* base;
    const T* at;
    int64_t between; // values from one load to the next
    int outer, depth; // of this thread's first place

    __device__ __forceinline__ JoinedLoader(const JoinedOperand<T>& matrix, int first_outer)
        : matrix(matrix), places(true), base(matrix.base), outer(first_outer + places.outer), depth(places.depth) {
        if (depth < matrix.first) enter(matrix.base, matrix.first, depth);
        else enter(matrix.second, matrix.depths - matrix.first, depth - matrix.first);
    }

    __device__ __forceinline__ void enter(const T* part, int columns, int column) {
        at = part + ((int64_t)outer * columns + column);
        between = (int64_t)places.outer_step * columns;
    }

    __device__ __forceinline__ Found<T> find(int i) const {
        return {at + i * between, i * places.outer_step < matrix.outers - outer && depth < matrix.depths};
    }

    __device__ __forceinline__ void advance() {
        bool before = depth < matrix.first;
        depth += DEPTHS;
        at += DEPTHS;
        if (before && depth >= matrix.first) enter(matrix.second, matrix.depths - matrix.first, depth - matrix.first);
    }
};

// A position counted in three digits, the lowest fastest. Adding needs no division.
struct Walk {
    int high, middle, low;

    __device__ __forceinline__ static Walk of(int position, int middles, int lows) {
        int rest = position / lows, high = rest / middles;
        return {high, rest - high * middles, position - rest * lows};
    }

    __device__ __forceinline__ void add(const Walk& step, int middles, int lows) {
        low += step.low;
        int carry = low >= lows;
        low -= carry ? lows : 0;
        middle += step.middle + carry;
        carry = middle >= middles;
        middle -= carry ? middles : 0;
        high += step.high + carry;
    }
};

// An operand that Source finds: Outer outer(int), Walk depth(int), find(Outer, Walk), and the radices of the depth.
template <class Source, int OUTERS, int DEPTHS, int CHUNK, int THREADS>
struct GatherLoader {
    using Places = TilePlaces<OUTERS, DEPTHS, CHUNK, THREADS>;
    using Value = typename Source::Value;
    static constexpr Fastest FASTEST = Source::FASTEST;
    static constexpr int LOADS = Places::LOADS;
    static constexpr bool depth_fastest = FASTEST == Fastest::DEPTH;
    static constexpr int OUTER_PLACES = depth_fastest ? LOADS : 1, DEPTH_PLACES = depth_fastest ? 1 : LOADS;

    Source source;
    Places places;
    const Value* base;
    typename Source::Outer outers[OUTER_PLACES];
    Walk depths[DEPTH_PLACES], step;

    __device__ __forceinline__ GatherLoader(const Source& source, int first_outer, int first_depth)
        : source(source), places(depth_fastest), base(source.base), step(source.depth(DEPTHS)) {
        for (int i = 0; i < OUTER_PLACES; i++) {
            outers[i] = source.outer(first_outer + places.outer + i * places.outer_step);
        }
        for (int i = 0; i < DEPTH_PLACES; i++) {
            depths[i] = source.depth(first_depth + places.depth + i * places.depth_step);
        }
    }

    __device__ __forceinline__ Found<Value> find(int i) const {
        return source.find(outers[depth_fastest ? i : 0], depths[depth_fastest ? 0 : i]);
    }

    __device__ __forceinline__ void advance() {
        for (int i = 0; i < DEPTH_PLACES; i++) depths[i].add(step, source.middles(), source.lows());
    }
};
