package dev.rote.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.graph.Broadcast;
import dev.rote.graph.Graph;
import dev.rote.graph.Mix;
import dev.rote.graph.Node;
import dev.rote.graph.Plan;
import dev.rote.graph.RandomNormal;
import dev.rote.graph.Shape;
import dev.rote.graph.Target;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.random.Purpose;
import dev.rote.reference.ReferenceRun;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SamplerTest {
    private static final double MEAN = 0.4;
    private static final double DEVIATION = 0.5;

    private final Schedule schedule = Schedule.linear(1000, 1e-4, 2e-2);

    @Test
    void indicesOfStudy1GoEvenlyFrom999To0AndStopThere() {
        Sampler sampler = Sampler.ddim(schedule, Objective.NOISE, 100);
        assertThat(sampler.updates()).isEqualTo(99);
        assertThat(IntStream.of(0, 1, 50, 98).map(sampler::index).boxed()).containsExactly(999, 989, 494, 10);
        assertThat(Sampler.ddpm(schedule, Objective.NOISE).updates()).isEqualTo(1000);
        assertThat(Sampler.ddpm(schedule, Objective.NOISE).index(999)).isZero();
    }

    @Test
    void withEtaOneAndAllStepsItIsTheDdpmPosterior() {
        Sampler sampler = Sampler.ddpm(schedule, Objective.X0);
        for (int update = 0; update < 999; update++) {
            int t = 999 - update;
            double before = schedule.alphaBar(t - 1);
            double variance = (1 - before) / (1 - schedule.alphaBar(t)) * schedule.beta(t);
            // Posterior mean, Ho et al. 2020, eq. 7.
            double ofX0 = Math.sqrt(before) * schedule.beta(t) / (1 - schedule.alphaBar(t));
            double ofX = Math.sqrt(1 - schedule.beta(t)) * (1 - before) / (1 - schedule.alphaBar(t));
            Sampler.Coefficients found = sampler.coefficients(update);
            assertThat(found.ofNoise() * found.ofNoise()).isCloseTo(variance, within(1e-12 * variance));
            assertThat(found.ofX()).isCloseTo(ofX, within(1e-11));
            assertThat(found.ofPrediction()).isCloseTo(ofX0, within(1e-11));
        }
        assertThat(sampler.coefficients(999).ofNoise()).isZero();
        assertThat(sampler.coefficients(999).ofPrediction()).isEqualTo(1);
        assertThat(sampler.coefficients(999).ofX()).isZero();
    }

    @Test
    void ddpmWithTheExactScoreOfAGaussianReproducesItsVariance() {
        Sampler sampler = Sampler.ddpm(schedule, Objective.NOISE);
        double variance = 1;
        for (int update = 0; update < sampler.updates(); update++) {
            double alphaBar = schedule.alphaBar(sampler.index(update));
            double slope = exactSlope(alphaBar);
            Sampler.Coefficients c = sampler.coefficients(update);
            double factor = c.ofX() + c.ofPrediction() * slope;
            variance = factor * factor * variance + c.ofNoise() * c.ofNoise();
        }
        assertThat(Math.sqrt(variance)).isCloseTo(DEVIATION, within(0.01));
    }

    /// Images of one pixel that start at 0 and 1: the sampler is affine, so they tell mean and deviation of what it
    /// makes.
    @ParameterizedTest
    @EnumSource
    void ddimWithTheExactScoreOfAGaussianReproducesTheGaussian(Objective objective) {
        double[] coarse = sampleFromZeroAndOne(objective, 50);
        double[] fine = sampleFromZeroAndOne(objective, 400);
        double alphaBar = schedule.alphaBar(0);
        double mean = Math.sqrt(alphaBar) * MEAN;
        double deviation = Math.sqrt(alphaBar * DEVIATION * DEVIATION + 1 - alphaBar);
        assertThat(fine[0]).isCloseTo(mean, within(0.01));
        assertThat(fine[1] - fine[0]).isCloseTo(deviation, within(0.005));
        assertThat(Math.abs(fine[1] - fine[0] - deviation))
                .isLessThan(0.25 * Math.abs(coarse[1] - coarse[0] - deviation));
    }

    @Test
    void aGraphChangesItsOwnImagesOnlyAndCountsItsSteps() {
        Graph graph = new Graph();
        Sampler sampler = Sampler.ddim(schedule, Objective.NOISE, 10);
        SampleBatch batch = new SampleBatch(Shape.of(4, 1, 1, 1), 2, 2);
        sampler.writeStep(graph, batch, 1, exact(graph, Objective.NOISE));
        Map<String, double[]> bindings = bindings(5, 6, 7, 8);
        ReferenceRun.inArena(Plan.of(graph, Target.PLAIN), bindings).run();
        assertThat(bindings.get("sample.x")[0]).isEqualTo(5);
        assertThat(bindings.get("sample.x")[1]).isEqualTo(6);
        assertThat(bindings.get("sample.x")[2]).isNotEqualTo(7);
        assertThat(bindings.get("sample.x")[3]).isNotEqualTo(8);
        assertThat(bindings.get("sample.step")[0]).isEqualTo(1);
        assertThat(bindings.get("sample.draw")[0]).isEqualTo(1);
    }

    @Test
    void startAndStepsDrawFromDifferentStreamsAtTheImagesOwnPlace() {
        Graph graph = new Graph();
        Sampler sampler = Sampler.ddpm(schedule, Objective.NOISE);
        SampleBatch batch = new SampleBatch(Shape.of(4, 2, 2, 3), 2, 2);
        sampler.writeStart(graph, batch, 9);
        sampler.writeStep(graph, batch, 9, exact(graph, Objective.NOISE));
        List<RandomNormal> draws = graph.nodes().stream()
                .map(Node::op)
                .filter(RandomNormal.class::isInstance)
                .map(RandomNormal.class::cast)
                .toList();
        assertThat(draws).extracting(RandomNormal::first).containsExactly(24L, Purpose.streamStart(1) + 24);
        assertThat(draws).extracting(RandomNormal::purpose).containsOnly(Purpose.SAMPLE.code());
        Value start = graph.nodes().getFirst().output();
        assertThat(start.root().name()).isEqualTo("sample.x");
        assertThat(start.byteOffset()).isEqualTo(4 * 24);
    }

    /// 512 one-pixel images: mean within 4 standard errors, deviation within 4 of its own.
    @Test
    void ancestralSamplesOfAGaussianHaveItsMeanAndDeviation() {
        Sampler sampler = new Sampler(schedule, Objective.V, 200, 1, true);
        SampleBatch batch = SampleBatch.whole(Shape.of(512, 1, 1, 1));
        Map<String, double[]> bindings = bindings(new double[512]);
        Graph start = new Graph();
        sampler.writeStart(start, batch, 21);
        ReferenceRun.of(start, bindings).run();
        Graph step = new Graph();
        sampler.writeStep(step, batch, 21, exact(step, Objective.V));
        ReferenceRun run = ReferenceRun.of(step, bindings);
        for (int update = 0; update < sampler.updates(); update++) {
            run.run();
        }
        double[] x = bindings.get("sample.x");
        double mean = Arrays.stream(x).average().orElseThrow();
        double variance =
                Arrays.stream(x).map(value -> (value - mean) * (value - mean)).sum() / 511;
        assertThat(mean).isCloseTo(MEAN, within(4 * DEVIATION / Math.sqrt(512)));
        assertThat(Math.sqrt(variance)).isCloseTo(DEVIATION, within(4 * DEVIATION / Math.sqrt(1024)));
        assertThat(bindings.get("sample.draw")[0]).isEqualTo(200);
    }

    /// A network that always predicts a noise of 1, which an image of 2.5 does not have, on the schedule whose last
    /// index has a signal of 5e-5: the implied clean image is 30,000.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void clippingKeepsTheImagesOfAnImperfectNetworkInTheirRange(boolean ancestral) {
        Schedule cosine = Schedule.cosine(1000);
        Sampler plain = new Sampler(cosine, Objective.NOISE, 50, ancestral ? 1 : 0, true);
        assertThat(Math.abs(sampleOfOnes(plain)[0])).isGreaterThan(1000);
        assertThat(sampleOfOnes(plain.clipped(-1, 1))[0]).isBetween(-1.0, 1.0);
        assertThat(sampleOfOnes(plain.clipped(-1, 1))[1]).isBetween(-1.0, 1.0);
    }

    private static double[] sampleOfOnes(Sampler sampler) {
        Graph graph = new Graph();
        sampler.writeStep(
                graph,
                SampleBatch.whole(Shape.of(2, 1, 1, 1)),
                1,
                (x, t) -> graph.apply(
                        new Broadcast(x.shape(), 0, 4), graph.constant("noise", TensorType.f32(1), new float[] {1})));
        return run(graph, sampler, 2.5, -1);
    }

    private static double[] run(Graph graph, Sampler sampler, double... start) {
        Map<String, double[]> bindings = bindings(start);
        ReferenceRun run = ReferenceRun.of(graph, bindings);
        for (int update = 0; update < sampler.updates(); update++) {
            run.run();
        }
        return bindings.get("sample.x");
    }

    @ParameterizedTest
    @EnumSource
    void aRangeThatIsNeverLeftChangesNothing(Objective objective) {
        Sampler plain = new Sampler(schedule, objective, 20, 0.5, true);
        double[] expected = sample(plain);
        double[] found = sample(plain.clipped(-100, 100));
        for (int i = 0; i < expected.length; i++) {
            // Coefficients are rounded to float in another form.
            assertThat(found[i]).isCloseTo(expected[i], within(1e-5));
        }
        assertThat(sample(plain.clipped(-0.1f, 0.1f))[1]).isBetween(-0.1001, 0.1001);
    }

    private double[] sample(Sampler sampler) {
        Graph graph = new Graph();
        sampler.writeStep(graph, SampleBatch.whole(Shape.of(2, 1, 1, 1)), 1, exact(graph, sampler.objective()));
        return run(graph, sampler, 0, 1);
    }

    @Test
    void impossibleSamplersAreRefused() {
        assertThatThrownBy(() -> Sampler.ddim(schedule, Objective.NOISE, 1001))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1000");
        assertThatThrownBy(() -> new Sampler(schedule, Objective.NOISE, 10, -1, false))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private double[] sampleFromZeroAndOne(Objective objective, int indices) {
        Graph graph = new Graph();
        Sampler sampler = Sampler.ddim(schedule, objective, indices);
        sampler.writeStep(graph, SampleBatch.whole(Shape.of(2, 1, 1, 1)), 1, exact(graph, objective));
        return run(graph, sampler, 0, 1);
    }

    private static Map<String, double[]> bindings(double... x) {
        Map<String, double[]> bindings = new HashMap<>();
        bindings.put("sample.x", x);
        bindings.put("sample.step", new double[1]);
        bindings.put("sample.draw", new double[1]);
        return bindings;
    }

    /// Expected noise of a Gaussian with mean 0, as a multiple of x.
    private static double exactSlope(double alphaBar) {
        return Math.sqrt(1 - alphaBar) / (alphaBar * DEVIATION * DEVIATION + 1 - alphaBar);
    }

    /// The best possible prediction for data N(MEAN, DEVIATION^2): `noise = s (x - a m) / (a^2 d^2 + s^2)`,
    /// `x0 = (x - s noise) / a`, `v = a noise - s x0`, each a multiple of x plus a number.
    private Denoiser exact(Graph graph, Objective objective) {
        return (x, t) -> {
            Value one = graph.constant("one", TensorType.f32(1), new float[] {1});
            Value ones = graph.apply(new Broadcast(x.shape(), 0, 4), one);
            NoiseLevels levels = new NoiseLevels(graph, schedule, t);
            Value slope = levels.lookUp("slope", index -> affine(objective, index, 1) - affine(objective, index, 0));
            Value shift = levels.lookUp("shift", index -> affine(objective, index, 0));
            return graph.apply(new Mix(), x, ones, slope, shift);
        };
    }

    private double affine(Objective objective, int index, double x) {
        double a = Math.sqrt(schedule.alphaBar(index));
        double s = Math.sqrt(1 - schedule.alphaBar(index));
        double noise = exactSlope(schedule.alphaBar(index)) * (x - a * MEAN);
        double x0 = (x - s * noise) / a;
        return switch (objective) {
            case NOISE -> noise;
            case X0 -> x0;
            case V -> a * noise - s * x0;
        };
    }
}
