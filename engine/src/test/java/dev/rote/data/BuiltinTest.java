package dev.rote.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.DataException;
import org.junit.jupiter.api.Test;

class BuiltinTest {
    @Test
    void fashionMnistHasTenThousandImagesAndStartsWithAnAnkleBoot() {
        try (DataSource source = DataSource.open("builtin:fashion-mnist", ReadOptions.DEFAULT)) {
            assertThat(source.count()).isEqualTo(10_000);
            assertThat(source.frame(9_999)).isEqualTo(new DataSource.Frame(new Extent(28, 28, 1), true));
            int[] labels = source.labels().orElseThrow();
            assertThat(labels).hasSize(10_000);
            assertThat(labels[0]).isEqualTo(9);
            assertThat(labels).containsOnly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
        }
    }

    @Test
    void preparedFashionMnistIsCentered() {
        var options = DataOptions.of("builtin:fashion-mnist")
                .withSize(16)
                .withGray(true)
                .withTrain(64, 1)
                .withTest(1024);
        try (TrainingData data = TrainingData.load(options)) {
            assertThat(data.train().toString()).isEqualTo("64 x 16 x 16 x 1 f32");
            assertThat(data.test().count()).isEqualTo(1024);
            assertThat(data.trainIndices()).startsWith(64).endsWith(127);
            assertThat(data.testIndices()).startsWith(8976).endsWith(9999);
            double sum = 0;
            for (int i = 0; i < 64; i++) {
                for (float x : data.train().image(i)) {
                    sum += x * data.train().scale() + data.train().offset();
                }
            }
            assertThat(sum / (64 * 256)).isBetween(-1e-6, 1e-6);
            assertThat(data.mean()).isBetween(0.2f, 0.4f);
        }
    }

    @Test
    void anUnknownBuiltinSetIsNamed() {
        assertThatThrownBy(() -> DataSource.open("builtin:cifar", ReadOptions.DEFAULT))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("builtin:cifar");
    }
}
