package dev.rote.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RandomFillTest {
    private static final long SEED = 0x1234_5678_9abc_def0L;

    @ParameterizedTest
    @CsvSource({
        "0,0",
        "1,0",
        "1,1",
        "1,3",
        "3,2",
        "4,0",
        "5,3",
        "31,1",
        "64,0",
        "67,5",
        "4097,2",
        "9001,7",
        "9001,17179869170",
        "200,9007199254740991"
    })
    void fillsHaveTheBitsOfScalarDrawsAtAnyOffset(int count, long offset) {
        MemorySegment dst = MemorySegment.ofArray(new float[count + 2]);
        MemorySegment inner = dst.asSlice(4, 4L * count);
        RandomFill.fillNormal(inner, count, SEED, 9, Purpose.SAMPLE, offset);
        for (int i = 0; i < count; i++) {
            assertThat(bits(inner, i))
                    .as("normal %d", i)
                    .isEqualTo(Float.floatToRawIntBits(Draw.normal(SEED, offset + i, 9, Purpose.SAMPLE)));
        }
        RandomFill.fillUniform(inner, count, SEED, -9, Purpose.TIME, offset);
        for (int i = 0; i < count; i++) {
            assertThat(bits(inner, i))
                    .as("uniform %d", i)
                    .isEqualTo(Float.floatToRawIntBits(Draw.uniform(SEED, offset + i, -9, Purpose.TIME)));
        }
        RandomFill.fillWords(inner, count, SEED, 1, Purpose.DROPOUT, offset);
        for (int i = 0; i < count; i++) {
            assertThat(bits(inner, i))
                    .as("word %d", i)
                    .isEqualTo(Philox.elementWord(SEED, offset + i, 1, Purpose.DROPOUT.code()));
        }
        assertThat(bits(dst, 0)).isZero();
        assertThat(bits(dst, count + 1)).isZero();
    }

    @Test
    void vectorAndPlainLoopsAgreeBitForBitOverAMillionNormals() {
        int count = 1 << 20;
        assertThat(RandomFill.describe()).startsWith("vector");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment vector = arena.allocate(4L * count, 64);
            MemorySegment plain = arena.allocate(4L * count, 64);
            RandomFill.fillNormal(vector, count, SEED, 2, Purpose.NOISE, 0);
            RandomFill.fillPlain(RandomFill.Kind.NORMAL, plain, 0, count, SEED, 2, Purpose.NOISE.code(), 0);
            assertThat(vector.mismatch(plain)).isEqualTo(-1);
            assertThat(plain.get(ValueLayout.JAVA_INT, 4L * count - 4)).isNotZero();
        }
    }

    /// The sums (FNV-1a over 32-bit words) are those of a C++ program that was written from the same formulas.
    @Test
    void theBitsOfASeedNeverChange() {
        int count = 4_000_000;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment dst = arena.allocate(4L * count);
            RandomFill.fillNormal(dst, count, 0x1234_5678_9abc_def0L, 9, Purpose.SAMPLE, 0);
            long sum = 1469598103934665603L;
            for (int i = 0; i < count; i++) {
                sum = mix(sum, bits(dst, i));
            }
            assertThat(sum).isEqualTo(0x8de616fa9e8bdc4cL);
            for (int n : new int[] {3, 100, 50_000, Integer.MAX_VALUE}) {
                for (int position = 0; position < 10_000; position++) {
                    int word = position * (int) 2_654_435_761L;
                    sum = mix(sum, EpochOrder.indexAt(7, position, n));
                    sum = mix(sum, Float.floatToRawIntBits(Draw.uniform(word)));
                    sum = mix(sum, Draw.below(word, n));
                }
            }
            assertThat(sum).isEqualTo(0x9e3ca9c52a694aceL);
        }
    }

    private static long mix(long sum, int word) {
        return (sum ^ Integer.toUnsignedLong(word)) * 1_099_511_628_211L;
    }

    @Test
    void oneFillEqualsItsPieces() {
        float[] whole = new float[1000];
        float[] pieces = new float[1000];
        RandomFill.fillNormal(MemorySegment.ofArray(whole), 1000, SEED, 0, Purpose.INIT, 50);
        for (int from = 0; from < 1000; from += 77) {
            int count = Math.min(77, 1000 - from);
            MemorySegment piece = MemorySegment.ofArray(pieces).asSlice(4L * from);
            RandomFill.fillNormal(piece, count, SEED, 0, Purpose.INIT, 50 + from);
        }
        assertThat(pieces).isEqualTo(whole);
    }

    @Test
    void seedStepPurposeAndStreamEachChangeEveryDraw() {
        float[] base = normals(1, 1, Purpose.NOISE, 0);
        assertThat(equalValues(base, normals(1, 1, Purpose.NOISE, 0))).isEqualTo(1000);
        assertThat(equalValues(base, normals(2, 1, Purpose.NOISE, 0))).isZero();
        assertThat(equalValues(base, normals(1L << 32 | 1, 1, Purpose.NOISE, 0)))
                .isZero();
        assertThat(equalValues(base, normals(1, 2, Purpose.NOISE, 0))).isZero();
        assertThat(equalValues(base, normals(1, 1, Purpose.SAMPLE, 0))).isZero();
        assertThat(equalValues(base, normals(1, 1, Purpose.NOISE, Purpose.streamStart(1))))
                .isZero();
    }

    @Test
    void aWarmFillOfNativeMemoryAllocatesNothing() {
        MemorySegment dst = Arena.ofAuto().allocate(40_000, 64);
        for (int i = 0; i < 3000; i++) {
            RandomFill.fillNormal(dst, 10_000, SEED, i, Purpose.NOISE, 3);
            RandomFill.fillUniform(dst, 10_000, SEED, i, Purpose.NOISE, 3);
        }
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 100; i++) {
            RandomFill.fillNormal(dst, 10_000, SEED, i, Purpose.NOISE, 3);
            RandomFill.fillUniform(dst, 10_000, SEED, i, Purpose.NOISE, 3);
        }
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(1000);
    }

    @Test
    void wrongSizesAreRefused() {
        MemorySegment dst = MemorySegment.ofArray(new float[4]);
        assertThatThrownBy(() -> RandomFill.fillNormal(dst, 5, 1, 0, Purpose.NOISE, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("elements: expected 0 to 4");
        assertThatThrownBy(() -> RandomFill.fillUniform(dst, 4, 1, 0, Purpose.NOISE, -1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("elementOffset");
        assertThatThrownBy(() -> Purpose.streamStart(1 << 29)).isInstanceOf(IllegalArgumentException.class);
    }

    private static float[] normals(long seed, int step, Purpose purpose, long offset) {
        float[] z = new float[1000];
        RandomFill.fillNormal(MemorySegment.ofArray(z), 1000, seed, step, purpose, offset);
        return z;
    }

    private static int equalValues(float[] a, float[] b) {
        int equal = 0;
        for (int i = 0; i < a.length; i++) {
            equal += a[i] == b[i] ? 1 : 0;
        }
        return equal;
    }

    private static int bits(MemorySegment segment, int index) {
        return segment.get(ValueLayout.JAVA_INT_UNALIGNED, 4L * index);
    }
}
