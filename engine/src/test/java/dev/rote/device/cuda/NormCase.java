package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.DType;
import dev.rote.graph.Dropout;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.reference.OpCase;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// A group norm to test with its neighbours: its shape, its numbers, and what they give by the definition.
///
/// @param channels of one tensor, or of two that lie side by side
record NormCase(DType type, int groups, int images, int pixels, int[] channels, boolean silu, String kind) {
    static NormCase bf16(String kind, int groups, int images, int pixels, int... channels) {
        return new NormCase(DType.BF16, groups, images, pixels, channels, true, kind);
    }

    int all() {
        return Arrays.stream(channels).sum();
    }

    GroupNorm op() {
        return new GroupNorm(groups, 1e-5f, silu);
    }

    /// All channels, in the type of the tensors.
    TensorType whole() {
        return new TensorType(Shape.of(images, pixels, all()), type);
    }

    TensorType part(int part) {
        return new TensorType(Shape.of(images, pixels, channels[part]), type);
    }

    @Override
    public String toString() {
        return "%s %d groups [%d,%d,%s]%s".formatted(type, groups, images, pixels, Arrays.toString(channels), kind);
    }

    private List<Value> tensors(GraphRun run) {
        List<Value> tensors = new ArrayList<>();
        for (int part = 0; part < channels.length; part++) {
            tensors.add(run.input("x" + part, part(part)));
        }
        return tensors;
    }

    /// Inputs of the gradient, but for dy.
    List<Value> gradientInputs(GraphRun run) {
        List<Value> inputs = tensors(run);
        for (String name : List.of("gamma", "beta")) {
            inputs.add(run.input(name, TensorType.f32(all())));
        }
        for (String name : List.of("mean", "rstd")) {
            inputs.add(run.input(name, TensorType.f32(images, groups)));
        }
        return inputs;
    }

    /// y of the norm in a graph.
    Value forward(GraphRun run) {
        List<Value> inputs = tensors(run);
        inputs.add(run.input("gamma", TensorType.f32(all())));
        inputs.add(run.input("beta", TensorType.f32(all())));
        return run.graph().add(op(), inputs).getFirst();
    }

    /// y, mean and rstd by the definition.
    List<double[]> normalised(Map<String, double[]> numbers) {
        return new OpCase(
                        "forward",
                        op(),
                        List.of(whole(), TensorType.f32(all()), TensorType.f32(all())),
                        List.of(joined(numbers), numbers.get("gamma"), numbers.get("beta")))
                .expected();
    }

    /// Numbers of all channels behind a dropout, by the definition.
    double[] dropped(Dropout dropout, double[] numbers) {
        List<TensorType> types = List.of(whole().with(DType.F32), TensorType.i32(1));
        return new OpCase("dropout", dropout, types, List.of(numbers, new double[] {GraphRun.STEP}))
                .expected()
                .getFirst();
    }

    /// dx of all channels, dgamma and dbeta by the definition.
    List<double[]> backward(Map<String, double[]> numbers, double[] dy) {
        TensorType channel = TensorType.f32(all());
        TensorType statistic = TensorType.f32(images, groups);
        List<TensorType> types = List.of(whole(), whole(), channel, channel, statistic, statistic);
        List<double[]> inputs = new ArrayList<>(List.of(dy, joined(numbers)));
        for (String name : List.of("gamma", "beta", "mean", "rstd")) {
            inputs.add(numbers.get(name));
        }
        return new OpCase("backward", new GroupNorm.Backward(op()), types, inputs).expected();
    }

    private double[] joined(Map<String, double[]> numbers) {
        double[] all = new double[images * pixels * all()];
        int from = 0;
        for (int part = 0; part < channels.length; part++) {
            int width = channels[part];
            double[] some = numbers.get("x" + part);
            for (int i = 0; i < some.length; i++) {
                all[i / width * all() + from + i % width] = some[i];
            }
            from += width;
        }
        return all;
    }

    /// `dy`, `other`, `x0`, `x1`, `gamma`, `beta`, `mean` and `rstd`, from one seed.
    Map<String, double[]> numbers() {
        Random random = new Random(pixels);
        Map<String, double[]> numbers = new HashMap<>();
        int dropped = type == DType.BF16 ? 0xffff : 0;
        int pixels = images * this.pixels;
        numbers.put("dy", normals(random, pixels * all(), dropped));
        numbers.put("other", normals(random, pixels * all(), dropped));
        for (int part = 0; part < channels.length; part++) {
            numbers.put("x" + part, normals(random, pixels * channels[part], dropped));
        }
        numbers.put("gamma", normals(random, all(), 0));
        numbers.put("beta", normals(random, all(), 0));
        List<double[]> forward = normalised(numbers);
        for (int i = 1; i <= 2; i++) {
            double[] rounded =
                    Arrays.stream(forward.get(i)).map(number -> (float) number).toArray();
            numbers.put(i == 1 ? "mean" : "rstd", rounded);
        }
        return numbers;
    }

    private static double[] normals(Random random, int count, int dropped) {
        double[] normals = new double[count];
        for (int i = 0; i < count; i++) {
            int bits = Float.floatToRawIntBits((float) random.nextGaussian());
            normals[i] = Float.intBitsToFloat(bits & ~dropped);
        }
        return normals;
    }

    /// Of the largest: a group's terms are of that size.
    static void agree(float[] found, double[] expected, double tolerance) {
        double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
        for (int i = 0; i < expected.length; i++) {
            assertThat(Math.abs(found[i] - expected[i]))
                    .as("element %d: found %s, expected %s", i, found[i], expected[i])
                    .isLessThanOrEqualTo(largest * tolerance);
        }
    }
}
