// nearest_rank.cu: the exact nearest neighbours, from the lower bounds of nearest_scan. The second pass of the exact
// nearest-neighbour search.
//
// Math         square[q,r] by the contract of dev.rote.metrics.SquaredDistance: s[j] = fma over i % 8 == j of
//              (f64) q[i] - (f64) r[i], then ((s0+s4)+(s2+s6))+((s1+s5)+(s3+s7)); the k least, ties by index
// Shapes       queries [m,d], references [n,d] f32 or u8   groups [m,groups] NearestGroup
//              base [m] f64   exclude [m] i32 or null   squares [m,k] f64, indices [m,k] i32, in and out
//              counts [4] u32
// Layout       d fastest
// Requires     1 <= k <= 64; blocks of 128 threads
// Tiling       a warp per query. Squares are computed four at a time, eight lanes each with one of the eight sums. First
//              the k references with the least bounds, at least four; the k-th square then rules out whatever has a
//              larger bound; the rest is compared, and of a group whose second bound is not ruled out, all. So a query
//              that the bounds do not settle costs more, at worst all references, and is never wrong.
// Numerics     the contract's bits. A bound rules out if it is above the square by 2^-30, which is more than the
//              contract can err, (d/8 + 6) 2^-53 for d below 2^24, and the f64 of the bound itself
// Determinism  a fixed order, integer counters
// Cost         16 bytes per group twice, 4 d bytes per compared reference, about k + 4 of them: 10,000 x 32,768 x 1,024,
//              k = 2: 0.4 GB, 0.1 ms at 4.3 TB/s
// Reference    NearestNeighboursReference; common/nearest.cuh
#include "nearest.cuh"

struct NearestRankArgs {
    const void* queries;        // [m,d]
    const void* references;     // [n,d]
    const double* base;         // [m]
    const NearestGroup* groups; // [m,group_count]
    const int* exclude;         // [m] or null: reference `exclude[q]` of all is not a neighbour of q
    double* squares;            // [m,k]
    int* indices;               // [m,k]
    unsigned* counts;           // [4] queries of which a group was compared whole; with `audit`: pairs, wrong bounds
    int m;
    int n;
    int d;
    int k;
    int group_count;
    int first;   // index of references[0] among all
    int merge;   // 1: squares and indices hold the k nearest of the references before `first`
    int audit;   // 1: compares everything and counts the bounds that are wrong
};
LAYOUT(NearestRankArgs, queries, references, base, groups, exclude, squares, indices, counts, m, n, d, k, group_count, first,
       merge, audit)

constexpr int RANK_WARPS = 4, AT_ONCE = 4; // squares at a time
constexpr int NOBODY = -1;

// The 64 nearest so far in ascending order, two per lane: entry l in `near` of lane l, entry 32 + l in `far`.
struct NearestList {
    double near_square = INFINITY, far_square = INFINITY;
    int near_index = INT32_MAX, far_index = INT32_MAX;

    __device__ __forceinline__ static bool before(double square, int index, double other, int other_index) {
        return square < other || (square == other && index < other_index);
    }

    // The same values on all lanes.
    __device__ __forceinline__ void insert(double square, int index, int k) {
        int lane = threadIdx.x % 32;
        int place = __popc(__ballot_sync(~0u, before(near_square, near_index, square, index)))
                    + __popc(__ballot_sync(~0u, before(far_square, far_index, square, index)));
        if (place >= k) return;
        if (k > 32) {
            double carried = __shfl_sync(~0u, near_square, 31), up = __shfl_up_sync(~0u, far_square, 1);
            int carried_index = __shfl_sync(~0u, near_index, 31), up_index = __shfl_up_sync(~0u, far_index, 1);
            if (32 + lane > place) {
                far_square = lane == 0 ? carried : up;
                far_index = lane == 0 ? carried_index : up_index;
            } else if (32 + lane == place) {
                far_square = square;
                far_index = index;
            }
        }
        double up = __shfl_up_sync(~0u, near_square, 1);
        int up_index = __shfl_up_sync(~0u, near_index, 1);
        if (lane > place) {
            near_square = up;
            near_index = up_index;
        } else if (lane == place) {
            near_square = square;
            near_index = index;
        }
    }

    // Entry k - 1.
    __device__ __forceinline__ double last(int k) const {
        return k > 32 ? __shfl_sync(~0u, far_square, k - 33) : __shfl_sync(~0u, near_square, k - 1);
    }

