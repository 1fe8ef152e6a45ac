package dev.rote.random;

/// Yes-or-no draws from raw words, as for dropout: an element is kept if its word, taken as unsigned, is at least the
/// threshold `round(p * 2^32)`, where p is the probability to drop it. So p = 0 keeps everything, the true
/// probability to drop is within 2^-33 of p, and a larger p only ever drops more: masks of one seed are nested.
public final class Bernoulli {
    private Bernoulli() {}

    /// The threshold as an unsigned 32-bit integer. p so near 1 that it would round to 2^32 gives 2^32 - 1.
    ///
    /// @throws IllegalArgumentException unless `0 <= dropProbability < 1`
    public static int threshold(double dropProbability) {
        if (!(dropProbability >= 0 && dropProbability < 1)) {
            throw new IllegalArgumentException(
                    "dropProbability: expected at least 0 and less than 1, found " + dropProbability);
        }
        return (int) Math.min(Math.round(dropProbability * 0x1p32), 0xFFFFFFFFL);
    }

    /// Whether the element that drew `word` is kept.
    public static boolean keep(int word, int threshold) {
        return Integer.compareUnsigned(word, threshold) >= 0;
    }
}
