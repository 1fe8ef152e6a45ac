package dev.rote.random;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Fills memory with draws. Element `i` of `dst` gets draw number `elementOffset + i`, whatever the offset and
/// however a range is cut into calls, with the bits of the scalar functions of [Draw]. Once warm,
/// a fill of native memory allocates nothing on the heap. Uses the Vector API where module `jdk.incubator.vector` is
/// present and plain Java elsewhere: equal bits.
///
/// `dst` holds 32-bit values in native byte order, any alignment. Native memory is filled at 2 ns per normal on one
/// core (512-bit vectors, 2.1 GHz), memory of a `float[]` at less than half that speed.
public final class RandomFill {
    private static final boolean VECTOR_API =
            ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfFloat VALUE = ValueLayout.JAVA_FLOAT_UNALIGNED;

    enum Kind {
        WORDS,
        UNIFORM,
        NORMAL
    }

    private RandomFill() {}

    /// The raw Philox words, as for dropout masks ([Bernoulli]).
    ///
    /// @throws IllegalArgumentException if `elements` or `elementOffset` is negative or `dst` is smaller than 4 x
    /// elements bytes
    public static void fillWords(
            MemorySegment dst, long elements, long seed, int step, Purpose purpose, long elementOffset) {
        fill(Kind.WORDS, dst, elements, seed, step, purpose.code(), elementOffset);
    }

    /// Uniforms in (0, 1), by [Draw#uniform(int)].
    ///
    /// @throws IllegalArgumentException if `elements` or `elementOffset` is negative or `dst` is smaller than 4 x
    /// elements bytes
    public static void fillUniform(
            MemorySegment dst, long elements, long seed, int step, Purpose purpose, long elementOffset) {
        fill(Kind.UNIFORM, dst, elements, seed, step, purpose.code(), elementOffset);
    }

    /// Standard normals, by [Draw#normal(long, long, int, Purpose)].
    ///
    /// @throws IllegalArgumentException if `elements` or `elementOffset` is negative or `dst` is smaller than 4 x
    /// elements bytes
    public static void fillNormal(
            MemorySegment dst, long elements, long seed, int step, Purpose purpose, long elementOffset) {
        fill(Kind.NORMAL, dst, elements, seed, step, purpose.code(), elementOffset);
    }

    /// The same for a purpose given by its [Purpose#code()], as operations of a graph hold it.
    ///
    /// @throws IllegalArgumentException if `elements` or `elementOffset` is negative or `dst` is smaller than 4 x
    /// elements bytes
    public static void fillNormal(
            MemorySegment dst, long elements, long seed, int step, int purpose, long elementOffset) {
        fill(Kind.NORMAL, dst, elements, seed, step, purpose, elementOffset);
    }

    /// How the fills run on this machine, for reports: `vector 512 bit` or `plain Java`.
    public static String describe() {
        return VECTOR_API ? "vector " + VectorFill.bits() + " bit" : "plain Java";
    }

    private static void fill(
            Kind kind, MemorySegment dst, long elements, long seed, int step, int purpose, long elementOffset) {
        check(dst, elements, elementOffset);
        long head = Math.min(elements, -elementOffset & 3);
        single(kind, dst, 0, head, seed, step, purpose, elementOffset);
        long done = head;
        if (VECTOR_API) {
            done = VectorFill.fill(kind.ordinal(), dst, head, elements, seed, step, purpose, elementOffset);
        }
        done = fillPlain(kind, dst, done, elements, seed, step, purpose, elementOffset);
        single(kind, dst, done, elements, seed, step, purpose, elementOffset);
    }

    /// Whole blocks of four in plain Java: words first, then turned into values where they lie.
    static long fillPlain(
            Kind kind, MemorySegment dst, long from, long to, long seed, int step, int purpose, long elementOffset) {
        long i = from;
        for (; i + 4 <= to; i += 4) {
            Philox.words(seed, (elementOffset + i) >>> 2, step, purpose, dst, 4 * i);
            switch (kind) {
                case WORDS -> {}
                case UNIFORM -> {
                    for (long j = i; j < i + 4; j++) {
                        dst.set(VALUE, 4 * j, Draw.uniform(dst.get(WORD, 4 * j)));
                    }
                }
                case NORMAL -> {
                    for (long j = i; j < i + 4; j += 2) {
                        int radiusWord = dst.get(WORD, 4 * j);
                        int angleWord = dst.get(WORD, 4 * j + 4);
                        dst.set(VALUE, 4 * j, Draw.normalCos(radiusWord, angleWord));
                        dst.set(VALUE, 4 * j + 4, Draw.normalSin(radiusWord, angleWord));
                    }
                }
            }
        }
        return i;
    }

    private static void single(
            Kind kind, MemorySegment dst, long from, long to, long seed, int step, int purpose, long elementOffset) {
        for (long i = from; i < to; i++) {
            long element = elementOffset + i;
            switch (kind) {
                case WORDS -> dst.set(WORD, 4 * i, Philox.elementWord(seed, element, step, purpose));
                case UNIFORM -> dst.set(VALUE, 4 * i, Draw.uniform(Philox.elementWord(seed, element, step, purpose)));
                case NORMAL -> dst.set(VALUE, 4 * i, Draw.normal(seed, element, step, purpose));
            }
        }
    }

    private static void check(MemorySegment dst, long elements, long elementOffset) {
        if (elements < 0 || elements > dst.byteSize() / Float.BYTES) {
            throw new IllegalArgumentException(
                    "elements: expected 0 to " + dst.byteSize() / Float.BYTES + " (size of dst), found " + elements);
        }
        if (elementOffset < 0 || elementOffset > Long.MAX_VALUE - elements) {
            throw new IllegalArgumentException(
                    "elementOffset: expected 0 to 2^63 - 1 - elements, found " + elementOffset);
        }
    }
}
