package dev.rote.tools.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UnitsTest {
    @ParameterizedTest
    @CsvSource({
        "0,0 s",
        "1e-12,0 s",
        "0.00000001,0.00001 ms",
        "0.00003456,0.0346 ms",
        "0.0034,3.40 ms",
        "0.9994,999 ms",
        "0.9996,1.00 s",
        "9.94,9.94 s",
        "9.96,10 s",
        "59.4,59 s",
        "59.6,1 min 00 s",
        "185,3 min 05 s",
        "3599.6,1 h 00 min",
        "7384,2 h 03 min",
        "7199.7,2 h 00 min",
        "86380,1 d 00 h",
        "100000,1 d 04 h",
        "1e8,'1,157 d 10 h'",
        "Infinity,?",
        "NaN,?"
    })
    void timesHaveTheUnitThatSuitsThem(double seconds, String text) {
        assertThat(Units.time(seconds)).isEqualTo(text);
    }

    @Test
    void amountsAreScaled() {
        assertThat(Units.bytes(1023)).isEqualTo("1023 B");
        assertThat(Units.bytes(1536)).isEqualTo("1.50 KiB");
        assertThat(Units.bytes(3L << 40)).isEqualTo("3.00 TiB");
        assertThat(Units.flops(999)).isEqualTo("999 FLOP");
        assertThat(Units.flops(1_230_000_000L)).isEqualTo("1.23 GFLOP");
        assertThat(Units.count(1234567)).isEqualTo("1,234,567");
    }
}
