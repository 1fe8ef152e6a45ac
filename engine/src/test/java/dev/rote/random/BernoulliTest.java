package dev.rote.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BernoulliTest {
    @Test
    void thresholdsAreRoundedUnsignedAndNeverWrap() {
        assertThat(Bernoulli.threshold(0)).isZero();
        assertThat(Bernoulli.threshold(0.5)).isEqualTo(0x80000000);
        assertThat(Bernoulli.threshold(0.1)).isEqualTo(0x1999999a);
        assertThat(Bernoulli.threshold(Math.nextDown(1.0))).isEqualTo(0xffffffff);
    }

    @Test
    void wordsAtTheThresholdAreKeptAndBelowItDropped() {
        assertThat(Bernoulli.keep(0x80000000, 0x80000000)).isTrue();
        assertThat(Bernoulli.keep(0x7fffffff, 0x80000000)).isFalse();
        assertThat(Bernoulli.keep(-1, 0x80000000)).isTrue();
        assertThat(Bernoulli.keep(0, 0)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.0, 0.1, 0.5, 0.9})
    void theDroppedFractionIsTheProbability(double p) {
        int threshold = Bernoulli.threshold(p);
        int dropped = 0;
        for (int e = 0; e < 100_000; e++) {
            dropped += Bernoulli.keep(Philox.elementWord(5, e, 1, Purpose.DROPOUT.code()), threshold) ? 0 : 1;
        }
        assertThat(dropped / 1e5).isEqualTo(p, within(4 * Math.sqrt(p * (1 - p) / 1e5)));
    }

    @ParameterizedTest
    @ValueSource(doubles = {-0.1, 1.0, 1.5, Double.NaN})
    void anythingButAProbabilityBelowOneIsRefused(double p) {
        assertThatThrownBy(() -> Bernoulli.threshold(p)).isInstanceOf(IllegalArgumentException.class);
    }
}
