package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.graph.Add;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Multiply;
import dev.rote.graph.Plan;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Which programs share their launches, and that each computes its own numbers.
class ReplicaLaunchesTest extends OnCudaDevice {
    private static final int LENGTH = 1000;

    /// `result = (x * x + x) * x` of so many numbers.
    ///
    /// @param kept whether the square stays, so that the sum lies beside it
    private static Plan plan(CudaDevice device, int length, boolean kept) {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(length));
        Value square = graph.apply(new Multiply(), x, x);
        if (kept) {
            graph.keep(square);
        }
        Value product = graph.apply(new Multiply(), graph.apply(new Add(), square, x), x);
        graph.place(product, graph.external("result", product.type()), 0);
        return Plan.of(graph, device.target());
    }

    private Device.Part part(int length) {
        return part(length, false);
    }

    private Device.Part part(int length, boolean kept) {
        Map<String, Buffer> bindings = new HashMap<>();
        for (String name : List.of("x", "result")) {
            bindings.put(name, device.allocate(name, DType.F32, length));
        }
        return new Device.Part(plan(device, length, kept), bindings);
    }

    private List<ReplicaLaunches.Program> merged(List<Device.Part> parts, boolean known) {
        List<ReplicaLaunches.Program> programs = new ArrayList<>();
        List<CudaMemory> memories = new ArrayList<>();
        try {
            for (Device.Part part : parts) {
                CudaMemory memory = new CudaMemory(device, "test", part.plan(), part.bindings());
                memories.add(memory);
                List<Lowered> lowered = new CudaLowering(memory, device.tensorCores())
                        .lower(part.plan().nodes());
                programs.add(new ReplicaLaunches.Program(part.plan(), memory, lowered));
            }
            return new ReplicaLaunches(kernel -> known && device.kernels().has(kernel)).merge(programs);
        } finally {
            memories.forEach(CudaMemory::close);
            parts.forEach(ReplicaLaunchesTest::close);
        }
    }

    private static void close(Device.Part part) {
        part.bindings().values().forEach(Buffer::close);
    }

    private List<KernelLaunch> launches(ReplicaLaunches.Program program) {
        return program.lowered().stream()
                .flatMap(lowered -> lowered.launches().stream())
                .map(launch -> (KernelLaunch) launch)
                .toList();
    }

    @Test
    void launchesThatDifferInArgumentsBecomeOne() {
        List<ReplicaLaunches.Program> merged = merged(List.of(part(LENGTH), part(LENGTH), part(LENGTH)), true);
        assertThat(merged).hasSize(1);
        assertThat(launches(merged.getFirst()))
                .extracting(KernelLaunch::kernel, launch -> launch.grid().z())
                .containsExactly(
                        tuple("multiply_f32_replicas", 3),
                        tuple("add_f32_replicas", 3),
                        tuple("multiply_f32_replicas", 3));
    }

    @Test
    void moreThanALaunchTakesAreSeveralLaunches() {
        List<Device.Part> parts =
                IntStream.range(0, 18).mapToObj(number -> part(LENGTH)).toList();
        assertThat(merged(parts, true))
                .extracting(program -> launches(program).getFirst().grid().z())
                .containsExactly(16, 2);
    }

    @Test
    void programsOfAnotherShapeStayApart() {
        List<ReplicaLaunches.Program> merged = merged(List.of(part(LENGTH), part(10 * LENGTH), part(LENGTH)), true);
        assertThat(merged)
                .extracting(program -> launches(program).getFirst().kernel())
                .containsExactly("multiply_f32_replicas", "multiply_f32");
    }

    /// What runs beside what is decided by where the values of the first lie.
    @Test
    void programsWhoseValuesLieOtherwiseStayApart() {
        List<ReplicaLaunches.Program> merged = merged(List.of(part(LENGTH), part(LENGTH, true), part(LENGTH)), true);
        assertThat(merged)
                .extracting(program -> launches(program).getFirst().kernel())
                .containsExactly("multiply_f32_replicas", "multiply_f32");
    }

    /// The second reads its own result's buffer, as it were.
    @Test
    void programsWhoseBuffersAreBoundOtherwiseStayApart() {
        Device.Part plain = part(LENGTH);
        Device.Part shared = part(LENGTH);
        Buffer one = device.allocate("one", DType.F32, LENGTH);
        Device.Part inPlace = new Device.Part(shared.plan(), Map.of("x", one, "result", one));
        try {
            assertThat(merged(List.of(plain, inPlace), true)).hasSize(2);
        } finally {
            close(shared);
        }
    }

    @Test
    void kernelsWithoutAnEntryFollowOneAnother() {
        List<ReplicaLaunches.Program> merged = merged(List.of(part(LENGTH), part(LENGTH)), false);
        assertThat(merged).hasSize(1);
        assertThat(launches(merged.getFirst()))
                .extracting(KernelLaunch::kernel)
                .containsExactly("multiply_f32", "multiply_f32", "add_f32", "add_f32", "multiply_f32", "multiply_f32");
    }

    /// Of two shapes and more than a launch takes; of more shapes than there are streams, so that branches follow one
    /// another.
    @ParameterizedTest
    @ValueSource(ints = {2, 20})
    void eachComputesItsOwnNumbers(int shapes) {
        List<Device.Part> parts = IntStream.range(0, 20)
                .mapToObj(number -> part((1 + number % shapes) * LENGTH))
                .toList();
        try {
            for (int number = 0; number < parts.size(); number++) {
                Buffer x = parts.get(number).bindings().get("x");
                float[] values = new float[(int) x.elements()];
                for (int i = 0; i < values.length; i++) {
                    values[i] = number + i % 8;
                }
                x.writeFloats(values);
            }
            try (Program program = device.together("test", parts)) {
                program.run();
            }
            for (int number = 0; number < parts.size(); number++) {
                float[] result = parts.get(number).bindings().get("result").readFloats();
                for (int i = 0; i < result.length; i++) {
                    float x = number + i % 8;
                    assertThat(result[i]).as("number %d of part %d", i, number).isEqualTo((x * x + x) * x);
                }
            }
        } finally {
            parts.forEach(ReplicaLaunchesTest::close);
        }
    }
}
