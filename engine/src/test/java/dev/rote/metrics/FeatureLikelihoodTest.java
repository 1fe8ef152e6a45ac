package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FeatureLikelihoodTest {
    private static final Rows TRAINING = MetricSets.gaussian(600, 6, 1);
    private static final Rows HELD_OUT = MetricSets.gaussian(300, 6, 2);

    /// The likelihood that SciPy's quasi-Newton method reaches (`golden/sample_metrics.py`).
    @ParameterizedTest
    @CsvSource({"2, 20, 0.1600299568642521, -1.5604190095972363", "3, 8, 0.2661973236896048, -1.8932980982110117"})
    void variancesAreTheMostLikelyOnes(int d, int c, double atOne, double best) throws InterruptedException {
        float[] training = MetricSets.values(0, 80, d);
        float[] centres = MetricSets.values(2, c, d);
        double[] squares = new double[80 * c];
        for (int at = 0; at < squares.length; at++) {
            for (int k = 0; k < d; k++) {
                squares[at] += Math.pow((double) training[at / c * d + k] - centres[at % c * d + k], 2);
            }
        }
        assertThat(likelihood(squares, new double[c], d)).isCloseTo(atOne, within(1e-7));
        double[] fitted = FeatureLikelihood.fit(squares, c, d, 1);
        assertThat(likelihood(squares, fitted, d)).isCloseTo(best, within(1e-4));
    }

    @Test
    void freshSamplesScoreAboutAHundredCopiesAndNoiseLess() throws InterruptedException {
        FeatureLikelihood score = FeatureLikelihood.of(TRAINING, HELD_OUT, 300, 5, 1);
        assertThat(score.centres()).isEqualTo(300);
        double fresh = score.score(MetricSets.gaussian(300, 6, 3), 1);
        assertThat(fresh).isBetween(90.0, 110.0);
        float[] spread = MetricSets.copy(MetricSets.gaussian(300, 6, 4));
        for (int i = 0; i < spread.length; i++) {
            spread[i] *= 3;
        }
        assertThat(score.score(Rows.of(spread, 6), 1)).isLessThan(fresh - 10);
        assertThat(score.score(Subset.of(TRAINING, 300, 8), 1)).isLessThan(fresh - 10);
    }

    @Test
    void scaleAndOriginOfFeaturesDoNotMatterNorDoThreads() throws InterruptedException {
        Rows samples = MetricSets.gaussian(200, 6, 3);
        double one = FeatureLikelihood.of(TRAINING, HELD_OUT, 200, 5, 1).score(samples, 1);
        assertThat(FeatureLikelihood.of(TRAINING, HELD_OUT, 200, 5, 3).score(samples, 3))
                .isEqualTo(one);
        double other = FeatureLikelihood.of(moved(TRAINING), moved(HELD_OUT), 200, 5, 1)
                .score(moved(samples), 1);
        assertThat(other).isCloseTo(one, within(1e-2 * one));
    }

    @Test
    void aConstantFeatureIsHarmless() throws InterruptedException {
        FeatureLikelihood score = FeatureLikelihood.of(flat(TRAINING), flat(HELD_OUT), 100, 5, 1);
        assertThat(score.score(flat(MetricSets.gaussian(100, 6, 3)), 1)).isFinite();
    }

    @Test
    void tooFewImagesAreNamed() throws InterruptedException {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FeatureLikelihood.of(TRAINING.slice(0, 3), HELD_OUT, 10, 1, 1))
                .withMessageContaining("3 of 6");
        FeatureLikelihood score = FeatureLikelihood.of(TRAINING, HELD_OUT, 50, 1, 1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> score.score(HELD_OUT.slice(0, 49), 1))
                .withMessageContaining("at least 50 samples");
    }

    /// Mean negative log-likelihood but for the constant, by the formula.
    private static double likelihood(double[] squares, double[] logVariances, int d) {
        int c = logVariances.length;
        double mean = 0;
        for (int i = 0; i < 80; i++) {
            double density = 0;
            for (int j = 0; j < c; j++) {
                double exponent = squares[i * c + j] / Math.exp(logVariances[j]) + d * logVariances[j];
                density += Math.exp(-0.5 * exponent) / c;
            }
            mean -= Math.log(density) / 80;
        }
        return mean;
    }

    private static Rows moved(Rows rows) {
        float[] values = MetricSets.copy(rows);
        for (int i = 0; i < values.length; i++) {
            values[i] = values[i] * (1 << i % 6) + i % 6;
        }
        return Rows.of(values, 6);
    }

    private static Rows flat(Rows rows) {
        float[] values = MetricSets.copy(rows);
        for (int i = 0; i < values.length; i += 6) {
            values[i] = 2;
        }
        return Rows.of(values, 6);
    }
}
