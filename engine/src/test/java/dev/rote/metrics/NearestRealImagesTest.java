package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The search on real images and their near-copies finds what comparing all pairs in f64 finds, bit for bit.
class NearestRealImagesTest {
    @ParameterizedTest
    @CsvSource({
        "1,1,40",
        "2,2,40",
        "3,3,40",
        "1,12288,3",
        "2,12288,3",
        "3,12288,3",
        "20,12288,8",
        "300,1,40",
        "300,7,40",
        "300,196,40",
        "600,784,40",
        "60,3072,10"
    })
    void equalsDoublePrecisionOnImagesAndTheirNearCopies(int n, int d, int queries) throws InterruptedException {
        require(RealImages.fashion(n, d), d, queries);
    }

    @Test
    void equalsDoublePrecisionOnFaces() throws InterruptedException {
        Optional<float[]> faces = RealImages.faces(500);
        assumeTrue(faces.isPresent(), "the faces are absent");
        require(faces.orElseThrow(), 1024, 40);
    }

    @Test
    void exactDuplicatesAreAtDistanceZeroAndTiesGoByIndex() throws InterruptedException {
        int d = 784;
        float[] y = RealImages.withDuplicate(RealImages.fashion(200, d), d);
        Neighbours found = NearestNeighbours.search(Rows.of(RealImages.copies(y, d, 20, 0), d), Rows.of(y, d), 2, 2);
        for (int query = 0; query < 20; query++) {
            assertThat(found.index(query, 0)).isEqualTo(query);
            assertThat(found.distance(query, 0)).isZero();
        }
        assertThat(found.index(0, 1)).isEqualTo(200);
        assertThat(found.distance(0, 1)).isZero();
        assertThat(found.distance(1, 1)).isPositive();
    }

    private static void require(float[] y, int d, int queries) throws InterruptedException {
        Rows references = Rows.of(y, d);
        int k = Math.min(3, references.count());
        for (double noise : RealImages.NOISES) {
            Rows copies = Rows.of(RealImages.copies(y, d, queries, noise), d);
            Neighbours expected = NearestNeighboursReference.search(copies, references, k, null);
            for (DistanceTile tile : new DistanceTile[] {new PlainTile(), new VectorTile()}) {
                Neighbours found = NearestNeighbours.search(copies, references, k, null, 2, tile);
                assertThat(found.indices()).as("noise %s", noise).isEqualTo(expected.indices());
                assertThat(found.distances()).as("noise %s", noise).isEqualTo(expected.distances());
            }
        }
    }
}
