package dev.rote.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TomlTextTest {
    @ParameterizedTest
    @CsvSource({
        "0, 0.0",
        "1, 1.0",
        "-2, -2.0",
        "0.1, 0.1",
        "1e-4, 0.0001",
        "1e-5, 1e-5",
        "2.5e-8, 2.5e-8",
        "1e9, 1e9",
        "123456.5, 123456.5",
        "0.3333333333333333, 0.3333333333333333",
        "Infinity, inf",
        "-Infinity, -inf",
        "NaN, nan"
    })
    void numbersAreSpeltShort(double value, String text) {
        assertThat(TomlText.number(value)).isEqualTo(text);
    }

    @Test
    void anyFiniteNumberReadsBackWithTheSameBits() {
        var random = new SplittableRandom(1);
        for (int i = 0; i < 3000; i++) {
            double value = Double.longBitsToDouble(random.nextLong());
            if (Double.isFinite(value)) {
                var read = ConfigTree.parse("x = " + TomlText.number(value), "t")
                        .find("x")
                        .orElseThrow();
                assertThat(read.doubleValue()).isEqualTo(value);
                assertThat(read.isIntegralNumber()).isFalse();
            }
        }
    }

    @Test
    void anyStringReadsBack() {
        var all = new StringBuilder("é😀\u007f");
        for (char c = 0; c < 0x80; c++) {
            all.append(c);
        }
        var read = ConfigTree.parse("x = " + TomlText.quoted(all.toString()), "t")
                .find("x")
                .orElseThrow();
        assertThat(read.stringValue()).isEqualTo(all.toString());
    }
}
