package dev.rote.random;

/// Exact mappings from 32-bit words to numbers: the definition that the bulk fills and the CUDA kernels follow bit
/// for bit. Every rounding is written out: `Math.fma` is `__fmaf_rn`, `Math.sqrt` of a float is `__fsqrt_rn`, `*`
/// and `+` are `__fmul_rn` and `__fadd_rn`, `(float) int` is `__int2float_rn`.
///
/// Normals are Box and Muller's (1958): `sqrt(-2 ln u) * (cos v, sin v)`, two words for two normals. Logarithm, sine
/// and cosine are polynomials whose coefficients were fitted here by Lawson's iteration for the least maximal relative
/// error, each rounded to float before the next was fitted.
/// Against the same formula in double the error of a normal is at most 9e-7 (8.03e-7 the worst of 4e8 pairs); the
/// largest normal is 6.7638.
public final class Draw {
    /// Bits of sqrt(1/2) as a float: where a mantissa's range [sqrt(1/2), sqrt(2)) begins.
    static final int SQRT_HALF_BITS = 0x3f3504f3;

    static final float LN2 = 0x1.62e430p-1f;

    /// `ln(1+f) = f - f^2/2 + f^3 (L0 + L1 f + ... + L7 f^7)` on [sqrt(1/2)-1, sqrt(2)-1], relative error 6e-9.
    static final float L0 = 0x1.555554p-2f;

    static final float L1 = -0x1.000226p-2f;
    static final float L2 = 0x1.99a01cp-3f;
    static final float L3 = -0x1.54728ap-3f;
    static final float L4 = 0x1.22d92ep-3f;
    static final float L5 = -0x1.0d8242p-3f;
    static final float L6 = 0x1.055ec6p-3f;
    static final float L7 = -0x1.38c9dep-4f;

    /// `sin(pi/4 x) = x (S0 + S1 x^2 + S2 x^4 + S3 x^6)` on [-1, 1], relative error 3e-8.
    static final float S0 = 0x1.921fb6p-1f;

    static final float S1 = -0x1.4abc24p-4f;
    static final float S2 = 0x1.4680a4p-9f;
    static final float S3 = -0x1.33198ep-15f;

    /// `cos(pi/4 x) = 1 + x^2 (C0 + C1 x^2 + C2 x^4 + C3 x^6)` on [-1, 1], relative error 5e-10.
    static final float C0 = -0x1.3bd3ccp-2f;

    static final float C1 = 0x1.03c1b0p-6f;
    static final float C2 = -0x1.55b2b2p-12f;
    static final float C3 = 0x1.d4f44ap-19f;

    private Draw() {}

    /// An integer in `[0, n)`: the high word of `word * n`. Some values are taken by one word in 2^32 more than
    /// others: a relative bias of at most `n / 2^32`, 1.2e-5 for n = 50,000. Use [EpochOrder] where each value must
    /// come exactly once.
    ///
    /// @throws IllegalArgumentException unless `n > 0`
    public static int below(int word, int n) {
        if (n <= 0) {
            throw new IllegalArgumentException("n: expected at least 1, found " + n);
        }
        return (int) (Integer.toUnsignedLong(word) * n >>> 32);
    }

    /// A float strictly inside (0, 1): `((word >>> 9) + 1/2) * 2^-23`, exact and symmetric about 1/2. With a 24th bit
    /// the largest value would round to 1.
    public static float uniform(int word) {
        return ((float) (word >>> 9) + 0.5f) * 0x1p-23f;
    }

    /// First normal of the pair of words: `radius(radiusWord) * cos(2 pi angleWord / 2^32)`.
    public static float normalCos(int radiusWord, int angleWord) {
        int turned = angleWord + 0x20000000;
        float x = angle(angleWord, turned);
        // Quadrants 0 to 3: cos, -sin, -cos, sin.
        float value = (turned & 0x40000000) == 0 ? cosine(x) : sine(x);
        return radius(radiusWord) * ((turned + 0x40000000) < 0 ? -value : value);
    }

    /// Second normal of the pair of words: `radius(radiusWord) * sin(2 pi angleWord / 2^32)`.
    public static float normalSin(int radiusWord, int angleWord) {
        int turned = angleWord + 0x20000000;
        float x = angle(angleWord, turned);
        // Quadrants 0 to 3: sin, cos, -sin, -cos.
        float value = (turned & 0x40000000) == 0 ? sine(x) : cosine(x);
        return radius(radiusWord) * (turned < 0 ? -value : value);
    }

    /// Standard normal of one element: lanes 0 and 1 of block `element / 4` are cosine and sine of words 0 and 1,
    /// lanes 2 and 3 those of words 2 and 3.
    public static float normal(long seed, long element, int step, Purpose purpose) {
        int lane = (int) (element & 3);
        int radiusWord = Philox.word(seed, element >>> 2, step, purpose.code(), lane & 2);
        int angleWord = Philox.word(seed, element >>> 2, step, purpose.code(), lane | 1);
        return (lane & 1) == 0 ? normalCos(radiusWord, angleWord) : normalSin(radiusWord, angleWord);
    }

    /// Uniform of one element, by [#uniform(int)].
    public static float uniform(long seed, long element, int step, Purpose purpose) {
        return uniform(Philox.elementWord(seed, element, step, purpose.code()));
    }

    /// `sqrt(-2 ln u)` with `u = (word + 1/2) / 2^32` rounded to float once, so 2^-33 <= u <= 1: all 32 bits count
    /// where u is small, which is what reaches the tails.
    static float radius(int word) {
        float low = ((float) (word & 0xffff) + 0.5f) * 0x1p-32f;
        float u = Math.fma((float) (word >>> 16), 0x1p-16f, low);
        int bits = Float.floatToRawIntBits(u);
        int exponent = (bits - SQRT_HALF_BITS) >> 23;
        float f = Float.intBitsToFloat(bits - (exponent << 23)) - 1f;
        float p = Math.fma(L7, f, L6);
        p = Math.fma(p, f, L5);
        p = Math.fma(p, f, L4);
        p = Math.fma(p, f, L3);
        p = Math.fma(p, f, L2);
        p = Math.fma(p, f, L1);
        p = Math.fma(p, f, L0);
        p = Math.fma(p, f, -0.5f);
        float ln = Math.fma((float) exponent, LN2, Math.fma(p, f * f, f));
        return (float) Math.sqrt(-2f * ln);
    }

    /// Angle from the middle of its quadrant, in units of pi/4: -1 <= x <= 1. `turned` is the angle word plus an
    /// eighth of a turn: its top two bits number the quadrant.
    private static float angle(int angleWord, int turned) {
        return (float) (angleWord - (turned & 0xC0000000)) * 0x1p-29f;
    }

    private static float sine(float x) {
        float square = x * x;
        return Math.fma(Math.fma(Math.fma(S3, square, S2), square, S1), square, S0) * x;
    }

    private static float cosine(float x) {
        float square = x * x;
        return Math.fma(Math.fma(Math.fma(Math.fma(C3, square, C2), square, C1), square, C0), square, 1f);
    }
}
