package dev.rote.metrics;

/// The splitmix64 generator (Steele, Lea & Flood, "Fast splittable pseudorandom number generators",
/// OOPSLA 2014): 64-bit state that grows by the golden gamma, mixed by a bijection. Used for bootstrap resampling and
/// for
/// fixed random projections; the same seed gives the same numbers on every machine.
final class SplitMix64 {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private long state;

    SplitMix64(long seed) {
        state = seed;
    }

    /// Stream number `stream` of `seed`: the two are mixed, so that neighbouring streams do not overlap visibly.
    SplitMix64(long seed, long stream) {
        state = mix(seed + mix(stream + GOLDEN_GAMMA));
    }

    long nextLong() {
        state += GOLDEN_GAMMA;
        return mix(state);
    }

    /// Uniform on 0 .. bound - 1 (Lemire 2019, arXiv:1805.10941, without the rejection step: the bias is below
    /// bound / 2^64).
    int nextInt(int bound) {
        return (int) Math.unsignedMultiplyHigh(nextLong(), bound);
    }

    /// Uniform on (0, 1): the midpoints of 2^53 equal cells.
    double nextDouble() {
        return ((nextLong() >>> 11) + 0.5) * 0x1p-53;
    }

    /// Standard normal (Box & Muller 1958), by StrictMath so that the bits are the same everywhere.
    double nextGaussian() {
        double radius = Math.sqrt(-2 * StrictMath.log(nextDouble()));
        return radius * StrictMath.cos(2 * Math.PI * nextDouble());
    }

    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
