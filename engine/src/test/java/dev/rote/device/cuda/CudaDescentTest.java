package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.device.linalg.Lapack;
import dev.rote.optim.OptimizerConfig;
import dev.rote.theory.Activation;
import dev.rote.theory.Descent;
import dev.rote.theory.GaussianEquivalent;
import dev.rote.theory.Losses;
import dev.rote.theory.Moments;
import dev.rote.theory.Population;
import dev.rote.theory.Scalars;
import dev.rote.theory.Sizes;
import dev.rote.theory.Spectrum;
import dev.rote.theory.TrueFeatures;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// The random-features model, trained step by step by CUDA kernels.
class CudaDescentTest extends OnCudaDevice {
    private static final List<Moments> MODELS = List.of(model(3, 1), model(2, 2));

    private static Moments model(int psiN, long seed) {
        return GaussianEquivalent.draw(
                        Sizes.of(10, 4, psiN),
                        Scalars.of(Activation.TANH, 0.1, 1),
                        Spectrum.identity(1),
                        seed,
                        new Lapack(1))
                .moments();
    }

    private static List<Losses> train(Device device, OptimizerConfig optimizer) {
        try (Descent descent = Descent.open(device, MODELS, optimizer)) {
            descent.run(60);
            return descent.losses();
        }
    }

    private void agrees(OptimizerConfig optimizer, double tolerance) {
        List<Losses> found = train(device, optimizer);
        try (CpuDevice cpu = CpuDevice.open(1)) {
            List<Losses> expected = train(cpu, optimizer);
            for (int i = 0; i < found.size(); i++) {
                assertThat(found.get(i).train()).isCloseTo(expected.get(i).train(), within(tolerance));
                assertThat(found.get(i).test()).isCloseTo(expected.get(i).test(), within(tolerance));
                assertThat(found.get(i).train()).isLessThan(0.99);
            }
        }
    }

    @Test
    void gradientDescentIsThatOfTheCpu() {
        Moments model = MODELS.getFirst();
        agrees(OptimizerConfig.sgd((float) Descent.authorsRate(model.sizes(), model.delta()), 0), 1e-5);
    }

    /// U of the features, by products on the device, has the eigenvalues of U in double precision.
    @Test
    void featuresHaveTheSpectrumOfTheCpu() throws InterruptedException {
        Sizes sizes = Sizes.of(10, 4, 3);
        Scalars scalars = Scalars.of(Activation.TANH, 0.1, 1);
        Population data = new Population.Elliptical(Spectrum.identity(1), 10, 0);
        TrueFeatures features = new TrueFeatures(Activation.TANH, 30, 700);
        Lapack lapack = new Lapack(1);
        Moments expected = features.moments(sizes, scalars, data, 2, lapack);
        Moments found = features.moments(sizes, scalars, data, 2, lapack, Optional.of(device));
        assertThat(lapack.eigen(found.u(), false).values())
                .containsExactly(lapack.eigen(expected.u(), false).values(), within(1e-5));
        assertThat(lapack.eigen(found.testU(), false).values())
                .containsExactly(lapack.eigen(expected.testU(), false).values(), within(1e-5));
    }

    @Test
    void adamIsThatOfTheCpu() {
        agrees(OptimizerConfig.adam(0.01f), 1e-4);
    }
}
