package dev.rote.theory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.device.cpu.CpuDevice;
import dev.rote.device.linalg.Lapack;
import dev.rote.device.linalg.Matrix;
import dev.rote.optim.OptimizerConfig;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GradientFlowTest {
    private static final Lapack LAPACK = new Lapack(1);
    private static final Spectrum IDENTITY = Spectrum.identity(1);

    private static GaussianEquivalent equivalent(int d, double psiP, double psiN, double t, long seed) {
        return GaussianEquivalent.draw(
                Sizes.of(d, psiP, psiN), Scalars.of(Activation.TANH, t, 1), IDENTITY, seed, LAPACK);
    }

    private static double[] times(double from, double to, int count) {
        return DoubleStream.iterate(from, tau -> tau * Math.pow(to / from, 1.0 / (count - 1)))
                .limit(count)
                .toArray();
    }

    /// Closed-form numbers of one seed that another program found with d = 100.
    @ParameterizedTest
    @CsvSource({
        "4,  0.064, 13, 0.830, 0.21, 3.19, 2.9e3",
        "8,  0.043, 16, 0.827, 0.35, 2.47, 5.1e3",
        "16, 0.027, 20, 0.824, 0.51, 1.74, 7.3e3"
    })
    void agreesWithTheReferenceRows(
            double psiN, double score, double at, double test, double trainEnd, double testEnd, double half) {
        GradientFlow flow = new GradientFlow(equivalent(100, 64, psiN, 0.1, 1).modes(), LAPACK);
        List<Losses> early = flow.at(times(1, 300, 100));
        Losses best = early.stream().min(Comparator.comparing(Losses::score)).orElseThrow();
        assertThat(best.score()).isCloseTo(score, within(0.1 * score));
        assertThat(best.tau()).isCloseTo(at, within(0.15 * at));
        assertThat(best.test()).isCloseTo(test, within(0.002));
        Losses end = flow.at(Double.POSITIVE_INFINITY).getFirst();
        assertThat(end.train()).isCloseTo(trainEnd, within(0.02));
        assertThat(end.test()).isCloseTo(testEnd, within(0.15));
        double found = flow.at(times(1e3, 3e4, 200)).stream()
                .filter(losses -> losses.gap() > end.gap() / 2)
                .findFirst()
                .orElseThrow()
                .tau();
        assertThat(found).isCloseTo(half, within(0.07 * half));
    }

    /// n + d modes that follow from M^T M are those of the whole U.
    @Test
    void theSmallEigenproblemGivesTheLossesOfTheLargeOne() {
        GaussianEquivalent drawn = equivalent(10, 12, 3, 0.1, 5);
        double[] times = {0, 1, 30, 1000, Double.POSITIVE_INFINITY};
        List<Losses> few = new GradientFlow(drawn.modes(), LAPACK).at(times);
        List<Losses> all = new GradientFlow(Modes.of(drawn.moments(), LAPACK), LAPACK).at(times);
        assertThat(few.getFirst().train()).isEqualTo(1);
        assertThat(few.getFirst().score()).isCloseTo(1, within(1e-12));
        for (int i = 0; i < times.length; i++) {
            assertThat(few.get(i).train()).isCloseTo(all.get(i).train(), within(1e-9));
            assertThat(few.get(i).test()).isCloseTo(all.get(i).test(), within(1e-9));
        }
    }

    /// Where p is less than n + d, modes come from U itself.
    @Test
    void fewFeaturesGiveTheSameLosses() {
        GaussianEquivalent drawn = equivalent(10, 3, 6, 0.1, 5);
        List<Losses> few = new GradientFlow(drawn.modes(), LAPACK).at(3, 300);
        List<Losses> all = new GradientFlow(Modes.of(drawn.moments(), LAPACK), LAPACK).at(3, 300);
        assertThat(few.getLast().test()).isCloseTo(all.getLast().test(), within(1e-9));
        assertThat(few.getFirst().train()).isCloseTo(all.getFirst().train(), within(1e-9));
        assertThat(drawn.eigenvalues()).hasSize(30);
    }

    /// Small steps of plain gradient descent, written out, follow the closed form.
    @Test
    void plainDescentFollowsTheClosedForm() {
        Moments moments = equivalent(6, 4, 3, 0.1, 2).moments();
        double rate = 0.02 * Descent.authorsRate(moments.sizes(), moments.delta());
        double[] a = new double[6 * 24];
        Plain.descend(moments, a, rate, 4000);
        double tau = 4000 * rate / 36;
        Losses expected =
                new GradientFlow(Modes.of(moments, LAPACK), LAPACK).at(tau).getFirst();
        double[] found = Plain.losses(moments, a);
        assertThat(found[0]).isCloseTo(expected.train(), within(2e-4));
        assertThat(found[1]).isCloseTo(expected.test(), within(2e-4));
    }

    /// The losses of a matrix A are those of the definition, averaged over many fresh noisy points.
    @Test
    void theTestLossIsThatOfFreshPoints() throws InterruptedException {
        Scalars scalars = Scalars.of(Activation.TANH, 0.1, 1);
        Sizes sizes = Sizes.of(20, 8, 4);
        Population data = new Population.Elliptical(IDENTITY, 20, 0);
        Moments moments = new TrueFeatures(Activation.TANH, 50, 20_000).moments(sizes, scalars, data, 1, LAPACK);
        double tau = 40;
        Losses features =
                new GradientFlow(Modes.of(moments, LAPACK), LAPACK).at(tau).getFirst();
        Losses gaussian = new GradientFlow(equivalent(20, 8, 4, 0.1, 1).modes(), LAPACK)
                .at(tau)
                .getFirst();
        assertThat(features.test()).isCloseTo(gaussian.test(), within(0.01));
        assertThat(features.train()).isCloseTo(gaussian.train(), within(0.02));
    }

    @Test
    void descentOnTheDeviceIsPlainDescent() {
        List<Moments> models = List.of(
                equivalent(6, 4, 3, 0.1, 2).moments(),
                equivalent(6, 4, 2, 0.1, 3).moments(),
                equivalent(6, 4, 5, 0.1, 4).moments());
        double rate =
                Descent.authorsRate(models.getFirst().sizes(), models.getFirst().delta());
        try (CpuDevice device = CpuDevice.open(2);
                Descent descent = Descent.open(device, models, OptimizerConfig.sgd((float) rate, 0))) {
            descent.run(200);
            assertThat(descent.steps()).isEqualTo(200);
            assertThat(descent.tau()).isCloseTo(200 * rate / 36, within(1e-3));
            List<Losses> found = descent.losses();
            for (int i = 0; i < models.size(); i++) {
                double[] a = new double[6 * 24];
                Plain.descend(models.get(i), a, rate, 200);
                double[] losses = Plain.losses(models.get(i), a);
                assertThat(found.get(i).train()).isCloseTo(losses[0], within(1e-5));
                assertThat(found.get(i).test()).isCloseTo(losses[1], within(1e-5));
                float[] parameters = descent.parameters(i);
                for (int k = 0; k < a.length; k++) {
                    assertThat((double) parameters[k]).isCloseTo(a[k], within(2e-4));
                }
            }
        }
    }

    @Test
    void descentDoesNotDependOnLanes() {
        List<Moments> models = List.of(
                equivalent(6, 4, 3, 0.1, 2).moments(),
                equivalent(6, 4, 2, 0.1, 3).moments(),
                equivalent(6, 4, 5, 0.1, 4).moments());
        assertThat(adam(models, 1)).isEqualTo(adam(models, 2));
    }

    private static float[] adam(List<Moments> models, int threads) {
        try (CpuDevice device = CpuDevice.open(threads);
                Descent descent = Descent.open(device, models, OptimizerConfig.adam(0.01f))) {
            descent.run(50);
            return descent.parameters(2);
        }
    }

    /// Adam's own steps, written out, and its end: the minimum that gradient flow has as well.
    @Test
    void adamIsAdamAndFindsTheMinimum() {
        Moments moments = equivalent(6, 4, 3, 0.1, 2).moments();
        try (CpuDevice device = CpuDevice.open(1);
                Descent descent = Descent.open(device, List.of(moments), OptimizerConfig.adam(0.02f))) {
            descent.run(100);
            double[] a = new double[6 * 24];
            Plain.adam(moments, a, 0.02, 100);
            float[] parameters = descent.parameters(0);
            for (int k = 0; k < a.length; k++) {
                assertThat((double) parameters[k]).isCloseTo(a[k], within(2e-3));
            }
            descent.run(8000);
            Losses end = new GradientFlow(Modes.of(moments, LAPACK), LAPACK)
                    .at(Double.POSITIVE_INFINITY)
                    .getFirst();
            assertThat(descent.losses().getFirst().train()).isCloseTo(end.train(), within(2e-3));
        }
    }

    @Test
    void refusesModelsThatDoNotFitTogether() {
        List<Moments> models = List.of(
                equivalent(6, 4, 3, 0.1, 2).moments(),
                equivalent(6, 3, 3, 0.1, 2).moments());
        try (CpuDevice device = CpuDevice.open(1)) {
            assertThatThrownBy(() -> Descent.open(device, models, OptimizerConfig.adam(1)))
                    .hasMessageContaining("equal d and p");
        }
        assertThatThrownBy(() -> new GradientFlow(equivalent(6, 4, 3, 0.1, 2).modes(), LAPACK).at(-1))
                .hasMessageContaining("found -1.0");
        assertThatThrownBy(() -> new TrueFeatures(Activation.TANH, 0, 1)).hasMessageContaining("found 0 and 1");
        assertThatThrownBy(() -> new Population.Elliptical(IDENTITY, 10, 2)).hasMessageContaining("found 10 and 2");
    }

    /// Heavy-tailed data have the covariance that was asked for, and tails.
    @Test
    void studentDataHaveTheirCovarianceAndTails() {
        Population data = new Population.Elliptical(Spectrum.twoDelta(0.5, 1.5, 0.5), 4, 5);
        Matrix x = data.draw(0, 20_000, 9, false);
        double[] variance = new double[4];
        double fourth = 0;
        for (int i = 0; i < x.rows(); i++) {
            for (int j = 0; j < 4; j++) {
                variance[j] += x.get(i, j) * x.get(i, j) / x.rows();
            }
            fourth += Math.pow(x.get(i, 0), 4) / x.rows();
        }
        assertThat(variance[0]).isCloseTo(0.5, within(0.04));
        assertThat(variance[3]).isCloseTo(1.5, within(0.12));
        assertThat(fourth / (variance[0] * variance[0])).as("kurtosis").isGreaterThan(4.5);
    }

    @Test
    void aSampleIsCentredAndItsPartsDoNotOverlap() {
        Matrix points = new Matrix(200, 2);
        for (int i = 0; i < 200; i++) {
            points.set(i, 0, 5 + i);
            points.set(i, 1, i % 2);
        }
        Population.Sample sample = Population.Sample.of("numbers", points, LAPACK);
        assertThat(sample.covariance().mean()).isCloseTo(1, within(1e-12));
        Matrix train = sample.draw(0, 120, 1, false);
        Matrix test = sample.draw(0, 80, 1, true);
        List<Double> first = java.util.stream.IntStream.range(0, 120)
                .mapToObj(i -> train.get(i, 0))
                .toList();
        assertThat(first).doesNotHaveDuplicates();
        for (int i = 0; i < 80; i++) {
            assertThat(first).doesNotContain(test.get(i, 0));
        }
        assertThatThrownBy(() -> sample.draw(100, 101, 1, false)).hasMessageContaining("at most 200 points");
        assertThatThrownBy(() -> Population.Sample.of("ones", new Matrix(3, 2), LAPACK))
                .hasMessageContaining("points that differ");
    }
}