    __device__ __forceinline__ void load(const double* squares, const int* indices, int k) {
        int lane = threadIdx.x % 32;
        if (lane < k) near_square = squares[lane], near_index = indices[lane];
        if (lane + 32 < k) far_square = squares[lane + 32], far_index = indices[lane + 32];
    }

    __device__ __forceinline__ void store(double* squares, int* indices, int k) const {
        int lane = threadIdx.x % 32;
        if (lane < k) squares[lane] = near_square, indices[lane] = near_index;
        if (lane + 32 < k) squares[lane + 32] = far_square, indices[lane + 32] = far_index;
    }
};

// The two least first bounds of a lane's groups, and how many of them were taken.
struct LaneBest {
    float key[2] = {2 * NEAREST_LARGE, 2 * NEAREST_LARGE};
    int group[2] = {NOBODY, NOBODY};
    int taken = 0;

    __device__ __forceinline__ void offer(float candidate, int at) {
        if (candidate < key[0]) {
            key[1] = key[0], group[1] = group[0];
            key[0] = candidate, group[0] = at;
        } else if (candidate < key[1]) {
            key[1] = candidate, group[1] = at;
        }
    }

    __device__ __forceinline__ bool took(int at) const {
        return (taken > 0 && group[0] == at) || (taken > 1 && group[1] == at);
    }
};

// A reference and the bound that brought it; the same on the eight lanes that compare it.
struct Candidate {
    int reference;
    float key;
};

template <class T>
struct NearestRank {
    const NearestRankArgs& a;
    int query, lane, eighth;
    double base;
    const T* x; // [d]
    NearestList list;
    float limit = INFINITY; // keys above it are ruled out
    bool compared_whole = false;
    int excluded;

    __device__ __forceinline__ NearestRank(const NearestRankArgs& args, int q)
        : a(args), query(q), lane(threadIdx.x % 32), eighth(lane / 8), base(args.base[q]),
          x(static_cast<const T*>(args.queries) + q * (int64_t)args.d), excluded(args.exclude ? args.exclude[q] - args.first : NOBODY) {
        if (a.merge) {
            list.load(a.squares + query * (int64_t)a.k, a.indices + query * (int64_t)a.k, a.k);
            lower_limit();
        }
    }

    __device__ __forceinline__ NearestGroup group(int at) const {
        return at < a.group_count ? a.groups[query * (int64_t)a.group_count + at]
                                  : NearestGroup {2 * NEAREST_LARGE, 2 * NEAREST_LARGE};
    }

    __device__ __forceinline__ static int member(float key) { return __float_as_uint(key) & NEAREST_MEMBER_BITS; }

    __device__ __forceinline__ Candidate first_of(int at, float key) const {
        return {at < 0 ? NOBODY : nearest_reference(at, member(key)), key};
    }

    // base + 2 key > square, with room for rounding. No NaN: base may be -inf, key is finite.
    __device__ __forceinline__ void lower_limit() {
        double square = list.last(a.k);
        double room = (square + fabs(base)) * 0x1p-30;
        double t = (square - base + room) / 2;
        limit = a.audit ? INFINITY : (float)(t + fabs(t) * 0x1p-22 + 0x1p-120);
    }

    // Of one of the four candidates of a round; the same on its eight lanes.
    __device__ __forceinline__ double square(int reference) const {
        const T* y = static_cast<const T*>(a.references) + (int64_t)reference * a.d;
        double s = 0;
#pragma unroll 8
        for (int i = lane % 8; i < a.d; i += 8) {
            double e = (double)x[i] - (double)y[i];
            s = fma(e, e, s);
        }
        s += __shfl_xor_sync(~0u, s, 4);
        s += __shfl_xor_sync(~0u, s, 2);
        return s + __shfl_xor_sync(~0u, s, 1);
    }

    __device__ __forceinline__ void compare(Candidate candidate) {
        int reference = candidate.reference;
        bool counts = reference >= 0 && reference < a.n && reference != excluded;
        double found = square(counts ? reference : 0);
        if (a.audit && counts && lane % 8 == 0) {
            atomicAdd(a.counts + 1, 1u);
            if ((base + 2 * (double)candidate.key) * (1 - 0x1p-30) > found) atomicAdd(a.counts + 2, 1u);
        }
        unsigned inserted = __ballot_sync(~0u, counts);
        for (int i = 0; i < AT_ONCE; i++) {
            if ((inserted >> (8 * i) & 1u) == 0) continue; // the same on all lanes
            list.insert(__shfl_sync(~0u, found, 8 * i), a.first + __shfl_sync(~0u, reference, 8 * i), a.k);
        }
        lower_limit();
    }

