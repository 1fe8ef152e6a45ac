package dev.rote.theory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.device.cpu.CpuDevice;
import dev.rote.device.linalg.Lapack;
import dev.rote.device.linalg.Matrix;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TrueFeaturesTest {
    private static final Lapack LAPACK = new Lapack(1);

    /// 900 points of 6 noises are a block of 682 points and one that is not full; the test points are fewer than a
    /// block.
    @Test
    void productsOfADeviceAreThoseInDoublePrecision() throws InterruptedException {
        Sizes sizes = new Sizes(20, 60, 900);
        Scalars scalars = Scalars.of(Activation.TANH, 0.1, 1);
        Population data = new Population.Elliptical(Spectrum.identity(1), 20, 0);
        TrueFeatures features = new TrueFeatures(Activation.TANH, 6, 50);
        Moments expected = features.moments(sizes, scalars, data, 3, LAPACK);
        try (CpuDevice device = CpuDevice.open(2)) {
            Moments found = features.moments(sizes, scalars, data, 3, LAPACK, Optional.of(device));
            agrees(found.u(), expected.u(), scalars);
            agrees(found.v(), expected.v(), scalars);
            agrees(found.testU(), expected.testU(), scalars);
            agrees(found.testV(), expected.testV(), scalars);
            assertThat(found.truth()).isEqualTo(expected.truth());
            assertThat(found.u().get(3, 7)).isEqualTo(found.u().get(7, 3)).isNotZero();
            assertThat(device.allocatedBytes()).isZero();
        }
    }

    private static void agrees(Matrix found, Matrix expected, Scalars scalars) {
        double worst = 0;
        for (int i = 0; i < found.rows(); i++) {
            for (int j = 0; j < found.columns(); j++) {
                worst = Math.max(worst, Math.abs(found.get(i, j) - expected.get(i, j)));
            }
        }
        assertThat(worst).isLessThan(2e-6 * scalars.power());
    }

    @Test
    void aBlockHasItsSize() {
        try (CpuDevice device = CpuDevice.open(1);
                DeviceSums sums = DeviceSums.open(device, new Sizes(2, 3, 1), 4)) {
            assertThatThrownBy(() -> sums.add(1, new Matrix(5, 3), new Matrix(5, 2)))
                    .hasMessageContaining("at most 4 points, found matrix 5 x 3");
            sums.add(0.5, Matrix.of(1, 3, 1, 2, 3), Matrix.of(1, 2, 4, 5));
            sums.add(1, Matrix.of(2, 3, 0, 1, 0, 1, 0, 0), Matrix.of(2, 2, 1, 0, 0, 1));
            assertThat(sums.u().get(0, 0)).isCloseTo(1.5, within(1e-6));
            assertThat(sums.u().get(2, 1)).isCloseTo(3, within(1e-6));
            assertThat(sums.v().get(0, 1)).isCloseTo(3.5, within(1e-6));
            assertThat(sums.v().get(1, 0)).isCloseTo(5, within(1e-6));
        }
    }
}
