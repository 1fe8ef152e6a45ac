package dev.rote.random;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PhiloxTest {
    /// The vectors of `kat_vectors` in the authors' Random123 library: key, counter, result.
    @ParameterizedTest
    @CsvSource({
        "00000000 00000000, 00000000 00000000 00000000 00000000, 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
        "ffffffff ffffffff, ffffffff ffffffff ffffffff ffffffff, 408f276d 41c83b0e a20bc7c6 6d5451fd",
        "a4093822 299f31d0, 243f6a88 85a308d3 13198a2e 03707344, d16cfe09 94fdcceb 5001e420 24126ea1",
    })
    void publishedVectorsAreReproduced(String key, String counter, String result) {
        int[] k = hex(key);
        int[] c = hex(counter);
        long seed = ((long) k[1] << 32) | Integer.toUnsignedLong(k[0]);
        long block = ((long) c[1] << 32) | Integer.toUnsignedLong(c[0]);
        int[] out = new int[6];
        Philox.words(seed, block, c[2], c[3], out, 1);
        assertThat(out).containsExactly(0, hex(result)[0], hex(result)[1], hex(result)[2], hex(result)[3], 0);
        MemorySegment segment = MemorySegment.ofArray(new int[4]);
        Philox.words(seed, block, c[2], c[3], segment, 0);
        assertThat(segment.toArray(java.lang.foreign.ValueLayout.JAVA_INT)).containsExactly(hex(result));
        for (int lane = 0; lane < 4; lane++) {
            assertThat(Philox.word(seed, block, c[2], c[3], lane)).isEqualTo(hex(result)[lane]);
        }
    }

    @Test
    void anElementTakesLaneElementModuloFourOfItsBlock() {
        for (long element : new long[] {0, 5, 10, 15, (1L << 40) + 3}) {
            assertThat(Philox.elementWord(7, element, 3, 2))
                    .isEqualTo(Philox.word(7, element / 4, 3, 2, (int) (element % 4)));
        }
    }

    @Test
    void subStreamsAreTheHighCounterWord() {
        assertThat(Purpose.streamStart(5) / 4).isEqualTo(5L << 32);
        assertThat(Purpose.streamStart((1 << 29) - 1)).isPositive();
    }

    @Test
    void purposesHaveDistinctCodesThatNeverChange() {
        assertThat(Purpose.values()).extracting(Purpose::code).doesNotHaveDuplicates();
        assertThat(Purpose.NOISE.code()).isEqualTo(0);
        assertThat(Purpose.ORDER.code()).isEqualTo(3);
        assertThat(Purpose.MASK.code()).isEqualTo(13);
    }

    private static int[] hex(String words) {
        return java.util.Arrays.stream(words.trim().split(" "))
                .mapToInt(w -> Integer.parseUnsignedInt(w, 16))
                .toArray();
    }
}
