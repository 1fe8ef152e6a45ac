package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.device.Buffer;
import dev.rote.device.Program;
import dev.rote.graph.AdamUpdate;
import dev.rote.graph.DType;
import dev.rote.graph.EmaUpdate;
import dev.rote.graph.Graph;
import dev.rote.graph.Op;
import dev.rote.graph.Plan;
import dev.rote.graph.SgdUpdate;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// An update, its bf16 copy and the moving average in one launch give the bits of two.
class CudaOptimizerTest extends OnCudaDevice {
    private static final EmaUpdate AVERAGE = new EmaUpdate(0.9f);

    static Stream<Arguments> updates() {
        Op adam = new AdamUpdate(0.9f, 0.99f, 1e-8f, 0.01f, true);
        Op sgd = new SgdUpdate(0.9f, 0.01f);
        // Whole runs of a thread, and not; several blocks.
        return Stream.of(4, 4096, 9_999, 20_000).flatMap(n -> Stream.of(Arguments.of(adam, n), Arguments.of(sgd, n)));
    }

    @ParameterizedTest
    @MethodSource("updates")
    void oneLaunchGivesTheBitsOfTwo(Op update, int n) {
        Map<String, Buffer> joined = buffers(n);
        Map<String, Buffer> apart = buffers(n);
        for (int step = 0; step < 2; step++) {
            joined.get("step").writeInts(new int[] {step});
            apart.get("step").writeInts(new int[] {step});
            assertThat(run(joined, n, (graph, values) -> {
                        update(graph, update, values);
                        average(graph, values);
                    }))
                    .containsExactly(update instanceof AdamUpdate ? "adam_update" : "sgd_update");
            run(apart, n, (graph, values) -> update(graph, update, values));
            assertThat(run(apart, n, CudaOptimizerTest::average)).containsExactly("ema_update");
        }
        for (String name : List.of("p", "m", "v", "average")) {
            assertThat(joined.get(name).readFloats())
                    .as(name)
                    .isEqualTo(apart.get(name).readFloats());
        }
        assertThat(bits(joined.get("copy"))).isEqualTo(bits(apart.get("copy")));
        Stream.of(joined, apart).forEach(each -> each.values().forEach(Buffer::close));
    }

    private static byte[] bits(Buffer buffer) {
        byte[] bits = new byte[(int) buffer.bytes()];
        buffer.read(0, MemorySegment.ofArray(bits));
        return bits;
    }

    private static void update(Graph graph, Op op, Map<String, Value> v) {
        List<String> names = op instanceof AdamUpdate
                ? List.of("p", "g", "m", "v", "lr", "scale", "step", "copy")
                : List.of("p", "g", "m", "lr", "scale", "step", "copy");
        graph.perform(op, names.stream().map(v::get).toArray(Value[]::new));
    }

    private static void average(Graph graph, Map<String, Value> v) {
        graph.perform(AVERAGE, v.get("average"), v.get("p"), v.get("step"));
    }

    /// @return the kernels
    private List<String> run(Map<String, Buffer> buffers, int n, BiConsumer<Graph, Map<String, Value>> writing) {
        Graph graph = new Graph();
        Map<String, Value> values = new HashMap<>();
        types(n).forEach((name, type) -> values.put(name, graph.external(name, type)));
        writing.accept(graph, values);
        Plan plan = Plan.of(graph, device.target());
        try (Program program = device.compile("test", List.of(plan), buffers);
                CudaMemory memory = new CudaMemory(device, "test", plan, buffers)) {
            program.run();
            return new CudaLowering(memory, device.tensorCores())
                    .lower(plan.nodes()).stream()
                            .flatMap(lowered -> lowered.launches().stream())
                            .map(launch -> ((KernelLaunch) launch).kernel())
                            .toList();
        }
    }

    private static Map<String, TensorType> types(int n) {
        Map<String, TensorType> types = new HashMap<>();
        List.of("p", "g", "m", "v", "average").forEach(name -> types.put(name, TensorType.f32(n)));
        List.of("lr", "scale").forEach(name -> types.put(name, TensorType.f32(1)));
        types.put("step", TensorType.i32(1));
        types.put("copy", new TensorType(TensorType.f32(n).shape(), DType.BF16));
        return types;
    }

    private Map<String, Buffer> buffers(int n) {
        Map<String, Buffer> buffers = new HashMap<>();
        Random random = new Random(n);
        types(n).forEach((name, type) -> buffers.put(name, device.allocate(name, type.type(), type.elements())));
        for (String name : List.of("p", "g", "m", "v", "average")) {
            float[] numbers = new float[n];
            for (int i = 0; i < n; i++) {
                numbers[i] = Math.abs((float) random.nextGaussian());
            }
            buffers.get(name).writeFloats(numbers);
        }
        buffers.get("lr").writeFloats(new float[] {0.01f});
        buffers.get("scale").writeFloats(new float[] {0.5f});
        return buffers;
    }
}
