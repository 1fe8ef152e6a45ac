package dev.rote.random;

/// The order in which images are visited: each epoch is a permutation of `[0, n)`, epochs follow each other without a
/// gap, and the image at any position is computed on its own, so nothing is stored and nothing is shuffled.
///
/// The permutation is a Feistel network on the smallest power of two that holds n (at least 2^7), with cycle walking:
/// a result of n or more is put through again (Black and Rogaway 2002, "Ciphers with arbitrary finite domains",
/// section 4). Positions are split into a low and a high half, which may differ by one bit in width; each round adds
/// (exclusive or) a mix of one half and the round's key to the other and swaps them. Round key r is word `r % 4` of
/// Philox block `epoch` with step 0 and [Purpose#ORDER], plus `r * 0x9E3779B9`; the mix is MurmurHash3's 32-bit
/// finaliser (Appleby 2011).
public final class EpochOrder {
    /// Even, so that halves of unequal width end where they began.
    private static final int ROUNDS = 12;

    /// A network on fewer bits favours some orders: over 2,000 epochs for each of the 720 orders of six images,
    /// chi-squared lies 170 standard deviations off on 3 bits, 590 on 4, 32 on 5 and 0.8 on 7.
    private static final int SMALLEST_BITS = 7;

    private final long seed;
    private final int n;
    private final int[] keys = new int[4];
    private long epoch = -1;

    /// The order of n images, for one thread at a time: it remembers the epoch that it was last asked about.
    ///
    /// @throws IllegalArgumentException unless `n > 0`
    public EpochOrder(long seed, int n) {
        check(0, n);
        this.seed = seed;
        this.n = n;
    }

    /// The image at global sample number `position`: epoch `position / n`, place `position % n`.
    ///
    /// @return an index in `[0, n)`
    /// @throws IllegalArgumentException unless `position >= 0` and `n > 0`
    public static int indexAt(long seed, long position, int n) {
        check(position, n);
        int[] keys = new int[4];
        Philox.words(seed, position / n, 0, Purpose.ORDER.code(), keys, 0);
        return permute((int) (position % n), n, keys);
    }

    /// The images at positions `position .. position + count - 1`, to `out[0 .. count-1]`; they may straddle epochs.
    /// Allocates nothing.
    ///
    /// @throws IllegalArgumentException unless `position >= 0`, `0 <= count <= out.length` and the last position is
    /// below 2^63
    public void indices(long position, int[] out, int count) {
        check(position, n);
        if (count < 0 || count > out.length) {
            throw new IllegalArgumentException("count: expected 0 to " + out.length + ", found " + count);
        }
        if (position > Long.MAX_VALUE - count) {
            throw new IllegalArgumentException("position: expected at most 2^63 - 1 - count, found " + position);
        }
        for (int i = 0; i < count; i++) {
            long at = position + i;
            if (at / n != epoch) {
                epoch = at / n;
                Philox.words(seed, epoch, 0, Purpose.ORDER.code(), keys, 0);
            }
            out[i] = permute((int) (at % n), n, keys);
        }
    }

    private static int permute(int place, int n, int[] keys) {
        int bits = Math.max(SMALLEST_BITS, 32 - Integer.numberOfLeadingZeros(n - 1));
        int result = place;
        do {
            result = feistel(result, bits / 2, bits - bits / 2, keys);
        } while (result >= n);
        return result;
    }

    private static int feistel(int value, int lowBits, int highBits, int[] keys) {
        int left = value >>> lowBits;
        int right = value & ((1 << lowBits) - 1);
        int leftBits = highBits;
        for (int round = 0; round < ROUNDS; round++) {
            int mixed = left ^ (mix(right ^ (keys[round & 3] + round * 0x9E3779B9)) & ((1 << leftBits) - 1));
            left = right;
            right = mixed;
            leftBits = lowBits + highBits - leftBits;
        }
        return (left << lowBits) | right;
    }

    private static int mix(int value) {
        int h = value;
        h = (h ^ (h >>> 16)) * 0x85EBCA6B;
        h = (h ^ (h >>> 13)) * 0xC2B2AE35;
        return h ^ (h >>> 16);
    }

    private static void check(long position, int n) {
        if (position < 0) {
            throw new IllegalArgumentException("position: expected at least 0, found " + position);
        }
        if (n <= 0) {
            throw new IllegalArgumentException("n: expected at least 1, found " + n);
        }
    }
}
