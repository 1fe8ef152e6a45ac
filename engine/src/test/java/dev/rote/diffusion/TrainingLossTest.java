package dev.rote.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.graph.Concat;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Scale;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.random.Draw;
import dev.rote.random.Philox;
import dev.rote.random.Purpose;
import dev.rote.reference.ReferenceRun;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Four images of [1,2,1]; the network is `x / 2`, so that the loss can be written down.
class TrainingLossTest {
    private static final int IMAGES = 4;
    private static final long SEED = 11;
    private static final double[] X0 = {0.5, -1, 0.25, 2, -0.75, 1, 0, 3};

    private final Schedule schedule = Schedule.linear(1000, 1e-4, 2e-2);
    private final TrainingLoss loss = TrainingLoss.training(schedule, Objective.NOISE, 1, 999, SEED);

    @Test
    void lossIsTheMeanSquaredErrorOfTheDrawnNoiseAtTheDrawnTimes() {
        for (int step : new int[] {0, 7}) {
            double expected = 0;
            for (int element = 0; element < 2 * IMAGES; element++) {
                int word = Philox.elementWord(SEED, element / 2, step, Purpose.TIME.code());
                double alphaBar = schedule.alphaBar(1 + Draw.below(word, 999));
                double noise = Draw.normal(SEED, element, step, Purpose.NOISE);
                double x = Math.sqrt(alphaBar) * X0[element] + Math.sqrt(1 - alphaBar) * noise;
                expected += (x / 2 - noise) * (x / 2 - noise) / (2 * IMAGES);
            }
            assertThat(run(loss, step, 0, IMAGES, 1)).isCloseTo(expected, within(1e-6));
        }
        assertThat(run(loss, 0, 0, IMAGES, 1)).isNotEqualTo(run(loss, 7, 0, IMAGES, 1));
    }

    @Test
    void sharesOfLanesAddUpToTheLossOfTheBatch() {
        double whole = run(loss, 3, 0, IMAGES, 1);
        assertThat(run(loss, 3, 0, 1, 1) + run(loss, 3, 1, 3, 1)).isCloseTo(whole, within(1e-12));
    }

    @Test
    void channelsBeyondTheImagesAreNotUsed() {
        assertThat(run(loss, 3, 0, IMAGES, 2)).isEqualTo(run(loss, 3, 0, IMAGES, 1));
    }

    @Test
    void evaluationUsesOneTimeIndexAndNoiseOfItsOwn() {
        TrainingLoss evaluation = TrainingLoss.evaluation(schedule, Objective.X0, 40, SEED);
        double expected = 0;
        for (int element = 0; element < 2 * IMAGES; element++) {
            double alphaBar = schedule.alphaBar(40);
            double noise = Draw.normal(SEED, element, 2, Purpose.EVAL_NOISE);
            double x = Math.sqrt(alphaBar) * X0[element] + Math.sqrt(1 - alphaBar) * noise;
            expected += (x / 2 - X0[element]) * (x / 2 - X0[element]) / (2 * IMAGES);
        }
        assertThat(run(evaluation, 2, 0, IMAGES, 1)).isCloseTo(expected, within(1e-6));
    }

    @Test
    void indicesOutsideTheScheduleAreRefused() {
        assertThatThrownBy(() -> TrainingLoss.training(schedule, Objective.NOISE, 1, 1000, 0))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("1 to 1000");
    }

    /// The share of images `first` to `first + count`, by a network with so many times the channels of its images.
    private static double run(TrainingLoss loss, int step, int first, int count, int channels) {
        Graph graph = new Graph();
        Value all = graph.external("x0", TensorType.f32(IMAGES, 1, 2, 1));
        Value x0 = graph.view(all, 2L * first, TensorType.f32(count, 1, 2, 1));
        Value counter = graph.external("step", TensorType.i32(1));
        Denoiser network = (x, t) -> {
            assertThat(t.type()).isEqualTo(TensorType.i32(count));
            assertThat(x.dtype()).isEqualTo(DType.F32);
            Value half = graph.apply(new Scale(0.5f, 0), x);
            return channels == 1 ? half : graph.apply(new Concat(3), half, graph.apply(new Scale(9, 1), x));
        };
        Value value = loss.write(graph, network, x0, counter, first, IMAGES);
        ReferenceRun run = ReferenceRun.of(graph, Map.of("x0", X0.clone(), "step", new double[] {step}));
        run.run();
        return run.read(value)[0];
    }
}
