package dev.rote.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.math.BigDecimal;
import java.math.MathContext;
import org.junit.jupiter.api.Test;

class ScheduleTest {
    private final Schedule linear = Schedule.linear(1000, 1e-4, 2e-2);

    @Test
    void linearBetasGoFromFirstToLastAndAlphaBarIsTheirProduct() {
        assertThat(linear.beta(0)).isEqualTo(1e-4);
        assertThat(linear.beta(999)).isEqualTo(2e-2);
        assertThat(linear.beta(500) - linear.beta(499)).isCloseTo(1.99e-2 / 999, within(1e-16));
        BigDecimal product = BigDecimal.ONE;
        for (int index = 0; index < 1000; index++) {
            product = product.multiply(
                    BigDecimal.ONE.subtract(new BigDecimal(linear.beta(index))), MathContext.DECIMAL128);
            double exact = product.doubleValue();
            assertThat(linear.alphaBar(index)).isCloseTo(exact, within(2e-13 * exact));
        }
        // Known end of this schedule (Ho et al. 2020): almost no signal is left.
        assertThat(linear.alphaBar(999)).isCloseTo(4.0358e-5, within(1e-8));
    }

    @Test
    void timeOneHundredthLiesBetweenIndex39And40AndIsGiven40() {
        assertThat(linear.time(39)).isCloseTo(0.009772, within(5e-7));
        assertThat(linear.time(40)).isCloseTo(0.010220, within(5e-7));
        assertThat(linear.nearestIndex(0.01)).isEqualTo(40);
        assertThat(linear.nearestIndex(0)).isZero();
        assertThat(linear.nearestIndex(100)).isEqualTo(999);
    }

    @Test
    void cosineFollowsItsFormulaUntilBetaIsClipped() {
        Schedule cosine = Schedule.cosine(4000);
        double start = Math.pow(Math.cos(0.008 / 1.008 * Math.PI / 2), 2);
        for (int t = 1; t < 4000; t++) {
            double f = Math.pow(Math.cos((t / 4000.0 + 0.008) / 1.008 * Math.PI / 2), 2);
            assertThat(cosine.alphaBar(t - 1)).isCloseTo(f / start, within(1e-11));
        }
        assertThat(cosine.beta(3999)).isEqualTo(0.999);
        assertThat(cosine.beta(3998)).isLessThan(0.999);
    }

    @Test
    void impossibleSchedulesAreRefused() {
        assertThatThrownBy(() -> Schedule.linear(1, 1e-4, 2e-2)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Schedule.linear(10, 0.5, 0.1)).isInstanceOf(IllegalArgumentException.class);
    }
}
