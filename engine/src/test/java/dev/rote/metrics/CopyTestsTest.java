package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// [CalibratedL2], [Authenticity] and [Share]; expected numbers from `golden/sample_metrics.py`.
class CopyTestsTest {
    private static final Rows TRAINING = MetricSets.training();
    private static final Rows SAMPLES = MetricSets.samples();

    @Test
    void calibratedDistancesEqualNumpys() throws InterruptedException {
        Neighbours found = NearestNeighbours.search(SAMPLES, TRAINING, 12, 1);
        double[] scores = new CalibratedL2(0.5, 10).scores(found);
        assertThat(Arrays.copyOfRange(scores, 10, 14))
                .containsExactly(
                        new double[] {0.9606656407316927, 0.7918696591892642, 0.4320573666637122, 0.09590807025640394},
                        within(1e-14));
        assertThat(Arrays.copyOf(scores, 8)).containsOnly(0);
    }

    @Test
    void alphaScalesTheScoreAndTheShareCountsScoresBelowOne() throws InterruptedException {
        Neighbours found = NearestNeighbours.search(SAMPLES, TRAINING, 10, 1);
        double[] half = new CalibratedL2(0.5, 10).scores(found);
        double[] quarter = new CalibratedL2(0.25, 10).scores(found);
        for (int i = 0; i < half.length; i++) {
            assertThat(quarter[i]).isCloseTo(2 * half[i], within(1e-14));
        }
        assertThat(new CalibratedL2(0.25, 10).extracted(found).hits())
                .isEqualTo((int) Arrays.stream(half).filter(s -> s < 0.5).count())
                .isBetween(8, 49);
    }

    /// What d1/d2 misses: a near copy of an image that is in the training set twice.
    @Test
    void aNearCopyOfADuplicatedImageIsExtracted() throws InterruptedException {
        Rows training = MetricSets.joined(MetricSets.gaussian(60, 20, 1), MetricSets.gaussian(1, 20, 1));
        float[] copy = MetricSets.copy(training.slice(60, 1));
        copy[3] += 0.01f;
        Neighbours found = NearestNeighbours.search(Rows.of(copy, 20), training, 50, 1);
        assertThat(MemorizedFraction.ratios(found)[0]).isEqualTo(1);
        assertThat(CalibratedL2.PUBLISHED.scores(found)[0]).isLessThan(0.01);
    }

    @Test
    void tooFewNeighboursAreNamed() throws InterruptedException {
        Neighbours found = NearestNeighbours.search(SAMPLES, TRAINING, 10, 1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CalibratedL2.PUBLISHED.scores(found))
                .withMessage("calibrated l2: needs 50 neighbours per query, got 10");
        assertThatIllegalArgumentException().isThrownBy(() -> new CalibratedL2(0, 50));
        assertThat(CalibratedL2.PUBLISHED.within(7)).isEqualTo(new CalibratedL2(0.5, 7));
    }

    @Test
    void authenticSamplesAreThoseOfNumpy() throws InterruptedException {
        Neighbours found = NearestNeighbours.search(SAMPLES, TRAINING, 1, 1);
        Neighbours own = NearestNeighbours.searchItself(TRAINING, 1, 1);
        assertThat(Authenticity.of(found, own)).isEqualTo(new Share(50, 19));
    }

    @Test
    void aCopyIsNotAuthenticAndAFarSampleIs() throws InterruptedException {
        Rows training = Rows.of(new float[] {0, 1, 10}, 1);
        Neighbours own = NearestNeighbours.searchItself(training, 1, 1);
        Neighbours found = NearestNeighbours.search(Rows.of(new float[] {0, 1.5f, 3, 18}, 1), training, 1, 1);
        assertThat(Authenticity.isAuthentic(found, own, 0)).isFalse();
        assertThat(Authenticity.isAuthentic(found, own, 1)).isFalse();
        assertThat(Authenticity.isAuthentic(found, own, 2)).isTrue();
        assertThat(Authenticity.isAuthentic(found, own, 3)).isFalse(); // 10 has no other one nearer than 9
    }

    @Test
    void aShareNeedsATrial() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Share(0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new Share(3, 4));
        assertThat(new Share(8, 2).minus(new Share(8, 2)).value()).isZero();
    }
}
