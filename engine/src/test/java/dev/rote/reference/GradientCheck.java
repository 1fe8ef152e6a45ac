package dev.rote.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Autodiff;
import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Multiply;
import dev.rote.graph.Reduce;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// Compares derived gradients with central differences along random directions, in double precision:
/// `|<g,v> - (L(x+hv) - L(x-hv))/2h| <= 1e-7 |g||v| + 1e-9 (1+|L|)`, h = 1e-5.
public final class GradientCheck {
    private static final double H = 1e-5;
    private static final long SEED = 71;

    /// Writes a graph whose inputs are externals, and returns a scalar of it.
    @FunctionalInterface
    public interface Network {
        Value loss(Graph graph);
    }

    private final String name;
    private final Network network;
    private final Map<String, double[]> bindings;
    private final Random random = new Random(SEED);

    private GradientCheck(String name, Network network, Map<String, double[]> bindings) {
        this.name = name;
        this.network = network;
        this.bindings = bindings;
    }

    /// Checks the gradient with respect to each of the `wanted` externals, each by itself, and that asking for all of
    /// them at once gives the same numbers.
    ///
    /// @param bindings numbers for the externals
    public static void check(String name, Network network, Map<String, double[]> bindings, List<String> wanted) {
        GradientCheck check = new GradientCheck(name, network, bindings);
        List<double[]> together = check.gradients(wanted);
        for (int index = 0; index < wanted.size(); index++) {
            double[] alone = check.gradients(List.of(wanted.get(index))).getFirst();
            assertThat(alone).as(name + ": " + wanted.get(index) + " alone").isEqualTo(together.get(index));
            check.compare(wanted.get(index), alone);
        }
    }

    /// Standard normals for every floating external of the network.
    public static Map<String, double[]> normals(Network network, long seed) {
        Graph graph = new Graph();
        network.loss(graph);
        Random random = new Random(seed);
        Map<String, double[]> bindings = new LinkedHashMap<>();
        graph.externals().forEach((name, value) -> {
            if (value.dtype().isFloat()) {
                double[] numbers = new double[(int) value.elements()];
                Arrays.setAll(numbers, i -> random.nextGaussian());
                bindings.put(name, numbers);
            }
        });
        return bindings;
    }

    /// A scalar that depends on every element: the sum of the products with random constants.
    public static Value contract(Graph graph, Value value) {
        float[] weights = new float[(int) value.elements()];
        Random random = new Random(SEED + weights.length);
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) random.nextGaussian();
        }
        Value weight = graph.constant("weight", new TensorType(value.shape(), value.dtype()), weights);
        Value product = graph.apply(new Multiply(), value, weight);
        Value flat = graph.reshape(product, Shape.of(weights.length));
        Value sum = graph.apply(new Reduce(Reduce.Kind.SUM, 0, 1), flat);
        return sum.dtype() == DType.F32 ? sum : graph.apply(new Cast(DType.F32), sum);
    }

    private void compare(String input, double[] gradient) {
        double[] direction = new double[gradient.length];
        Arrays.setAll(direction, i -> random.nextGaussian());
        double expected = (loss(input, direction, H) - loss(input, direction, -H)) / (2 * H);
        double product = dot(gradient, direction);
        double norms = Math.sqrt(dot(gradient, gradient) * dot(direction, direction));
        double allowed = 1e-7 * norms + 1e-9 * (1 + Math.abs(loss(input, direction, 0)));
        assertThat(Math.abs(product - expected))
                .as("%s: <d%s, v> = %s, central difference %s", name, input, product, expected)
                .isLessThanOrEqualTo(allowed);
    }

    private List<double[]> gradients(List<String> wanted) {
        Graph graph = new Graph();
        Value loss = network.loss(graph);
        List<Value> values = wanted.stream().map(graph.externals()::get).toList();
        List<Value> gradients = new ArrayList<>(Autodiff.gradients(graph, loss, values));
        assertThat(gradients).as(name).doesNotContainNull();
        ReferenceRun run = ReferenceRun.of(graph, bindings);
        run.run();
        return gradients.stream().map(run::read).toList();
    }

    private double loss(String input, double[] direction, double step) {
        double[] moved = bindings.get(input).clone();
        for (int i = 0; i < moved.length; i++) {
            moved[i] += step * direction[i];
        }
        Map<String, double[]> at = new HashMap<>(bindings);
        at.put(input, moved);
        Graph graph = new Graph();
        Value loss = network.loss(graph);
        ReferenceRun run = ReferenceRun.of(graph, at);
        run.run();
        return run.read(loss)[0];
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
