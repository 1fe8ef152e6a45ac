package dev.rote.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.reference.GradientCheck;
import dev.rote.reference.ReferenceRun;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class AutodiffTest {
    private static void check(String name, GradientCheck.Network network, String... wanted) {
        GradientCheck.check(name, network, GradientCheck.normals(network, 11), List.of(wanted));
    }

    private static Value sum(Graph graph, Value x) {
        return graph.apply(new Reduce(Reduce.Kind.SUM, 0, 1), graph.reshape(x, Shape.of((int) x.elements())));
    }

    @Test
    void contributionsOfAllUsesAreAdded() {
        check(
                "x x + tanh(x) + x",
                graph -> {
                    Value x = graph.external("x", TensorType.f32(3, 7));
                    Value square = graph.apply(new Multiply(), x, x);
                    Value tanh = graph.apply(new Activation(Activation.Kind.TANH), x);
                    Value two = graph.apply(new Add(), square, tanh);
                    return GradientCheck.contract(graph, graph.apply(new Add(), two, x));
                },
                "x");
    }

    @Test
    void aValueUsedByItselfAndReshapedGetsBothContributions() {
        check(
                "reshapes in between",
                graph -> {
                    Value x = graph.external("x", TensorType.f32(2, 3, 4));
                    Value h = graph.apply(new Activation(Activation.Kind.SILU), x);
                    Value rows = graph.reshape(h, Shape.of(6, 4));
                    Value soft = graph.apply(new Softmax(), rows);
                    Value again = graph.reshape(graph.reshape(soft, Shape.of(24)), Shape.of(2, 3, 4));
                    return GradientCheck.contract(graph, graph.apply(new Multiply(), again, h));
                },
                "x");
    }

    @Test
    void aFilterUsedTwiceGetsBothContributions() {
        check(
                "shared filter",
                graph -> {
                    Value w = graph.external("w", TensorType.f32(3, 3, 3, 3));
                    Value x = graph.external("x", TensorType.f32(1, 5, 4, 3));
                    Value h = graph.apply(Conv2d.same(3), x, w);
                    return GradientCheck.contract(graph, graph.apply(Conv2d.same(3), h, w));
                },
                "x",
                "w");
    }

    /// A small network with one of everything: convolution, norm, SiLU, time embedding, attention, skip connection.
    private static Value network(Graph graph) {
        Value x = graph.external("x", TensorType.f32(2, 6, 6, 3));
        Value t = graph.constant("t", TensorType.f32(2), new float[] {0.25f, 7});
        Value time = graph.apply(new SinusoidalEmbedding(8, 10000, 3, false), t);
        Value h = conv(graph, x, 4, "in");
        Value skip = h;
        h = graph.apply(new AveragePool(2), norm(graph, h, "first"));
        Value shift = linear(graph, time, 4, "time");
        h = graph.apply(new AddChannels(), h, shift);
        Value tokens = graph.reshape(h, Shape.of(2, 9, 4));
        Value attended = graph.apply(new Attention(2), linear(graph, tokens, 12, "qkv"));
        tokens = graph.apply(new Add(), tokens, linear(graph, attended, 4, "out"));
        h = graph.apply(new Upsample(), graph.reshape(tokens, Shape.of(2, 3, 3, 4)));
        h = graph.apply(new Concat(3), h, skip);
        h = conv(graph, norm(graph, h, "last"), 3, "last");
        return graph.apply(new MeanSquaredError(1f / 216), h, x);
    }

    private static Value conv(Graph graph, Value x, int filters, String name) {
        int channels = x.shape().last();
        Value w = graph.external(name + ".w", TensorType.f32(filters, 3, 3, channels));
        return graph.apply(Conv2d.same(3), x, w, graph.external(name + ".bias", TensorType.f32(filters)));
    }

    private static Value linear(Graph graph, Value x, int outputs, String name) {
        Value w = graph.external(name + ".w", TensorType.f32(outputs, x.shape().last()));
        return graph.apply(new Linear(), x, w, graph.external(name + ".bias", TensorType.f32(outputs)));
    }

    private static Value norm(Graph graph, Value x, String name) {
        TensorType channels = TensorType.f32(x.shape().last());
        Value gamma = graph.external(name + ".gamma", channels);
        return graph.apply(new GroupNorm(2, 1e-5f, true), x, gamma, graph.external(name + ".beta", channels));
    }

    private static List<String> parameters() {
        Graph graph = new Graph();
        network(graph);
        return List.copyOf(graph.externals().keySet());
    }

    @Test
    void aWholeNetworkAgreesWithCentralDifferences() {
        check("network", AutodiffTest::network, parameters().toArray(String[]::new));
    }

    @Test
    void gradientsPlacedInAFlatBufferStandThere() {
        Map<String, double[]> bindings = GradientCheck.normals(AutodiffTest::network, 5);
        Graph graph = new Graph();
        Value loss = network(graph);
        List<Value> wanted = new ArrayList<>(graph.externals().values());
        List<Value> gradients = Autodiff.gradients(graph, loss, wanted);
        int total = wanted.stream().mapToInt(value -> (int) value.elements()).sum();
        Value flat = graph.local("gradients", TensorType.f32(total));
        List<double[]> expected = new ArrayList<>();
        ReferenceRun before = ReferenceRun.of(graph, bindings);
        before.run();
        gradients.forEach(gradient -> expected.add(before.read(gradient)));
        int offset = 0;
        for (Value gradient : gradients) {
            graph.place(gradient.unreshaped(), flat, offset);
            offset += (int) gradient.elements();
        }
        ReferenceRun after = ReferenceRun.inArena(Plan.of(graph, Target.PLAIN), bindings);
        after.run();
        double[] all = after.read(flat);
        int begin = 0;
        for (double[] gradient : expected) {
            assertThat(Arrays.copyOfRange(all, begin, begin + gradient.length)).isEqualTo(gradient);
            begin += gradient.length;
        }
        assertThat(begin).isEqualTo(total);
    }

    @Test
    void aValueOnWhichTheLossDoesNotDependHasNoGradient() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(4));
        Value other = graph.external("other", TensorType.f32(4));
        graph.apply(new Add(), x, other);
        Value loss = sum(graph, graph.apply(new Scale(3, 0), x));
        assertThat(Autodiff.gradients(graph, loss, List.of(other, x)).getFirst())
                .isNull();
    }

    @Test
    void theLossMustBeOneF32Number() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(4));
        Value y = graph.apply(new Scale(3, 0), x);
        assertThatThrownBy(() -> Autodiff.gradients(graph, y, List.of(x)))
                .hasMessageContaining("expected loss a single F32, found");
    }

    @Test
    void aLossThroughAViewOfADifferentiatedValueIsRefused() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(8));
        Value h = graph.apply(new Scale(3, 0), x);
        Value part = graph.view(h, 2, TensorType.f32(4));
        Value loss = graph.apply(new Add(), sum(graph, h), sum(graph, part));
        assertThatThrownBy(() -> Autodiff.gradients(graph, loss, List.of(x)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected no view of a differentiated value (use Slice), found");
    }

    @Test
    void aViewBesideTheLossDoesNoHarm() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(8));
        Value h = graph.apply(new Scale(3, 0), x);
        graph.keep(sum(graph, graph.view(h, 2, TensorType.f32(4))));
        Value loss = sum(graph, h);
        Value gradient = Autodiff.gradients(graph, loss, List.of(x)).getFirst();
        ReferenceRun run = ReferenceRun.of(graph, Map.of("x", new double[8]));
        run.run();
        assertThat(run.read(gradient)).containsOnly(3);
    }

    @Test
    void parametersSideBySideInOneBufferHaveTheirOwnGradients() {
        Graph graph = new Graph();
        Value flat = graph.external("flat", TensorType.f32(8));
        Value a = graph.unplaced("a", TensorType.f32(4));
        Value b = graph.unplaced("b", TensorType.f32(4));
        Value product = graph.apply(new Multiply(), a, b);
        graph.place(a, flat, 0);
        graph.place(b, flat, 4);
        Value gradient =
                Autodiff.gradients(graph, sum(graph, product), List.of(b)).getFirst();
        ReferenceRun run = ReferenceRun.of(graph, Map.of("flat", new double[] {1, 2, 3, 4, 5, 6, 7, 8}));
        run.run();
        assertThat(run.read(gradient)).containsExactly(1, 2, 3, 4);
    }

    @Test
    void aLossThroughSavedStatisticsIsRefused() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(2, 3, 4));
        Value channels = graph.external("c", TensorType.f32(4));
        Value mean = graph.add(new GroupNorm(2, 1e-5f, false), List.of(x, channels, channels))
                .get(1);
        Value rowMean =
                graph.add(new LayerNorm(1e-5f), List.of(x, channels, channels)).get(1);
        Value logSum = graph.add(new Attention(1), List.of(graph.reshape(x, Shape.of(1, 2, 12))))
                .get(1);
        for (Value statistic : List.of(mean, rowMean, logSum)) {
            assertThatThrownBy(() -> Autodiff.gradients(graph, sum(graph, statistic), List.of(x)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected a loss that depends on output 0 alone, found output 1");
        }
    }
}
