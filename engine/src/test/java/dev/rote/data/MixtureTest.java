package dev.rote.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.errors.DataException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MixtureTest {
    private static final String GAUSSIAN = "builtin:gaussian-mixture";

    private static TrainingData load(String source, int n, int index, int test) {
        return TrainingData.load(
                DataOptions.of(source).withTrain(n, index).withTest(test).withCenter(false));
    }

    @Test
    void aTrainingSetHasHalfOfItsPointsInEachCloudAndTheirLabels() {
        try (TrainingData data = load(GAUSSIAN, 64, 3, 16)) {
            assertThat(data.train().extent()).isEqualTo(new Extent(1, 1, 8));
            int[] labels = data.train().labels().orElseThrow();
            assertThat(labels).containsOnly(0, 1);
            assertThat(java.util.Arrays.stream(labels).sum()).isEqualTo(32);
            assertThat(data.trainIndices()[0]).isEqualTo(3 * 64);
            assertThat(data.testIndices()[15]).isEqualTo(131071);
            for (int i = 0; i < 64; i++) {
                double sum = 0;
                for (float value : data.train().image(i)) {
                    sum += labels[i] == 0 ? value : -value;
                }
                // 8 +- sqrt 8; below -3 one in 20,000 times.
                assertThat(sum).as("point %d against its mean", i).isGreaterThan(-3);
            }
        }
    }

    /// 40,000 points of 4 values: means are known to 0.0025, variances to 0.0035.
    @ParameterizedTest
    @CsvSource({"builtin:gaussian-mixture?d=4, 3, 0.1", "builtin:student-mixture?d=4&dof=12, 3.75, 0.25"})
    void cloudsHaveTheirMeanCovarianceAndTails(String source, double kurtosis, double margin) {
        try (TrainingData data = load(source, 40_000, 0, 0)) {
            double mean = 0;
            double square = 0;
            double cross = 0;
            double fourth = 0;
            int[] labels = data.train().labels().orElseThrow();
            for (int i = 0; i < 40_000; i++) {
                float[] x = data.train().image(i);
                float mu = labels[i] == 0 ? 1 : -1;
                for (float value : x) {
                    double z = value - mu;
                    mean += z / 160_000;
                    square += z * z / 160_000;
                    fourth += z * z * z * z / 160_000;
                }
                cross += (x[0] - mu) * (x[1] - mu) / 40_000;
            }
            assertThat(mean).isCloseTo(0, within(0.01));
            assertThat(square).isCloseTo(1, within(0.02));
            assertThat(cross).isCloseTo(0, within(0.02));
            assertThat(fourth / square / square).isCloseTo(kurtosis, within(margin));
        }
    }

    @Test
    void pointsDependOnSeedAndNumberAlone() {
        try (TrainingData few = load(GAUSSIAN + "?seed=5", 10, 1, 4);
                TrainingData many = load(GAUSSIAN + "?seed=5&count=64", 20, 0, 4);
                TrainingData other = load(GAUSSIAN + "?seed=6", 10, 1, 4)) {
            assertThat(few.train().image(3)).containsExactly(many.train().image(13));
            assertThat(other.train().image(3)).isNotEqualTo(few.train().image(3));
            assertThat(few.test().image(0)).isNotEqualTo(many.test().image(0));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "builtin:gaussian-mixture?dof=3|after '?': expected one of [count, d, seed], found dof",
                "builtin:gaussian-mixture?d=0|d: expected an integer from 1 to 65536, found 0",
                "builtin:student-mixture?dof=2|dof: expected an integer from 3 to 1000, found 2",
                "builtin:student-mixture?seed=x|seed: expected an integer from 0 to 2147483647, found x",
                "builtin:gaussian-mixtures|name: expected builtin:fashion-mnist, builtin:gaussian-mixture or"
                        + " builtin:student-mixture, found builtin:gaussian-mixtures",
            })
    void whatIsNoMixtureIsOneSentence(String line) {
        String source = line.substring(0, line.indexOf('|'));
        assertThatThrownBy(() -> load(source, 4, 0, 0))
                .isInstanceOf(DataException.class)
                .hasMessage(source + ": " + line.substring(line.indexOf('|') + 1));
    }

    @Test
    void tooFewPointsAreRefused() {
        assertThatThrownBy(() -> load(GAUSSIAN + "?count=100", 64, 1, 0))
                .hasMessageContaining("expected 128 training (block 1 of 64) and 0 test images, found 100 images");
    }
}