    // All of a group but the one with its least bound; `key` is the second least.
    __device__ __forceinline__ void compare_rest(int at, float first, float key) {
        compared_whole = true;
        int except = member(first);
        for (int i = 0; i < NEAREST_MEMBERS; i += AT_ONCE) {
            int one = i + eighth;
            compare({one == except ? NOBODY : nearest_reference(at, one), key});
        }
    }

    // The least of what the lanes have not given yet, four times; lane `8 i` and its neighbours get the i-th.
    __device__ __forceinline__ Candidate next_best(LaneBest& best) const {
        Candidate mine = {NOBODY, 0};
        for (int i = 0; i < AT_ONCE; i++) {
            float key = best.taken == 0 ? best.key[0] : best.taken == 1 ? best.key[1] : 2 * NEAREST_LARGE;
            int at = best.taken == 0 ? best.group[0] : best.taken == 1 ? best.group[1] : NOBODY;
            float least = -warp_max(-key);
            unsigned owners = __ballot_sync(~0u, key == least && at != NOBODY);
            if (owners == 0) break; // the same on all lanes
            int owner = __ffs(owners) - 1;
            if (lane == owner) best.taken++;
            int from = __shfl_sync(~0u, at, owner);
            if (eighth == i) mine = first_of(from, least);
        }
        return mine;
    }

    __device__ __forceinline__ void start(LaneBest& best) {
#pragma unroll 4
        for (int at = lane; at < a.group_count; at += 32) best.offer(group(at).first, at);
        for (int i = 0; i < a.k; i += AT_ONCE) compare(next_best(best));
    }

    // `queue` [40]: groups whose first bound is not ruled out and was not compared yet.
    __device__ __forceinline__ void finish(const LaneBest& best, int* queue, float* keys) {
        int queued = 0;
        for (int block = 0; block < a.group_count; block += 32) {
            NearestGroup mine = group(block + lane);
            bool wanted = block + lane < a.group_count && mine.first <= limit && !best.took(block + lane);
            unsigned hits = __ballot_sync(~0u, wanted);
            if (wanted) {
                int place = queued + __popc(hits & ((1u << lane) - 1));
                queue[place] = block + lane;
                keys[place] = mine.first;
            }
            queued += __popc(hits);
            __syncwarp(); // the queue is written
            while (queued >= AT_ONCE) {
                queued -= AT_ONCE;
                compare_queued(queue, keys, queued, AT_ONCE);
            }
            unsigned whole = __ballot_sync(~0u, block + lane < a.group_count && mine.second <= limit);
            for (; whole != 0; whole &= whole - 1) {
                int owner = __ffs(whole) - 1;
                float first = __shfl_sync(~0u, mine.first, owner), second = __shfl_sync(~0u, mine.second, owner);
                if (second <= limit) compare_rest(block + owner, first, second);
            }
        }
        if (queued > 0) compare_queued(queue, keys, 0, queued);
    }

    __device__ __forceinline__ void compare_queued(const int* queue, const float* keys, int from, int count) {
        Candidate candidate = {NOBODY, 0};
        if (eighth < count) candidate = first_of(queue[from + eighth], keys[from + eighth]);
        __syncwarp(); // the queue is read before it is written again
        compare(candidate);
    }
};

template <class T>
__device__ __forceinline__ void nearest_rank(const NearestRankArgs& a) {
    __shared__ int queue[RANK_WARPS][40];
    __shared__ float keys[RANK_WARPS][40];
    int warp = threadIdx.x / 32, query = blockIdx.x * RANK_WARPS + warp;
    if (query >= a.m) return;
    NearestRank<T> rank(a, query);
    LaneBest best;
    rank.start(best);
    rank.finish(best, queue[warp], keys[warp]);
    rank.list.store(a.squares + query * (int64_t)a.k, a.indices + query * (int64_t)a.k, a.k);
    if (rank.compared_whole && threadIdx.x % 32 == 0) atomicAdd(a.counts, 1u);
}

KERNEL_ALONE(nearest_rank_f32, NearestRankArgs, 128, 6) { nearest_rank<float>(a); }

KERNEL_ALONE(nearest_rank_u8, NearestRankArgs, 128, 6) { nearest_rank<uint8_t>(a); }
