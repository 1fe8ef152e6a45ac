package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Add;
import dev.rote.graph.Attention;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Linear;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.reference.ReferenceRun;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A norm, attention with its two projections, and the sum with what the norm read, in one launch for compute
/// capability 9.0.
class CudaAttentionBlockTest extends OnSm90Device {
    private static final int GROUPS = 8;
    private static final int HEADS = 4;

    /// @param filters the size of the filters' weights
    /// @param longer how much larger the last 16 tokens of an image are than the others
    private record Case(int images, int width, int channels, double filters, double longer) {
        Case(int images, int width, int channels, double filters) {
            this(images, width, channels, filters, 1);
        }

        String kernel() {
            int tokens = width * width;
            return "attention_block_sm90_%dx%dx%d_%d".formatted(tokens, channels, channels / HEADS, channels / GROUPS);
        }

        TensorType image() {
            return bf16(images, width, width, channels);
        }

        /// Whole in bf16. The images have a mean that differs by channel.
        Map<String, double[]> numbers() {
            Map<String, double[]> numbers = new HashMap<>();
            double[] x = of("x", images * width * width * channels, 1, 2);
            for (int i = 0; i < x.length; i++) {
                boolean last = i / channels % (width * width) >= width * width - 16;
                x[i] *= last ? longer : 1;
            }
            numbers.put("x", x);
            numbers.put("gamma", of("gamma", channels, 0.3, 1));
            numbers.put("beta", of("beta", channels, 0.3, 0));
            numbers.put("w qkv", of("w qkv", 3 * channels * channels, filters, 0));
            numbers.put("b qkv", of("b qkv", 3 * channels, 0.3, 0));
            numbers.put("w out", of("w out", channels * channels, filters, 0));
            numbers.put("b out", of("b out", channels, 0.3, 0));
            return numbers;
        }

        private double[] of(String name, int count, double deviation, double mean) {
            Random random = new Random(name.hashCode());
            double[] numbers = new double[count];
            for (int i = 0; i < count; i++) {
                float number = (float) (deviation * random.nextGaussian() + mean * (1 + i % channels % 5));
                numbers[i] = Float.intBitsToFloat(Float.floatToIntBits(number) & 0xffff0000);
            }
            return numbers;
        }
    }

    /// What a block is made of, by name, in the order in which it is computed; the last is the sum.
    private static Map<String, Value> block(Inputs inputs, Case one, boolean biases) {
        Graph graph = inputs.graph();
        int channels = one.channels();
        Value x = inputs.of("x", one.image());
        Value gamma = inputs.of("gamma", TensorType.f32(channels));
        Value beta = inputs.of("beta", TensorType.f32(channels));
        Layer in = Layer.of(inputs, "qkv", channels, 3 * channels, biases);
        Layer out = Layer.of(inputs, "out", channels, channels, biases);
        List<Value> normed = graph.add(new GroupNorm(GROUPS, 1e-5f, false), List.of(x, gamma, beta));
        Shape tokens = Shape.of(one.images(), one.width() * one.width(), channels);
        Value qkv = in.apply(graph, graph.reshape(normed.getFirst(), tokens));
        List<Value> attended = graph.add(new Attention(HEADS), List.of(qkv));
        Value projected = out.apply(graph, attended.getFirst());
        Value sum = graph.apply(new Add(), x, graph.reshape(projected, x.shape()));
        Map<String, Value> values = new HashMap<>();
        values.put("normed", normed.getFirst());
        values.put("mean", normed.get(1));
        values.put("rstd", normed.get(2));
        values.put("qkv", qkv);
        values.put("attended", attended.getFirst());
        values.put("lse", attended.get(1));
        values.put("projected", projected);
        values.put("sum", sum);
        return values;
    }

    /// @param bias null if there is none
    private record Layer(Value filters, Value bias) {
        static Layer of(Inputs inputs, String name, int channels, int filters, boolean bias) {
            return new Layer(
                    inputs.of("w " + name, bf16(filters, channels)),
                    bias ? inputs.of("b " + name, TensorType.f32(filters)) : null);
        }

        Value apply(Graph graph, Value x) {
            return bias == null ? graph.apply(new Linear(), x, filters) : graph.apply(new Linear(), x, filters, bias);
        }
    }

    private interface Inputs {
        Graph graph();

        Value of(String name, TensorType type);
    }

