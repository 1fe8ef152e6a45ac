package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MixtureDensityTest {
    private static MixtureDensity density(int d, int dof) {
        return new MixtureDensity(d, dof == 0 ? OptionalInt.empty() : OptionalInt.of(dof));
    }

    /// Over the plane, in polar steps that reach far into the tails: 1, mean (0, 0), and E x^2 = 1 + 1.
    @ParameterizedTest
    @ValueSource(ints = {0, 5, 12})
    void itIsADensityWhoseCloudsHaveCovarianceOne(int dof) {
        MixtureDensity density = density(2, dof);
        double mass = 0;
        double square = 0;
        double product = 0;
        double step = 0.01;
        int angles = 64;
        for (double s = -8; s < 9; s += step) {
            double radius = Math.exp(s);
            for (int i = 0; i < angles; i++) {
                double angle = 2 * Math.PI * (i + 0.5) / angles;
                double[] x = {radius * Math.cos(angle), radius * Math.sin(angle)};
                double weight = Math.exp(density.logDensity(x)) * radius * radius * step * 2 * Math.PI / angles;
                mass += weight;
                square += weight * x[0] * x[0];
                product += weight * x[0] * x[1];
            }
        }
        assertThat(mass).isCloseTo(1, within(1e-4));
        assertThat(square).isCloseTo(2, within(1e-3));
        assertThat(product).as("the means lie on the diagonal").isCloseTo(1, within(1e-3));
    }

    @Test
    void gammaOfHalvesIsThatOfTheTables() {
        assertThat(Math.exp(MixtureDensity.logGammaOfHalf(1))).isCloseTo(Math.sqrt(Math.PI), within(1e-12));
        assertThat(Math.exp(MixtureDensity.logGammaOfHalf(2))).isEqualTo(1);
        assertThat(Math.exp(MixtureDensity.logGammaOfHalf(7))).isCloseTo(3.3233509704478426, within(1e-12));
        assertThat(Math.exp(MixtureDensity.logGammaOfHalf(10))).isCloseTo(24, within(1e-12));
    }

    @Test
    void manyDegreesOfFreedomAreNearlyGaussian() {
        double[] x = {0.3, -1, 2, 0.5};
        assertThat(density(4, 100_000).logDensity(x)).isCloseTo(density(4, 0).logDensity(x), within(1e-3));
    }

    /// At time t the clouds are N(+-mu e^-t, I): the score is the gradient of the log of their density.
    @ParameterizedTest
    @ValueSource(doubles = {0, 0.01, 0.7, 3})
    void theScoreIsTheGradientOfTheLogDensity(double t) {
        int d = 8;
        Random random = new Random(2);
        for (int repeat = 0; repeat < 20; repeat++) {
            double[] x = random.doubles(d, -2, 2).toArray();
            double[] score = density(d, 0).score(x, t);
            for (int k = 0; k < d; k++) {
                double[] above = x.clone();
                double[] below = x.clone();
                above[k] += 1e-5;
                below[k] -= 1e-5;
                assertThat(score[k]).isCloseTo((logAt(above, t) - logAt(below, t)) / 2e-5, within(1e-8));
            }
        }
        assertThatThrownBy(() -> density(2, 3).score(new double[2], 0.1)).hasMessageContaining("dof 3");
    }

    private static double logAt(double[] x, double t) {
        double plus = 0;
        double minus = 0;
        for (double value : x) {
            plus -= Math.pow(value - Math.exp(-t), 2) / 2;
            minus -= Math.pow(value + Math.exp(-t), 2) / 2;
        }
        return Math.log(Math.exp(plus) + Math.exp(minus));
    }

    @Test
    void theDivergenceIsTheMeanOfItsPartsWithTheirSpread() {
        double normal = Math.log(2 * Math.PI * Math.E);
        Interval kl = KullbackLeibler.of(new double[] {-3, -4, -5}, new float[] {0, 0, 3}, 2, 0.95);
        assertThat(kl.value()).isCloseTo((3 + 4 + 8) / 3.0 - normal, within(1e-12));
        assertThat(kl.high() - kl.value())
                .isCloseTo(StudentT.mean(new double[] {3, 4, 8}, 0.95).high() - 5, within(1e-9));
        assertThatThrownBy(() -> KullbackLeibler.of(new double[2], new float[3], 2, 0.95))
                .hasMessageContaining("for each of 2, found 3");
    }
}
