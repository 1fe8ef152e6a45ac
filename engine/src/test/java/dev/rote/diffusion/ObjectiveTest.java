package dev.rote.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.graph.Graph;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.reference.ReferenceRun;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ObjectiveTest {
    private static final double[] X0 = {0.3, -1.2, 0.9, 0.5, 0.1, -0.7};
    private static final double[] NOISE = {-0.4, 1.1, 0.2, 2.3, -1.6, 0.8};
    private static final double[] INDEX = {1, 500, 999};

    private final Schedule schedule = Schedule.linear(1000, 1e-4, 2e-2);

    /// At the largest index a prediction of noise says almost nothing of x0: a = 0.006, and coefficients are f32.
    @ParameterizedTest
    @EnumSource
    void targetsAreTheirFormulasAndNoiseAndImageAreRecoveredFromThem(Objective objective) {
        Graph graph = new Graph();
        TensorType type = TensorType.f32(3, 1, 2, 1);
        Value x0 = graph.external("x0", type);
        Value noise = graph.external("noise", type);
        NoiseLevels levels = new NoiseLevels(graph, schedule, graph.external("t", TensorType.i32(3)));
        Value x = Objective.diffuse(levels, x0, noise);
        Value target = objective.target(levels, x0, noise);
        Value foundNoise = objective.noise(levels, x, target);
        Value foundClean = objective.clean(levels, x, target);
        ReferenceRun run = ReferenceRun.of(graph, Map.of("x0", X0, "noise", NOISE, "t", INDEX));
        run.run();
        for (int i = 0; i < 6; i++) {
            double alphaBar = schedule.alphaBar((int) INDEX[i / 2]);
            double a = Math.sqrt(alphaBar);
            double s = Math.sqrt(1 - alphaBar);
            double expected =
                    switch (objective) {
                        case NOISE -> NOISE[i];
                        case X0 -> X0[i];
                        case V -> a * NOISE[i] - s * X0[i];
                    };
            assertThat(run.read(x)[i]).isCloseTo(a * X0[i] + s * NOISE[i], within(1e-6));
            assertThat(run.read(target)[i]).isCloseTo(expected, within(1e-6));
            assertThat(run.read(foundNoise)[i]).isCloseTo(NOISE[i], within(1e-6 / s));
            assertThat(run.read(foundClean)[i]).isCloseTo(X0[i], within(1e-6 / a));
        }
    }
}