    private static Inputs inputs(GraphRun run) {
        return new Inputs() {
            @Override
            public Graph graph() {
                return run.graph();
            }

            @Override
            public Value of(String name, TensorType type) {
                return run.input(name, type);
            }
        };
    }

    /// The results of those names, which is to be one launch, or none of this kernel.
    private Map<String, float[]> run(Case one, boolean biases, boolean joined, List<String> names) {
        GraphRun run = new GraphRun(device, one.numbers());
        Map<String, Value> values = block(inputs(run), one, biases);
        names.forEach(name -> run.place(name, values.get(name)));
        // A result that lay where one of these was would be a launch of its own.
        List<String> kept = List.of("x", "w qkv", "w out");
        kept.forEach(name -> run.place(name, run.input(name, null)));
        Map<String, float[]> results = new HashMap<>(run.results());
        kept.forEach(results::remove);
        if (joined) {
            assertThat(run.kernels())
                    .contains(one.kernel())
                    .noneMatch(
                            kernel -> kernel.matches("(group_norm|linear|matmul|attention_head|attention_bf16|add).*"));
        } else {
            assertThat(run.kernels()).noneMatch(kernel -> kernel.startsWith("attention_block"));
        }
        return results;
    }

    /// By the definitions, where nothing is rounded.
    private static Map<String, double[]> exact(Case one, boolean biases) {
        Graph graph = new Graph();
        Map<String, Value> inputs = new HashMap<>();
        Map<String, Value> values = block(
                new Inputs() {
                    @Override
                    public Graph graph() {
                        return graph;
                    }

                    @Override
                    public Value of(String name, TensorType type) {
                        return inputs.computeIfAbsent(name, missing -> graph.external(name, type));
                    }
                },
                one,
                biases);
        ReferenceRun run = ReferenceRun.of(graph, one.numbers());
        run.run();
        Map<String, double[]> exact = new HashMap<>();
        values.forEach((name, value) -> exact.put(name, run.read(value)));
        return exact;
    }

    private static double error(float[] found, double[] exact) {
        assertThat(found).hasSameSizeAs(exact);
        double squares = 0;
        for (int i = 0; i < exact.length; i++) {
            squares += (found[i] - exact[i]) * (found[i] - exact[i]);
        }
        return Math.sqrt(squares / exact.length);
    }

    private static double furthest(float[] found, double[] exact) {
        double furthest = 0;
        for (int i = 0; i < exact.length; i++) {
            furthest = Math.max(furthest, Math.abs(found[i] - exact[i]));
        }
        return furthest;
    }

    /// As near to the definition as the launches that it stands for, whatever is wanted of what lies between.
    @ParameterizedTest
    @CsvSource({
        // images, width, channels, filters: small ones, and scores that need a maximum
        "2, 16, 64, 0.1",
        "1, 16, 64, 0.8",
        "3, 8, 128, 0.1",
        "2, 8, 128, 0.5",
        "2, 16, 32, 0.15",
        "1, 16, 32, 1.5",
        "3, 8, 64, 0.1",
        "2, 8, 64, 0.8",
        "3, 8, 32, 0.15",
        "2, 8, 32, 1.5",
        "2, 16, 128, 0.1",
        "1, 16, 128, 0.5"
    })
    void oneLaunchIsAsNearToTheDefinitionAsItsParts(int images, int width, int channels, double filters) {
        isAsNear(new Case(images, width, channels, filters));
    }

    /// Scores need a maximum for the sake of one warp's keys alone.
    @ParameterizedTest
    @CsvSource({"16, 64, 0.2", "8, 128, 0.2", "8, 32, 0.4", "16, 128, 0.2"})
    void aFewLongTokensAreSeenByAllWarps(int width, int channels, double filters) {
        isAsNear(new Case(1, width, channels, filters, 64));
    }

    private void isAsNear(Case one) {
        List<String> between = List.of("normed", "mean", "rstd", "qkv", "attended", "lse", "sum");
        for (boolean biases : new boolean[] {true, false}) {
            Map<String, double[]> exact = exact(one, biases);
            Map<String, float[]> all = run(one, biases, true, between);
            Map<String, float[]> apart = run(
                    one,
                    biases,
                    false,
                    List.of("normed", "mean", "rstd", "qkv", "attended", "lse", "projected", "sum"));
            for (String name : between) {
                double[] expected = exact.get(name);
                double its = error(apart.get(name), expected);
                double most = furthest(apart.get(name), expected);
                assertThat(error(all.get(name), expected)).as(name).isLessThanOrEqualTo(1.05 * its + 1e-6);
                assertThat(furthest(all.get(name), expected)).as(name).isLessThanOrEqualTo(1.5 * most + 1e-5);
            }
            for (List<String> few :
                    List.of(List.of("sum"), List.of("sum", "qkv", "rstd"), List.of("sum", "lse", "normed"))) {
                run(one, biases, true, few).forEach((name, values) -> assertThat(Arrays.equals(values, all.get(name)))
                        .as("%s where %s are wanted", name, few)
                        .isTrue());
            }
        }
    }

