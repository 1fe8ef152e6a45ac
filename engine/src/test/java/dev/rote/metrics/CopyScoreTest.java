package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class CopyScoreTest {
    private static final Rows TRAINING = MetricSets.gaussian(400, 5, 1);
    private static final Rows HELD_OUT = MetricSets.gaussian(300, 5, 2);

    /// SciPy's U with ties (`golden/sample_metrics.py`).
    @Test
    void zScoreEqualsScipys() {
        double[] a = {0, 0, 0.5, 1, 1, 2, 3.5, 3.5, 4};
        double[] b = {0.5, 1, 1.5, 2, 2, 5, 6};
        assertThat(CopyScore.zScore(a, b)).isCloseTo(-0.9526610232449336, within(1e-14));
        assertThat(CopyScore.zScore(b, a)).isCloseTo(0.9526610232449336, within(1e-14));
    }

    @Test
    void copiesAreFarBelowZeroFreshSamplesNearAndNoiseFarAbove() throws InterruptedException {
        CopyScore score = prepared(3);
        assertThat(score(score, MetricSets.gaussian(300, 5, 3))).isBetween(-3.0, 3.0);
        Rows copies = Subset.of(TRAINING, 300, 4);
        assertThat(score(score, copies)).isLessThan(-8);
        float[] spread = MetricSets.copy(MetricSets.gaussian(300, 5, 5));
        for (int i = 0; i < spread.length; i++) {
            spread[i] *= 3;
        }
        assertThat(score(score, Rows.of(spread, 5))).isGreaterThan(8);
    }

    /// One cell: the plain z-score of all distances.
    @Test
    void oneCellIsThePlainTest() throws InterruptedException {
        Rows samples = MetricSets.gaussian(100, 5, 6);
        double[] own = MetricSets.nearest(samples, TRAINING);
        double[] usual = MetricSets.nearest(HELD_OUT, TRAINING);
        Arrays.sort(own);
        Arrays.sort(usual);
        assertThat(score(prepared(1), samples)).isEqualTo(CopyScore.zScore(own, usual));
    }

    /// Two far clusters: the weighted mean of the tests in either.
    @Test
    void cellsAreWeightedByTheirHeldOutImages() throws InterruptedException {
        Rows training = MetricSets.joined(shifted(200, 10, 0), shifted(100, 11, 50));
        Rows heldOut = MetricSets.joined(shifted(90, 12, 0), shifted(30, 13, 50));
        Rows samples = MetricSets.joined(shifted(40, 14, 0), shifted(60, 15, 50));
        double[] usual = MetricSets.nearest(heldOut, training);
        double[] own = MetricSets.nearest(samples, training);
        double left = CopyScore.zScore(sorted(own, 0, 40), sorted(usual, 0, 90));
        double right = CopyScore.zScore(sorted(own, 40, 100), sorted(usual, 90, 120));
        CopyScore score = CopyScore.of(training, heldOut, usual, 2, 7, 2);
        assertThat(score.score(samples, own, 2)).hasValue((90 * left + 30 * right) / 120);
        Rows few = MetricSets.joined(samples.slice(0, 40), samples.slice(40, 20));
        double[] ofFew = MetricSets.nearest(few, training);
        assertThat(score.score(few, ofFew, 1)).hasValue(left);
        assertThat(score.score(samples.slice(0, 20), Arrays.copyOf(own, 20), 1)).isEmpty();
    }

    @Test
    void theNumberOfThreadsChangesNoBit() throws InterruptedException {
        Rows samples = MetricSets.gaussian(300, 5, 3);
        double[] own = MetricSets.nearest(samples, TRAINING);
        double[] usual = MetricSets.nearest(HELD_OUT, TRAINING);
        double one = CopyScore.of(TRAINING, HELD_OUT, usual, 5, 3, 1)
                .score(samples, own, 1)
                .orElseThrow();
        assertThat(CopyScore.of(TRAINING, HELD_OUT, usual, 5, 3, 3).score(samples, own, 3))
                .hasValue(one);
    }

    @Test
    void wrongCountsAreNamed() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CopyScore.of(TRAINING, HELD_OUT, new double[299], 3, 1, 1))
                .withMessageContaining("300 held-out images and 299 distances");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CopyScore.of(TRAINING, HELD_OUT, new double[300], 401, 1, 1))
                .withMessageContaining("1 to 400 cells");
    }

    private static CopyScore prepared(int cells) throws InterruptedException {
        return CopyScore.of(TRAINING, HELD_OUT, MetricSets.nearest(HELD_OUT, TRAINING), cells, 3, 1);
    }

    private static double score(CopyScore score, Rows samples) throws InterruptedException {
        return score.score(samples, MetricSets.nearest(samples, TRAINING), 1).orElseThrow();
    }

    private static Rows shifted(int count, long seed, float by) {
        float[] values = MetricSets.copy(MetricSets.gaussian(count, 4, seed));
        for (int i = 0; i < values.length; i++) {
            values[i] += by;
        }
        return Rows.of(values, 4);
    }

    private static double[] sorted(double[] values, int from, int to) {
        double[] part = Arrays.copyOfRange(values, from, to);
        Arrays.sort(part);
        return part;
    }
}
