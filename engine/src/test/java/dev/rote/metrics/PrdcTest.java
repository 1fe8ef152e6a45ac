package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PrdcTest {
    /// NumPy's full distance matrices (`golden/sample_metrics.py`).
    @Test
    void equalsNumpy() throws InterruptedException {
        Prdc found = Prdc.of(MetricSets.training(), MetricSets.samples(), 3, 2);
        assertThat(found.precision()).isEqualTo(0.98);
        assertThat(found.recall()).isEqualTo(0.7875);
        assertThat(found.density()).isCloseTo(1.1533333333333333, within(1e-15));
        assertThat(found.coverage()).isEqualTo(0.775);
        assertThat(found.real()).isEqualTo(80);
        assertThat(found.samples()).isEqualTo(50);
    }

    /// Naeem et al.'s example of an outlier: real images around 0 and one far away; samples around the outlier are
    /// "precise", since its ball reaches to the others, but are not dense.
    @Test
    void anOutlierInflatesPrecisionAndNotDensity() throws InterruptedException {
        float[] real = new float[101];
        for (int i = 0; i < 100; i++) {
            real[i] = i * 0.01f;
        }
        real[100] = 20;
        float[] samples = new float[50];
        for (int i = 0; i < 50; i++) {
            samples[i] = 10 + i * 0.1f;
        }
        Prdc found = Prdc.of(Rows.of(real, 1), Rows.of(samples, 1), 5, 1);
        assertThat(found.precision()).isEqualTo(1);
        assertThat(found.density()).isEqualTo(0.2);
        assertThat(found.coverage()).isCloseTo(1.0 / 101, within(1e-15));
        assertThat(found.recall()).isCloseTo(0, within(1e-15));
    }

    @Test
    void aSetAgainstItselfIsPerfect() throws InterruptedException {
        Rows set = MetricSets.gaussian(100, 3, 1);
        Prdc found = Prdc.of(set, set, 4, 1);
        assertThat(new double[] {found.precision(), found.recall(), found.coverage()})
                .containsOnly(1);
        assertThat(found.density()).isEqualTo(1.25, within(1e-15)); // k neighbours' balls on average, and its own
    }

    /// Points on the very sphere, at distances that f32 cannot tell apart, in dimensions around the chunk of 256.
    @ParameterizedTest
    @CsvSource({"1", "3", "255", "256", "257", "600"})
    void pointsOnTheSphereAreCountedAsTheContractSays(int d) throws InterruptedException {
        Rows centres = MetricSets.gaussian(37, d, 5);
        Rows points = MetricSets.gaussian(41, d, 6);
        double[] radii = new double[37];
        int[] expected = new int[41];
        for (int i = 0; i < radii.length; i++) {
            radii[i] = distance(points, i % 41, centres, i);
            if (i % 3 == 1) {
                radii[i] = Math.nextDown(radii[i]);
            }
        }
        for (int p = 0; p < 41; p++) {
            for (int c = 0; c < 37; c++) {
                expected[p] += distance(points, p, centres, c) <= radii[c] ? 1 : 0;
            }
        }
        assertThat(Arrays.stream(expected).sum()).isGreaterThan(24);
        assertThat(BallCounts.containing(points, centres, radii, 1)).isEqualTo(expected);
        assertThat(BallCounts.containing(points, centres, radii, 3)).isEqualTo(expected);
    }

    @Test
    void aRadiusOfZeroHoldsTheSamePointOnly() throws InterruptedException {
        Rows centres = Rows.of(new float[] {1, 2, 3, 1e-40f}, 1);
        Rows points = Rows.of(new float[] {2, 0}, 1);
        assertThat(BallCounts.containing(points, centres, new double[4], 1)).containsExactly(1, 0);
    }

    @Test
    void distancesBeyondFloatsRangeAreStillCompared() throws InterruptedException {
        Rows centres = Rows.of(new float[] {3e38f, -3e38f}, 1);
        Rows points = Rows.of(new float[] {2e38f}, 1);
        assertThat(BallCounts.containing(points, centres, new double[] {1.1e38, 4e38}, 1))
                .containsExactly(1);
    }

    @Test
    void tooFewImagesAreNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Prdc.of(MetricSets.gaussian(5, 2, 1), MetricSets.gaussian(9, 2, 1), 5, 1))
                .withMessageContaining("5 real images and 9 samples");
    }

    private static double distance(Rows a, int i, Rows b, int j) {
        return Math.sqrt(SquaredDistance.between(MetricSets.copy(a.slice(i, 1)), MetricSets.copy(b.slice(j, 1))));
    }
}
