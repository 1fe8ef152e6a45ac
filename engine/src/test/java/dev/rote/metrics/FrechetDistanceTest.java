package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FrechetDistanceTest {
    @Test
    void diagonalGaussiansHaveTheClosedForm() {
        FrechetStatistics a = diagonal(new double[] {1, 2, 3}, new double[] {4, 9, 0.25});
        FrechetStatistics b = diagonal(new double[] {1, 0, 4}, new double[] {1, 16, 0.01});
        double expected = (4 + 1) + (2 - 1) * (2 - 1) + (3 - 4) * (3 - 4) + (0.5 - 0.1) * (0.5 - 0.1);
        assertThat(FrechetDistance.between(a, b)).isCloseTo(expected, within(1e-12));
    }

    /// tr((S1 S2)^(1/2)) is also the sum of the singular values of A1 A2^T, where S = A^T A: no covariance, no root.
    @ParameterizedTest
    @CsvSource({"50,60,7", "300,200,33", "10,12,40", "3,100,20", "100,2,20"})
    void equalsTheSumOfSingularValuesOfTheCrossProduct(int countA, int countB, int d) throws InterruptedException {
        float[] a = correlated(countA, d, 1, 0.5);
        float[] b = correlated(countB, d, 2, 1.5);
        FrechetStatistics sa = FrechetStatistics.of(Rows.of(a, d), 2);
        FrechetStatistics sb = FrechetStatistics.of(Rows.of(b, d), 1);
        double expected = Matrices.trace(sa.covariance(), d) + Matrices.trace(sb.covariance(), d);
        for (int j = 0; j < d; j++) {
            expected += Math.pow(sa.mean()[j] - sb.mean()[j], 2);
        }
        DMatrixRMaj cross = new DMatrixRMaj(countA, countB);
        for (int i = 0; i < countA; i++) {
            for (int l = 0; l < countB; l++) {
                double sum = 0;
                for (int j = 0; j < d; j++) {
                    sum += (a[i * d + j] - sa.mean()[j]) * (b[l * d + j] - sb.mean()[j]);
                }
                cross.set(i, l, sum / Math.sqrt((countA - 1.0) * (countB - 1.0)));
            }
        }
        var svd = DecompositionFactory_DDRM.svd(countA, countB, false, false, true);
        assertThat(svd.decompose(cross)).isTrue();
        for (int i = 0; i < svd.numberOfSingularValues(); i++) {
            expected -= 2 * svd.getSingularValues()[i];
        }
        assertThat(FrechetDistance.between(sa, sb)).isCloseTo(expected, within(1e-6 * (1 + expected)));
        assertThat(FrechetDistance.between(sb, sa)).isCloseTo(expected, within(1e-6 * (1 + expected)));
    }

    /// The spread of the distance over fresh sets of samples is what the interval claims.
    @Test
    void theIntervalIsTheSpreadOverFreshSamples() throws InterruptedException {
        int d = 6;
        int trials = 200;
        FrechetStatistics reference = FrechetStatistics.of(Rows.of(correlated(2000, d, 99, 1.5), d), 1);
        double[] values = new double[trials];
        double claimed = 0;
        for (int trial = 0; trial < trials; trial++) {
            Rows drawn = Rows.of(correlated(300, d, 1000 + trial, 0.5), d);
            Interval interval = FrechetDistance.estimate(drawn, reference, 1);
            values[trial] = interval.value();
            claimed += (interval.high() - interval.low()) / 2 / trials;
            assertThat(interval.value())
                    .isCloseTo(
                            FrechetDistance.between(FrechetStatistics.of(drawn, 1), reference),
                            within(1e-9 * interval.value()));
        }
        double mean = java.util.Arrays.stream(values).average().orElseThrow();
        double deviation = Math.sqrt(java.util.Arrays.stream(values)
                        .map(v -> (v - mean) * (v - mean))
                        .sum()
                / (trials - 1));
        assertThat(claimed / 1.96).isCloseTo(deviation, within(0.15 * deviation));
    }

    @Test
    void theIntervalIsFiniteWithFewerSamplesThanDimensions() throws InterruptedException {
        FrechetStatistics reference = FrechetStatistics.of(Rows.of(correlated(60, 30, 3, 2), 30), 1);
        Interval interval = FrechetDistance.estimate(Rows.of(correlated(9, 30, 4, 1), 30), reference, 1);
        assertThat(interval.high()).isFinite().isGreaterThan(interval.value());
        Interval constant = FrechetDistance.estimate(
                Rows.of(new float[12], 4), diagonal(new double[4], new double[] {1, 1, 1, 1}), 1);
        assertThat(constant).isEqualTo(new Interval(4, 4, 4));
    }

    @Test
    void isZeroToItselfAlsoWithASingularCovariance() throws InterruptedException {
        FrechetStatistics s = FrechetStatistics.of(Rows.of(correlated(9, 30, 3, 2), 30), 1);
        assertThat(FrechetDistance.between(s, s)).isLessThan(1e-6);
        FrechetStatistics constant = FrechetStatistics.of(Rows.of(new float[12], 4), 1);
        assertThat(FrechetDistance.between(constant, constant)).isZero();
        assertThat(FrechetDistance.between(constant, diagonal(new double[] {3, 0, 0, 0}, new double[] {1, 0, 0, 4})))
                .isCloseTo(14, within(1e-12));
    }

    @Test
    void statisticsAreUnbiasedAndSurviveALargeMean() throws InterruptedException {
        float[] rows = {1e6f, 1, 1e6f + 1, 3, 1e6f + 2, 8};
        FrechetStatistics s = FrechetStatistics.of(Rows.of(rows, 2), 1);
        assertThat(s.mean()).containsExactly(1e6 + 1, 4);
        assertThat(s.covariance()).containsExactly(new double[] {1, 3.5, 3.5, 13}, within(1e-9));
        assertThat(s.count()).isEqualTo(3);
    }

    @Test
    void statisticsDoNotDependOnTheNumberOfThreads() throws InterruptedException {
        Rows features = Rows.of(correlated(130, 67, 4, 1), 67);
        double[] one = FrechetStatistics.of(features, 1).covariance();
        assertThat(FrechetStatistics.of(features, 3).covariance()).isEqualTo(one);
        assertThat(FrechetStatistics.of(features, 16).covariance()).isEqualTo(one);
    }

    @Test
    void refusesOneSampleOtherDimensionsAndNan() {
        assertThatIllegalArgumentException().isThrownBy(() -> FrechetStatistics.of(Rows.of(new float[3], 3), 1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FrechetStatistics.of(Rows.of(new float[] {1, Float.NaN, 3, 4}, 2), 1))
                .withMessageContaining("row 0, column 1");
        FrechetStatistics two = diagonal(new double[2], new double[] {1, 1});
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FrechetDistance.between(two, diagonal(new double[1], new double[] {1})));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> FrechetDistance.between(two, diagonal(new double[] {Double.NaN, 0}, new double[2])));
    }

    private static FrechetStatistics diagonal(double[] mean, double[] variances) {
        int d = mean.length;
        double[] covariance = new double[d * d];
        for (int j = 0; j < d; j++) {
            covariance[j * d + j] = variances[j];
        }
        return new FrechetStatistics(100, mean, covariance);
    }

    /// Rows with correlated columns of different variances and a mean.
    private static float[] correlated(int count, int d, long stream, double mean) {
        SplitMix64 random = new SplitMix64(77, stream);
        float[] rows = new float[count * d];
        for (int i = 0; i < count; i++) {
            double common = random.nextGaussian();
            for (int j = 0; j < d; j++) {
                rows[i * d + j] = (float) (mean + (common + random.nextGaussian()) * (1 + j % 5) * 0.3);
            }
        }
        return rows;
    }
}
