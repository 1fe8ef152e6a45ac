package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.graph.Add;
import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Linear;
import dev.rote.graph.Node;
import dev.rote.graph.Op;
import dev.rote.graph.Scale;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.reference.OpAccuracy;
import dev.rote.reference.OpCase;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Linear layers of one input in one launch, and their gradients, against the definition and against what must stay as
/// it is.
class CudaGroupedLinearTest extends OnCudaDevice {
    static Stream<GroupedLayers> layers() {
        int[] many = IntStream.range(0, 33).map(layer -> 1 + layer % 5).toArray();
        return AnyDriver.some(Stream.of(DType.F32, DType.BF16)
                .flatMap(type -> Stream.of(
                        new GroupedLayers(type, true, false, 128, 32, 8, 16, 32, 32, 8),
                        new GroupedLayers(type, true, true, 70, 128, 32, 64, 128, 96),
                        new GroupedLayers(type, false, false, 33, 31, 7, 33, 1, 65),
                        new GroupedLayers(type, true, true, 1, 1, 1, 1),
                        new GroupedLayers(type, true, false, 600, 9, 40, 3), // sums of more than 64 terms in a warp
                        new GroupedLayers(type, true, false, 3, 600, 700, 300),
                        new GroupedLayers(type, true, false, 5, 6, many))) // one more than a launch takes
                .toList());
    }

    @ParameterizedTest
    @MethodSource("layers")
    void agreeWithTheDefinitionInBothOrdersOfThreads(GroupedLayers given) {
        GroupedLayers.Outcome found = given.run(device);
        String type = given.type() == DType.F32 ? "_f32" : "_bf16";
        assertThat(found.launches("linear_group" + type)).isOne();
        assertThat(found.launches("linear_group_backward_weight" + type)).isOne();
        assertThat(found.launches("linear_group_backward_data" + type)).isOne();
        long alone = given.filters().length > 32 ? 1 : 0;
        assertThat(found.launches("linear_backward_weight")).isEqualTo(alone);
        assertThat(found.launches("matmul")).isEqualTo(2 * alone);
        check(given, found);
        AnyDriver.descending(true);
        try {
            given.run(device).values().forEach((name, values) -> assertThat(values)
                    .as(name)
                    .isEqualTo(found.values().get(name)));
        } finally {
            AnyDriver.descending(false);
        }
    }

    /// Every value has an allocation of its own, but for those between nodes.
    @Test
    void noKernelReadsOrWritesBesideItsBuffers(@TempDir Path folder) throws Exception {
        Assumptions.assumeFalse(AnyDriver.isGpu(), "needs the stand-in's record");
        StandIn standIn = StandIn.loaded().orElseThrow();
        Path record = folder.resolve("group");
        standIn.record(record);
        try (CudaDevice recorded = CudaDevice.open(0)) {
            layers().forEach(given -> given.run(recorded));
        } finally {
            standIn.stopRecording();
        }
        assertThat(StandInExtension.replay(record)).contains("status 0").contains("launches");
    }

    private static double[] doubles(float[] floats) {
        return IntStream.range(0, floats.length).mapToDouble(i -> floats[i]).toArray();
    }

    private static OpCase one(Op op, List<TensorType> types, double[]... inputs) {
        return new OpCase(op.label() + " " + types, op, types, List.of(inputs));
    }

    private static double[] given(String name, long count) {
        return doubles(GroupedLayers.numbers(name, count));
    }

    private static void check(GroupedLayers given, GroupedLayers.Outcome found) {
        TensorType x = TensorType.f32(given.rows(), given.channels());
        double[] atX = given("x", x.elements());
        for (int layer = 0; layer < given.filters().length; layer++) {
            int filters = given.filters()[layer];
            TensorType w = TensorType.f32(filters, given.channels());
            TensorType y = TensorType.f32(given.rows(), filters);
            double[] atW = given(GroupedLayers.name("w", layer), w.elements());
            double[] bias = given(GroupedLayers.name("bias", layer), filters);
            OpCase forward = given.bias()
                    ? one(new Linear(), List.of(x, w, TensorType.f32(filters)), atX, atW, bias)
                    : one(new Linear(), List.of(x, w), atX, atW);
            double[] result = doubles(found.values().get(GroupedLayers.name("y", layer)));
            if (given.type() == DType.F32) {
                OpAccuracy.check(forward, List.of(result));
            } else {
                isRounded(result, forward.expected().getFirst(), GroupedLayers.name("y", layer));
            }
            List<double[]> gradients = new ArrayList<>();
            for (String parameter : given.bias() ? List.of("dw", "dbias") : List.of("dw")) {
                gradients.add(doubles(found.values().get(GroupedLayers.name(parameter, layer))));
            }
            double[] dy = given(GroupedLayers.name("dy", layer), y.elements());
            OpAccuracy.check(one(new Linear.BackwardWeight(given.bias()), List.of(x, y), atX, dy), gradients);
        }
        // The sum over the layers is that over the filters of one layer that has them all.
        int all = Arrays.stream(given.filters()).sum();
        TensorType y = TensorType.f32(given.rows(), all);
        TensorType w = TensorType.f32(all, given.channels());
        double[] dx = doubles(found.values().get("dx"));
        double[] before = given("dx before", dx.length);
        for (int i = 0; i < dx.length; i++) {
            dx[i] -= given.also() ? before[i] : 0;
        }
        OpAccuracy.check(one(new Linear.BackwardData(), List.of(y, w), joined(given), filters(given)), List.of(dx));
    }

