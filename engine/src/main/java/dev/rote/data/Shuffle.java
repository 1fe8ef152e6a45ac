package dev.rote.data;

/// The seeded order of images: Fisher-Yates from the end, with splitmix64 (Steele, Lea, Flood 2014, "Fast splittable
/// pseudorandom number generators", figure 17) as the generator. For `i = count-1 ... 1`, `values[i]` is exchanged with
/// `values[j]`, where `j` is the upper 64 bits of the 128-bit product of the next output and `i + 1`.
final class Shuffle {
    private Shuffle() {}

    static void shuffle(int[] values, long seed) {
        long state = seed;
        for (int i = values.length - 1; i > 0; i--) {
            state += 0x9e3779b97f4a7c15L;
            int j = (int) Math.unsignedMultiplyHigh(mix(state), i + 1L);
            int kept = values[i];
            values[i] = values[j];
            values[j] = kept;
        }
    }

    static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
