package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.rote.device.NearestSearch;
import dev.rote.device.NearestSearch.Question;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a search on CUDA refuses, in one sentence.
class CudaNearestInputTest extends OnCudaDevice {
    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void refusesValuesThatAreNotFiniteAndSaysWhere(float bad) throws InterruptedException {
        float[] values = new float[12];
        values[7] = bad;
        assertThatIllegalArgumentException()
                .isThrownBy(() -> CudaNearestSearch.open(device, CudaNearestTest.vectors(values, 3))
                        .close())
                .withMessage("references: row 2, column 1: expected a finite value, found " + bad);
        try (NearestSearch search = CudaNearestSearch.open(device, CudaNearestTest.vectors(new float[12], 3))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> search.search(CudaNearestTest.vectors(values, 3), new Question(1, null)))
                    .withMessageStartingWith("queries: row 2, column 1");
        }
    }

    @Test
    void refusesOtherDimensionsTooFewReferencesAndOtherBuffers() throws InterruptedException {
        try (NearestSearch search = CudaNearestSearch.open(device, CudaNearestTest.vectors(new float[6], 3))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> search.search(CudaNearestTest.vectors(new float[8], 4), new Question(1, null)))
                    .withMessageContaining("dimension 4");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> search.search(CudaNearestTest.vectors(new float[3], 3), new Question(3, null)))
                    .withMessageContaining("k = 3 needs at least 3 references per query, got 2");
            assertThatIllegalArgumentException()
                    .isThrownBy(
                            () -> search.search(CudaNearestTest.vectors(new float[3], 3), new Question(2, new int[1])))
                    .withMessageContaining("got 1 besides the excluded one");
            assertThat(search.search(CudaNearestTest.vectors(new float[0], 3), new Question(2, null))
                            .indices())
                    .isEmpty();
        }
    }
}