    /// Of all layers, one after another in each row.
    private static double[] joined(GroupedLayers given) {
        List<double[]> parts = new ArrayList<>();
        for (int row = 0; row < given.rows(); row++) {
            for (int layer = 0; layer < given.filters().length; layer++) {
                int filters = given.filters()[layer];
                double[] dy = given(GroupedLayers.name("dy", layer), (long) given.rows() * filters);
                parts.add(Arrays.copyOfRange(dy, row * filters, (row + 1) * filters));
            }
        }
        return parts.stream().flatMapToDouble(Arrays::stream).toArray();
    }

    private static double[] filters(GroupedLayers given) {
        return IntStream.range(0, given.filters().length)
                .mapToObj(layer ->
                        given(GroupedLayers.name("w", layer), (long) given.filters()[layer] * given.channels()))
                .flatMapToDouble(Arrays::stream)
                .toArray();
    }

    /// Once, from a sum in f32.
    private static void isRounded(double[] found, double[] expected, String name) {
        double largest = Arrays.stream(expected).map(Math::abs).max().orElse(0);
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs(found[i] - expected[i]) <= Math.abs(expected[i]) * 0x1p-8 + largest * 0x1p-20)) {
                throw new AssertionError(name + " element " + i + ": expected " + expected[i] + ", found " + found[i]);
            }
        }
    }

    private static Map<String, Value> projections(Graph graph, List<Value> inputs, int... filters) {
        Map<String, Value> results = new LinkedHashMap<>();
        for (int layer = 0; layer < filters.length; layer++) {
            Value x = inputs.get(layer % inputs.size());
            Value w = graph.external(
                    GroupedLayers.name("w", layer),
                    TensorType.f32(filters[layer], x.shape().last()));
            results.put(
                    GroupedLayers.name("y", layer),
                    GroupedLayers.as(graph, DType.BF16, graph.apply(new Linear(), x, w)));
        }
        return results;
    }

    private static void checkProjections(
            Map<String, float[]> values, String x, int rows, int channels, int... filters) {
        for (int layer = 0; layer < filters.length; layer++) {
            OpCase forward = one(
                    new Linear(),
                    List.of(TensorType.f32(rows, channels), TensorType.f32(filters[layer], channels)),
                    given(x, (long) rows * channels),
                    given(GroupedLayers.name("w", layer), (long) filters[layer] * channels));
            isRounded(
                    doubles(values.get(GroupedLayers.name("y", layer))),
                    forward.expected().getFirst(),
                    GroupedLayers.name("y", layer));
        }
    }

    /// The result of the third is wanted in f32 as well: the first two are a group, and so are the last two.
    @Test
    void aLayerWhoseResultIsAlsoWantedInF32StaysAlone() {
        Graph graph = new Graph();
        int[] filters = {8, 9, 10, 11, 12};
        Map<String, Value> results = projections(graph, List.of(graph.external("x", TensorType.f32(20, 16))), filters);
        Value third = graph.nodes().get(4).output();
        results.put("third", third);
        GroupedLayers.Outcome found = GroupedLayers.run(device, graph, results);
        assertThat(found.launches("linear_group_bf16")).isEqualTo(2);
        assertThat(found.launches("matmul_f32")).isOne();
        checkProjections(found.values(), "x", 20, 16, filters);
        isRounded(doubles(found.values().get("third")), doubles(found.values().get("y2")), "third");
    }

    private static List<Node> nodes(Graph graph, Class<?> op) {
        return graph.nodes().stream().filter(node -> op.isInstance(node.op())).toList();
    }

    /// That of the third layer from behind: two are a group before it, and two after it, which add to what is there.
    @Test
    void aGradientThatIsAlsoWantedInF32StaysAlone() {
        GroupedLayers given = new GroupedLayers(DType.BF16, true, false, 20, 16, 8, 9, 10, 11, 12);
        Graph graph = new Graph();
        Map<String, Value> results = given.addTo(graph);
        List<Value> all = nodes(graph, Linear.BackwardData.class).stream()
                .map(node -> node.input(0))
                .toList();
        results.put("third", all.get(2));
        // Read again at the end, so that no sum lies where they were.
        for (Node node : nodes(graph, Cast.class)) {
            if (all.contains(node.output())) {
                results.put("before " + node.output().name(), node.input(0));
            }
        }
        GroupedLayers.Outcome found = GroupedLayers.run(device, graph, results);
        assertThat(found.launches("linear_group_backward_weight_bf16")).isEqualTo(2);
        assertThat(found.launches("linear_group_backward_data_bf16")).isEqualTo(2);
        assertThat(found.launches("linear_backward_weight")).isOne();
        assertThat(found.launches("matmul")).isOne();
        assertThat(found.values().get("third")).isEqualTo(GroupedLayers.numbers("dy2", 20 * 10));
        check(given, found);
    }

    @Test
    void aSumThatIsWantedOnTheWayEndsAGroup() {
        GroupedLayers given = new GroupedLayers(DType.F32, true, false, 20, 16, 8, 9, 10, 11, 12);
        Graph graph = new Graph();
        Map<String, Value> results = given.addTo(graph);
        Value third = nodes(graph, Linear.BackwardData.class).get(2).output();
        Node sum = nodes(graph, Add.class).stream()
                .filter(add -> add.inputs().contains(third))
                .findFirst()
                .orElseThrow();
        results.put("sum", sum.output());
        GroupedLayers.Outcome found = GroupedLayers.run(device, graph, results);
        assertThat(found.launches("linear_group_backward_weight_f32")).isEqualTo(2);
        assertThat(found.launches("linear_group_backward_data_f32")).isEqualTo(2);
        assertThat(found.launches("add")).as("those of the loss").isEqualTo(4);
        check(given, found);
        double[] part = doubles(found.values().get("dx"));
        for (int layer = 0; layer < 2; layer++) {
            TensorType y = TensorType.f32(20, given.filters()[layer]);
            TensorType w = TensorType.f32(given.filters()[layer], 16);
            OpCase one = one(
                    new Linear.BackwardData(),
                    List.of(y, w),
                    given(GroupedLayers.name("dy", layer), y.elements()),
                    given(GroupedLayers.name("w", layer), w.elements()));
            double[] its = one.expected().getFirst();
            Arrays.setAll(part, i -> part[i] - its[i]);
        }
        double[] sums = doubles(found.values().get("sum"));
        for (int i = 0; i < part.length; i++) {
            assertThat(sums[i]).as("element %d", i).isCloseTo(part[i], within(1e-5));
        }
    }

    @Test
    void layersOfDifferentInputsStayAlone() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(20, 16));
        Value other = graph.external("other", TensorType.f32(20, 16));
        GroupedLayers.Outcome found =
                GroupedLayers.run(device, graph, projections(graph, List.of(x, other), 8, 8, 8, 8));
        assertThat(found.launches("linear_group")).isZero();
        assertThat(found.launches("matmul_f32")).isEqualTo(4);
    }

    @Test
    void largeLayersStayAlone() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(128 * 264, 1));
        GroupedLayers.Outcome found = GroupedLayers.run(device, graph, projections(graph, List.of(x), 1, 1));
        assertThat(found.launches("linear_group")).isZero();
    }

    @Test
    void inTf32TensorCoresTakeThem() {
        try (CudaDevice tf32 = CudaDevice.open(0, true)) {
            GroupedLayers.Outcome found = new GroupedLayers(DType.BF16, true, false, 16, 16, 8, 8).run(tf32);
            assertThat(found.launches("linear_group")).isZero();
        }
    }

    /// Nobody reads x behind the last layer, whose result is as large: the plan puts it there.
    @Test
    void aResultThatLiesOnTheInputIsWrittenAfterTheOthers() {
        Graph graph = new Graph();
        Value x = graph.apply(new Scale(1, 0), graph.external("numbers", TensorType.f32(40, 16)));
        int[] filters = {8, 4, 32};
        Map<String, Value> results = projections(graph, List.of(x), filters);
        results.replaceAll((name, value) -> graph.apply(new Scale(1, 0), value));
        GroupedLayers.Outcome found = GroupedLayers.run(device, graph, results);
        assertThat(found.launches("linear_group_bf16")).isOne();
        assertThat(found.launches("matmul_f32")).isOne();
        checkProjections(found.values(), "numbers", 40, 16, filters);
    }
}
