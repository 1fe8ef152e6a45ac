package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

/// [NearestDistances], [Histogram] and [CosineSimilarity].
class NearestDistancesTest {
    @Test
    void closeIsWhatOneInAHundredHeldOutImagesIs() {
        double[] usual = new double[101];
        for (int i = 0; i < usual.length; i++) {
            usual[i] = i;
        }
        Neighbours heldOut = new Neighbours(101, 1, new int[101], usual);
        Neighbours samples = new Neighbours(4, 1, new int[4], new double[] {2, 0.5, 0, 3});
        NearestDistances found = NearestDistances.of(samples, heldOut, 4);
        assertThat(found.samples()).containsExactly(0, 0.25, 1, 1.5);
        assertThat(found.closeBelow()).isEqualTo(0.5);
        assertThat(found.close()).isEqualTo(new Share(4, 2));
        assertThat(found.median()).isEqualTo(0.625);
        Histogram[] both = found.histograms(50);
        assertThat(both[0].counts()).startsWith(2, 2, 0).hasSize(50);
        assertThat(both[1].total()).isEqualTo(101);
        assertThat(both[1].edge(50)).isCloseTo(50, within(1e-12));
    }

    @Test
    void withoutHeldOutImagesNothingIsClose() {
        Neighbours samples = new Neighbours(1, 1, new int[1], new double[1]);
        NearestDistances found = NearestDistances.of(samples, null, 4);
        assertThat(found.closeBelow()).isNaN();
        assertThatIllegalStateException().isThrownBy(found::close);
        assertThat(found.histograms(3)[0].counts()).containsExactly(1, 0, 0);
    }

    @Test
    void valuesOutsideCountInTheNearestBin() {
        Histogram found = Histogram.of(new double[] {-5, 0, 0.99, 1, 2, Double.POSITIVE_INFINITY}, 0, 2, 2);
        assertThat(found.counts()).containsExactly(3, 3);
        assertThatIllegalArgumentException().isThrownBy(() -> Histogram.of(new double[0], 1, 1, 4));
    }

    @Test
    void cosinesOfKnownAngles() throws InterruptedException {
        Rows a = Rows.of(new float[] {1, 0, 3, 4, 0, 0, -2, 0}, 2);
        Rows b = Rows.of(new float[] {1, 1, 4, 3, 1, 1, 5, 0}, 2);
        assertThat(CosineSimilarity.ofPairs(a, b))
                .containsExactly(new double[] {Math.sqrt(0.5), 0.96, 0, -1}, within(1e-15));
        Neighbours found = NearestNeighbours.search(a, b, 1, 1);
        assertThat(CosineSimilarity.toNearest(a, b, found)[1]).isCloseTo(0.96, within(1e-15));
        assertThatIllegalArgumentException().isThrownBy(() -> CosineSimilarity.ofPairs(a, b.slice(0, 3)));
    }
}
