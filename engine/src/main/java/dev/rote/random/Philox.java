package dev.rote.random;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Philox4x32-10, a counter-based random number generator: Salmon, Moraes, Dror and Shaw, "Parallel random numbers:
/// as easy as 1, 2, 3", SC 2011, section 4.2. A bijection of the 128-bit counter for each 64-bit key:
///
/// | word | meaning |
/// |---|---|
/// | key 0, 1 | seed, low and high 32 bits |
/// | counter 0, 1 | block, low and high 32 bits; block = element / 4 where one word serves one element |
/// | counter 2 | step |
/// | counter 3 | purpose ([Purpose#code()]) |
///
/// One call gives four 32-bit words, called lanes 0 to 3. State is held as two longs, `a = x0 << 32 | x1` and
/// `b = x2 << 32 | x3`, for then one round is
/// `a' = x2 * M1 ^ (x1 ^ k0) << 32` and `b' = x0 * M0 ^ (x3 ^ k1) << 32`: high and low half of a product are
/// already where the round wants them.
public final class Philox {
    static final long M0 = 0xD2511F53L;
    static final long M1 = 0xCD9E8D57L;
    static final int WEYL0 = 0x9E3779B9;
    static final int WEYL1 = 0xBB67AE85;
    static final int ROUNDS = 10;

    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED;

    private Philox() {}

    /// Writes the four words of one block to `out[offset .. offset+3]`. Allocates nothing.
    ///
    /// @throws IndexOutOfBoundsException if `out` has no room for them
    public static void words(long seed, long block, int step, int purpose, int[] out, int offset) {
        long a = first(block);
        long b = second(step, purpose);
        int k0 = (int) seed;
        int k1 = (int) (seed >>> 32);
        for (int round = 0; round < ROUNDS; round++) {
            long next = ((b >>> 32) * M1) ^ ((a ^ k0) << 32);
            b = ((a >>> 32) * M0) ^ ((b ^ k1) << 32);
            a = next;
            k0 += WEYL0;
            k1 += WEYL1;
        }
        out[offset] = (int) (a >>> 32);
        out[offset + 1] = (int) a;
        out[offset + 2] = (int) (b >>> 32);
        out[offset + 3] = (int) b;
    }

    /// The word in lane 0 to 3 of one block. Allocates nothing.
    public static int word(long seed, long block, int step, int purpose, int lane) {
        long a = first(block);
        long b = second(step, purpose);
        int k0 = (int) seed;
        int k1 = (int) (seed >>> 32);
        for (int round = 0; round < ROUNDS; round++) {
            long next = ((b >>> 32) * M1) ^ ((a ^ k0) << 32);
            b = ((a >>> 32) * M0) ^ ((b ^ k1) << 32);
            a = next;
            k0 += WEYL0;
            k1 += WEYL1;
        }
        long half = (lane & 2) == 0 ? a : b;
        return (int) ((lane & 1) == 0 ? half >>> 32 : half);
    }

    /// The word of one element: block `element / 4`, lane `element % 4`, for `element >= 0`.
    public static int elementWord(long seed, long element, int step, int purpose) {
        return word(seed, element >>> 2, step, purpose, (int) (element & 3));
    }

    /// As [#words(long, long, int, int, int[], int)], to 16 bytes of a segment in native byte order.
    static void words(long seed, long block, int step, int purpose, MemorySegment out, long byteOffset) {
        long a = first(block);
        long b = second(step, purpose);
        int k0 = (int) seed;
        int k1 = (int) (seed >>> 32);
        for (int round = 0; round < ROUNDS; round++) {
            long next = ((b >>> 32) * M1) ^ ((a ^ k0) << 32);
            b = ((a >>> 32) * M0) ^ ((b ^ k1) << 32);
            a = next;
            k0 += WEYL0;
            k1 += WEYL1;
        }
        out.set(WORD, byteOffset, (int) (a >>> 32));
        out.set(WORD, byteOffset + 4, (int) a);
        out.set(WORD, byteOffset + 8, (int) (b >>> 32));
        out.set(WORD, byteOffset + 12, (int) b);
    }

    private static long first(long block) {
        return Long.rotateLeft(block, 32); // low word is x0, in the high half
    }

    private static long second(int step, int purpose) {
        return ((long) step << 32) | Integer.toUnsignedLong(purpose);
    }
}
