package dev.rote.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.device.Buffer;
import dev.rote.device.Program;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.graph.Activation;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Linear;
import dev.rote.graph.Mix;
import dev.rote.graph.Plan;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.metrics.Interval;
import dev.rote.metrics.KullbackLeibler;
import dev.rote.metrics.MixtureDensity;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// KL divergences of samplers whose score is known, where the answer is.
class EntropyProductionTest {
    private static final int SAMPLES = 2000;
    private static final int D = 8;

    private final Schedule schedule = Schedule.linear(1000, 1e-4, 2e-2);

    /// What one run of the sampler leaves: samples [N,D] and what each collected.
    private record Sampled(float[] x, float[] production) {}

    /// The exact prediction for the mixture: with a = sqrt(alphaBar), s = sqrt(1 - alphaBar) the clouds are N(+-a mu,
    /// I), the score is `a mu tanh(a mu . x) - x` and the noise -s times it.
    private Denoiser mixture(Graph graph) {
        float[] ones = new float[D * D];
        Arrays.fill(ones, 1);
        Value sum = graph.constant("ones", TensorType.f32(D, D), ones);
        Value zero = graph.constant("zero", TensorType.f32(1), new float[1]);
        return (x, t) -> {
            NoiseLevels levels = new NoiseLevels(graph, schedule, t);
            Value flat = graph.reshape(x, Shape.of(x.shape().dim(0), D));
            Value projection = graph.apply(new Linear(), flat, sum);
            Value scaled = graph.apply(new Mix(), projection, projection, levels.signal(1), zero);
            Value side = graph.apply(new Activation(Activation.Kind.TANH), scaled);
            Value noise = graph.apply(
                    new Mix(),
                    flat,
                    side,
                    levels.noise(1),
                    levels.lookUp("of side", i -> -levels.noiseAt(i) * levels.signalAt(i)));
            return graph.reshape(noise, x.shape());
        };
    }

    /// The exact prediction for N(shift, variance I): the score is `-(x - a shift) / (a^2 variance + s^2)`.
    private Denoiser gaussian(Graph graph, double shift, double variance) {
        float[] values = new float[SAMPLES * D];
        Arrays.fill(values, (float) shift);
        Value middle = graph.constant("middle", TensorType.f32(SAMPLES, 1, 1, D), values);
        return (x, t) -> {
            NoiseLevels levels = new NoiseLevels(graph, schedule, t);
            java.util.function.IntToDoubleFunction slope = i -> {
                double a = levels.signalAt(i);
                double s = levels.noiseAt(i);
                return s / (a * a * variance + s * s);
            };
            return graph.apply(
                    new Mix(),
                    x,
                    middle,
                    levels.lookUp("slope", slope),
                    levels.lookUp("of middle", i -> -levels.signalAt(i) * slope.applyAsDouble(i)));
        };
    }

    private Sampled sample(Graph stepGraph, Denoiser exact) {
        SampleBatch batch = SampleBatch.whole(Shape.of(SAMPLES, 1, 1, D));
        Sampler sampler = Sampler.ddpm(schedule, Objective.NOISE);
        Graph startGraph = new Graph();
        sampler.writeStart(startGraph, batch, 3);
        sampler.writeStep(
                stepGraph, batch, 3, EntropyProduction.observed(stepGraph, batch, schedule, Objective.NOISE, 0, exact));
        Map<String, Buffer> bindings = new HashMap<>();
        try (CpuDevice device = CpuDevice.open(1)) {
            bindings.put(SampleBatch.X, device.allocate("x", DType.F32, (long) SAMPLES * D));
            bindings.put(SampleBatch.STEP, device.allocate("step", DType.I32, 1));
            bindings.put(SampleBatch.DRAW, device.allocate("draw", DType.I32, 1));
            bindings.put(EntropyProduction.SUM, device.allocate("sum", DType.F32, SAMPLES));
            try (Program start = device.compile("start", List.of(Plan.of(startGraph, device.target())), bindings);
                    Program step = device.compile("step", List.of(Plan.of(stepGraph, device.target())), bindings)) {
                start.run();
                for (int update = 0; update < sampler.updates(); update++) {
                    step.run();
                }
                return new Sampled(
                        bindings.get(SampleBatch.X).readFloats(),
                        bindings.get(EntropyProduction.SUM).readFloats());
            }
        }
    }

    private static Interval divergence(Sampled sampled, java.util.function.ToDoubleFunction<double[]> logDensity) {
        double[] logs = new double[SAMPLES];
        for (int n = 0; n < SAMPLES; n++) {
            double[] x = new double[D];
            for (int k = 0; k < D; k++) {
                x[k] = sampled.x()[n * D + k];
            }
            logs[n] = logDensity.applyAsDouble(x);
        }
        return KullbackLeibler.of(logs, sampled.production(), D, 0.95);
    }

    private static double standardNormal(double[] x) {
        return -Arrays.stream(x).map(v -> v * v).sum() / 2 - D / 2.0 * Math.log(2 * Math.PI);
    }

    /// The half width of the interval is 0.1 for 2,000 samples; the steps of the sampler are worth 0.01.
    @Test
    void theExactScoreOfTheMixtureHasNoDivergenceFromIt() {
        Graph graph = new Graph();
        Interval kl = divergence(sample(graph, mixture(graph)), new MixtureDensity(D, OptionalInt.empty())::logDensity);
        assertThat(kl.low()).isLessThan(0.02);
        assertThat(kl.high()).isGreaterThan(-0.02);
        assertThat(kl.high() - kl.low()).isLessThan(0.3);
    }

    /// KL(N(m, v I) | N(0, I)) = (|m|^2 + d v - d - d ln v) / 2.
    @ParameterizedTest
    @CsvSource({"0, 1, 0", "0.5, 1, 1", "-1, 1, 4", "0, 0.25, 2.545177", "0.5, 2, 2.227411"})
    void theDivergenceOfAGaussianFromTheStandardOneIsTheKnownOne(double shift, double variance, double expected) {
        assertThat((D * shift * shift + D * variance - D - D * Math.log(variance)) / 2)
                .isCloseTo(expected, org.assertj.core.api.Assertions.within(1e-5));
        Graph graph = new Graph();
        Interval kl =
                divergence(sample(graph, gaussian(graph, shift, variance)), EntropyProductionTest::standardNormal);
        double slack = (kl.high() - kl.low()) / 2 + 0.02;
        assertThat(kl.value()).isBetween(expected - slack, expected + slack);
        assertThat(slack).isLessThan(0.3);
    }
}