    /// Blocks that have all images, and threads in the other order, find the same.
    @ParameterizedTest
    @CsvSource({"16, 64", "8, 128", "16, 32", "8, 64", "8, 32", "16, 128"})
    void oneBlockFindsWhatManyDo(int width, int channels) {
        Case one = new Case(5, width, channels, 0.2);
        Outcome many = outcome(one, false);
        assertThat(many.kernels()).contains(one.kernel());
        outcome(one, true).isTheSameAs(many);
        AnyDriver.descending(true);
        outcome(one, false).isTheSameAs(many);
        outcome(one, true).isTheSameAs(many);
    }

    private Outcome outcome(Case one, boolean narrow) {
        Graph graph = new Graph();
        Map<String, Value> found = new HashMap<>();
        Value sum = block(rounded(graph, found), one, true).get("sum");
        Stream.of("w qkv", "w out").forEach(name -> graph.keep(found.get(name)));
        return Outcome.of(device, graph, sum, narrow);
    }

    private static Inputs rounded(Graph graph, Map<String, Value> found) {
        return new Inputs() {
            @Override
            public Graph graph() {
                return graph;
            }

            @Override
            public Value of(String name, TensorType type) {
                return found.computeIfAbsent(
                        name,
                        missing -> type.type() == DType.F32
                                ? graph.external(name, type)
                                : Outcome.input(graph, name, dims(type)));
            }
        };
    }

    private static int[] dims(TensorType type) {
        int[] dims = new int[type.shape().rank()];
        Arrays.setAll(dims, type.shape()::dim);
        return dims;
    }

    /// Another number of tokens or channels, and another reader of what would not be written.
    @Test
    void othersStayApart() {
        run(new Case(2, 12, 64, 0.1), true, false, List.of("sum"));
        run(new Case(2, 16, 96, 0.1), true, false, List.of("sum"));
        run(new Case(2, 16, 64, 0.1), true, false, List.of("sum", "projected"));
    }

    /// Tokens that attend to a part of their image: the reshapes between are no nodes.
    @Test
    void attentionWithinWindowsStaysApart() {
        Case one = new Case(2, 16, 64, 0.1);
        GraphRun run = new GraphRun(device, one.numbers());
        Graph graph = run.graph();
        Value x = run.input("x", one.image());
        Value w = run.input("w qkv", bf16(192, 64));
        Value out = run.input("w out", bf16(64, 64));
        Value gamma = run.input("gamma", TensorType.f32(64));
        Value beta = run.input("beta", TensorType.f32(64));
        Value normed = graph.add(new GroupNorm(GROUPS, 1e-5f, false), List.of(x, gamma, beta))
                .getFirst();
        Value qkv = graph.apply(new Linear(), graph.reshape(normed, Shape.of(32, 16, 64)), w);
        Value projected = graph.apply(new Linear(), graph.apply(new Attention(HEADS), qkv), out);
        run.place("sum", graph.apply(new Add(), x, graph.reshape(projected, x.shape())));
        Map.of("x", x, "w qkv", w, "w out", out).forEach(run::place);
        run.results();
        assertThat(run.kernels()).noneMatch(kernel -> kernel.startsWith("attention_block"));
    }

    /// Filters that nobody reads later: the plan puts a result where they were, and images would overwrite them.
    @Test
    void memoryThatIsUsedAgainKeepsThemApart() {
        Case one = new Case(3, 8, 128, 0.1);
        Graph graph = new Graph();
        Map<String, Value> found = new HashMap<>();
        Map<String, Value> values = block(rounded(graph, found), one, true);
        graph.keep(values.get("attended"));
        Outcome outcome = Outcome.of(device, graph, values.get("sum"));
        assertThat(outcome.kernels()).doesNotContain(one.kernel()).contains("attention_head_bf16_mma_32");
    }
}
