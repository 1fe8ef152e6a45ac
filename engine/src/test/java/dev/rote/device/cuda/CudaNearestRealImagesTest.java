package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.rote.device.NearestSearch;
import dev.rote.device.NearestSearch.Answer;
import dev.rote.device.NearestSearch.Question;
import dev.rote.device.Vectors;
import dev.rote.graph.DType;
import dev.rote.metrics.NearestNeighboursReference;
import dev.rote.metrics.Neighbours;
import dev.rote.metrics.RealImages;
import dev.rote.metrics.Rows;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The search by kernels on real images and their near-copies finds what comparing all pairs in f64 finds, bit for bit.
class CudaNearestRealImagesTest extends OnCudaDevice {
    /// As the other tests of the search; the kernels of Hopper run on a stand-in of its capability.
    @BeforeEach
    void beOfCapability90() {
        StandIn.loaded().ifPresent(standIn -> standIn.set("capability", 90));
    }

    @AfterEach
    void beOfCapability80() {
        StandIn.loaded().ifPresent(standIn -> standIn.set("capability", 80));
    }

    @ParameterizedTest
    @CsvSource({"1,1,9", "2,2,9", "3,3,9", "1,784,9", "2,784,9", "3,784,9", "90,1,20", "90,7,20", "90,196,20"})
    void equalsDoublePrecisionOnImagesAndTheirNearCopies(int n, int d, int queries) throws InterruptedException {
        require(RealImages.fashion(n, d), d, queries);
    }

    @Test
    void equalsDoublePrecisionOnWholeImages() throws InterruptedException {
        boolean gpu = AnyDriver.isGpu();
        require(RealImages.fashion(gpu ? 2_000 : 70, 784), 784, gpu ? 256 : 9);
    }

    @Test
    void equalsDoublePrecisionAtThousandsOfDimensions() throws InterruptedException {
        boolean gpu = AnyDriver.isGpu();
        int d = gpu ? 12_288 : 1_569;
        for (int n : gpu ? new int[] {1, 2, 3, 300} : new int[] {1, 2, 3}) {
            require(RealImages.fashion(n, d), d, 3);
        }
    }

    @Test
    void equalsDoublePrecisionOnFaces() throws InterruptedException {
        boolean gpu = AnyDriver.isGpu();
        Optional<float[]> faces = RealImages.faces(gpu ? 10_240 : 40);
        assumeTrue(faces.isPresent(), "the faces are absent");
        require(faces.orElseThrow(), 1024, gpu ? 256 : 5);
    }

    @Test
    void exactDuplicatesAreAtDistanceZeroAndTiesGoByIndex() throws InterruptedException {
        int d = 784;
        float[] y = RealImages.withDuplicate(RealImages.fashion(50, d), d);
        try (NearestSearch search = device.nearestSearch(vectors(y, d)).orElseThrow()) {
            Answer found = search.search(vectors(RealImages.copies(y, d, 5, 0), d), new Question(2, null));
            for (int query = 0; query < 5; query++) {
                assertThat(found.indices()[2 * query]).isEqualTo(query);
                assertThat(found.squares()[2 * query]).isZero();
            }
            assertThat(found.indices()[1]).isEqualTo(50);
            assertThat(found.squares()[1]).isZero();
            assertThat(found.squares()[3]).isPositive();
        }
    }

    private void require(float[] y, int d, int queries) throws InterruptedException {
        int k = Math.min(3, y.length / d);
        try (NearestSearch search = device.nearestSearch(vectors(y, d)).orElseThrow()) {
            for (double noise : RealImages.NOISES) {
                float[] x = RealImages.copies(y, d, queries, noise);
                Neighbours expected = NearestNeighboursReference.search(Rows.of(x, d), Rows.of(y, d), k, null);
                Answer found = search.search(vectors(x, d), new Question(k, null));
                assertThat(found.indices()).as("noise %s", noise).isEqualTo(expected.indices());
                assertThat(Arrays.stream(found.squares()).map(Math::sqrt).toArray())
                        .as("noise %s", noise)
                        .isEqualTo(expected.distances());
            }
        }
    }

    private static Vectors vectors(float[] values, int d) {
        return new Vectors(MemorySegment.ofArray(values), values.length / d, d, DType.F32);
    }
}
