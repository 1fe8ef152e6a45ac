package dev.rote.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Fusion;
import dev.rote.graph.Op;
import dev.rote.graph.Plan;
import dev.rote.graph.Target;
import dev.rote.graph.TensorType;
import dev.rote.reference.ReferenceRun;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GoldenStudy1Test {
    private static final Target FUSING = new Target() {
        @Override
        public boolean fuses(Fusion.Pattern pattern) {
            return true;
        }

        @Override
        public long workspaceBytes(Op op, List<TensorType> inputs, List<TensorType> outputs) {
            return 0;
        }
    };

    private final GoldenStudy1 golden = new GoldenStudy1();

    @Test
    void tensorsHaveThePublishedNamesOrderAndShapes() {
        List<String> expected = new ArrayList<>();
        golden.weights()
                .forEach((name, entry) ->
                        expected.add(name + entry.shape().toString().replace(" ", "")));
        assertThat(golden.layout().specs().stream().map(spec -> spec.name() + spec.fileShape()))
                .containsExactlyElementsOf(expected)
                .hasSize(277);
    }

    @Test
    void predictionLossAndGradientsAreThoseOfPyTorch() {
        GoldenStudy1.Step step = GoldenStudy1.gradients(Target.PLAIN);
        ReferenceRun run = ReferenceRun.of(step.graph(), bindings());
        run.run();
        golden.checkPrediction(run.read(step.y()));
        golden.checkLoss(run.read(step.loss())[0]);
        golden.checkGradients(run.read(step.gradients()));
    }

    @Test
    void tenSgdStepsHaveTheLossesOfPyTorchWhenFusedAndPlanned() {
        GoldenStudy1.Step step = GoldenStudy1.training(FUSING, 10);
        Map<String, double[]> bindings = bindings();
        bindings.put("momentum", new double[(int) golden.layout().size()]);
        bindings.put("step", new double[1]);
        bindings.put("losses", new double[10]);
        ReferenceRun run = ReferenceRun.inArena(Plan.of(step.graph(), FUSING), bindings);
        IntStream.range(0, 10).forEach(i -> run.run());
        assertThat(bindings.get("step")[0]).isEqualTo(10);
        golden.checkLosses(bindings.get("losses"));
    }

    @Test
    void theSinusoidTableOfTheFileIsTheOneComputedHere() {
        float[] computed = golden.layout().initialFrozen();
        float[] stored = golden.frozen();
        for (int i = 0; i < stored.length; i++) {
            // The file's angles were rounded to f32: half an ulp of 999 is 3e-5.
            assertThat(Math.abs(computed[i] - stored[i])).isLessThan(1e-4f);
        }
    }

    private Map<String, double[]> bindings() {
        Map<String, double[]> bindings = new HashMap<>();
        bindings.put("x", GoldenStudy1.doubles(golden.x()));
        bindings.put("t", IntStream.of(golden.t()).asDoubleStream().toArray());
        bindings.put("eps", GoldenStudy1.doubles(golden.eps()));
        bindings.put("parameters", GoldenStudy1.doubles(golden.parameters()));
        bindings.put("frozen", GoldenStudy1.doubles(golden.frozen()));
        return bindings;
    }
}
