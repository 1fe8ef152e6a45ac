package dev.rote.optim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.graph.Graph;
import dev.rote.graph.LearningRate;
import dev.rote.graph.Linear;
import dev.rote.graph.MeanSquaredError;
import dev.rote.graph.Plan;
import dev.rote.graph.Shape;
import dev.rote.graph.Target;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.nn.Init;
import dev.rote.nn.Parameters;
import dev.rote.nn.Precision;
import dev.rote.reference.ReferenceRun;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The network is `y = w x + b` with w [1,2] at offset 0 and b [1] at offset 16, fitted to four points.
class OptimizerTest {
    private static final double[] X = {1, 2, -0.5, 1, 0.25, -2, 3, 0.5};
    private static final double[] TARGET = {1, -1, 2, 0.5};
    private static final int SIZE = 32;
    private static final int STEPS = 5;

    @Test
    void stepEndsInTheFixedOrderOfOperations() {
        OptimizerConfig config = new OptimizerConfig(
                new OptimizerConfig.Rule.Sgd(0.9f), new LearningRate(0.1f, 0.1f, 0, 0, false), 0, 1, 0.9f);
        Graph graph = step(config, Precision.F32, 1);
        int count = graph.nodes().size();
        assertThat(graph.nodes().subList(count - 9, count))
                .extracting(node -> node.op().getClass().getSimpleName())
                .containsExactly(
                        "AllReduce",
                        "AllReduce",
                        "GlobalNorm",
                        "ClipScale",
                        "LearningRate",
                        "SgdUpdate",
                        "EmaUpdate",
                        "RecordValue",
                        "Advance");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4})
    void sgdWithMomentumDecayClippingWarmUpAndAverageFollowsItsFormulas(int microBatches) {
        OptimizerConfig config = new OptimizerConfig(
                new OptimizerConfig.Rule.Sgd(0.5f), new LearningRate(0.25f, 0.25f, 2, 0, false), 0.125f, 0.5f, 0.75f);
        Map<String, double[]> found = run(step(config, Precision.F32, microBatches), config);
        double[] p = start();
        double[] v = new double[3];
        double[] average = new double[3];
        double[] losses = new double[3];
        int clipped = 0;
        for (int k = 0; k < STEPS; k++) {
            double[] g = new double[3];
            losses[k % 3] = lossAndGradient(p, g);
            double norm = Math.sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
            clipped += norm > 0.5 ? 1 : 0;
            double scale = Math.min(1, 0.5 / (norm + 1e-6));
            for (int i = 0; i < 3; i++) {
                double decayed = scale * g[i] + 0.125 * p[i];
                v[i] = k == 0 ? decayed : 0.5 * v[i] + decayed;
                p[i] -= (k == 0 ? 0.125 : 0.25) * v[i];
                average[i] = k == 0 ? p[i] : average[i] + 0.25 * (p[i] - average[i]);
            }
        }
        assertThat(clipped).as("some steps are clipped, others are not").isBetween(1, STEPS - 1);
        check(found.get("parameters"), p, 1e-7);
        check(found.get("momentum"), v, 1e-7);
        check(found.get("ema"), average, 1e-7);
        assertThat(found.get("losses")).containsExactly(losses, within(1e-6));
        assertThat(found.get("step")[0]).isEqualTo(STEPS);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void adamAndAdamWFollowTheirFormulasAndRenewTheBf16Copy(boolean decoupled) {
        OptimizerConfig config = new OptimizerConfig(
                new OptimizerConfig.Rule.Adam(0.5f, 0.75f, 1e-3f, decoupled),
                new LearningRate(0.125f, 0.125f, 0, 0, false),
                0.25f,
                0,
                0);
        Map<String, double[]> found = run(step(config, Precision.BF16, 1), config);
        double[] p = start();
        double[] m = new double[3];
        double[] v = new double[3];
        for (int k = 1; k <= STEPS; k++) {
            double[] g = new double[3];
            lossAndGradient(p, g);
            for (int i = 0; i < 3; i++) {
                double gradient = g[i] + (decoupled ? 0 : 0.25 * p[i]);
                m[i] = 0.5 * m[i] + 0.5 * gradient;
                v[i] = 0.75 * v[i] + 0.25 * gradient * gradient;
                double unbiased = m[i] / (1 - Math.pow(0.5, k));
                double root = Math.sqrt(v[i] / (1 - Math.pow(0.75, k)));
                p[i] = p[i] * (decoupled ? 1 - 0.125 * 0.25 : 1) - 0.125 * unbiased / (root + 1e-3f);
            }
        }
        check(found.get("parameters"), p, 1e-7);
        check(found.get("exp_avg"), m, 1e-7);
        check(found.get("exp_avg_sq"), v, 1e-7);
        assertThat(found.get("parameters.bf16")).isEqualTo(found.get("parameters"));
    }

    @Test
    void impossibleConfigurationsAreRefused() {
        LearningRate rate = new LearningRate(0.1f, 0.1f, 0, 0, false);
        assertThatThrownBy(() -> new OptimizerConfig(new OptimizerConfig.Rule.Sgd(0), rate, 0, -1, 0))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> step(OptimizerConfig.adam(1e-3f), Precision.F32, 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static Graph step(OptimizerConfig config, Precision precision, int microBatches) {
        Graph graph = new Graph();
        Parameters parameters = new Parameters(graph, precision);
        Value x = graph.external("x", new TensorType(Shape.of(4, 2), precision.compute()));
        Value target = graph.external("target", new TensorType(Shape.of(4, 1), precision.compute()));
        int images = microBatches == 0 ? 4 : 4 / microBatches;
        Backward backward = Backward.write(graph, Target.PLAIN, parameters, microBatches, micro -> {
            Value w = parameters.matrix("w", Shape.of(1, 2), Init.zeros());
            Value b = parameters.vector("b", 1, Init.zeros());
            Value part = graph.view(x, 2L * micro * images, x.type().with(Shape.of(images, 2)));
            Value wanted =
                    graph.view(target, (long) micro * images, target.type().with(Shape.of(images, 1)));
            return graph.apply(new MeanSquaredError(0.25f), graph.apply(new Linear(), part, w, b), wanted);
        });
        Optimizer.write(graph, parameters, config, backward, 3);
        return graph;
    }

    private static Map<String, double[]> run(Graph graph, OptimizerConfig config) {
        Map<String, double[]> bindings = new HashMap<>();
        bindings.put("x", X.clone());
        bindings.put("target", TARGET.clone());
        bindings.put("parameters", flat(start()));
        bindings.put("parameters.bf16", flat(start()));
        bindings.put("step", new double[1]);
        bindings.put("losses", new double[3]);
        Optimizer.buffers(config).forEach(name -> bindings.put(name, new double[SIZE]));
        ReferenceRun run = ReferenceRun.inArena(Plan.of(graph, Target.PLAIN), bindings);
        for (int k = 0; k < STEPS; k++) {
            run.run();
        }
        return bindings;
    }

    private static double[] start() {
        return new double[] {0.5, -0.25, 1};
    }

    private static double lossAndGradient(double[] p, double[] gradient) {
        double loss = 0;
        for (int i = 0; i < 4; i++) {
            double error = p[0] * X[2 * i] + p[1] * X[2 * i + 1] + p[2] - TARGET[i];
            loss += 0.25 * error * error;
            gradient[0] += 0.5 * error * X[2 * i];
            gradient[1] += 0.5 * error * X[2 * i + 1];
            gradient[2] += 0.5 * error;
        }
        return loss;
    }

    private static double[] flat(double[] p) {
        double[] flat = new double[SIZE];
        flat[0] = p[0];
        flat[1] = p[1];
        flat[16] = p[2];
        return flat;
    }

    /// The three parameters agree and the gaps between them are still zero.
    private static void check(double[] found, double[] expected, double tolerance) {
        assertThat(found).containsExactly(flat(expected), within(tolerance));
        assertThat(Arrays.stream(found).filter(value -> value != 0).count()).isEqualTo(3);
    }
}
