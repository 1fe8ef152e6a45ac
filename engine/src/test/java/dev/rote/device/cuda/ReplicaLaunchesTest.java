package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.graph.Add;
import dev.rote.graph.Cast;
import dev.rote.graph.Conv2d;
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
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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

    /// What is read beside the inputs of nodes decides what launches wait for.
    @Test
    void whatIsAlsoReadStaysWithTheLaunches() {
        List<Device.Part> parts = List.of(part(LENGTH), part(LENGTH));
        List<Range> more = List.of(new Range(64, 128));
        try (CudaMemory one = memory(parts.get(0));
                CudaMemory two = memory(parts.get(1))) {
            List<ReplicaLaunches.Program> programs = Map.of(parts.get(0), one, parts.get(1), two).entrySet().stream()
                    .map(entry -> {
                        Plan plan = entry.getKey().plan();
                        List<Lowered> lowered = new CudaLowering(entry.getValue(), device.tensorCores())
                                .lower(plan.nodes()).stream()
                                        .map(its -> new Lowered(its.nodes(), its.launches(), more))
                                        .toList();
                        return new ReplicaLaunches.Program(plan, entry.getValue(), lowered);
                    })
                    .toList();
            List<ReplicaLaunches.Program> merged = new ReplicaLaunches(device.kernels()::has).merge(programs);
            assertThat(merged).hasSize(1);
            assertThat(merged.getFirst().lowered()).hasSize(3).allSatisfy(its -> assertThat(its.alsoRead())
                    .isEqualTo(more));
        } finally {
            parts.forEach(ReplicaLaunchesTest::close);
        }
    }

    private CudaMemory memory(Device.Part part) {
        return new CudaMemory(device, "test", part.plan(), part.bindings());
    }

    /// Blocks that take tiles in turn are as many as fill a GPU, and as even as their turns allow; others are all
    // there.
    @ParameterizedTest
    @CsvSource({
        // x, y, z of one launch, blocks that fill a GPU, launches, then x of all
        "128, 1, 1, 0, 16, 128",
        "128, 1, 1, 264, 16, 16",
        "128, 1, 1, 264, 2, 128",
        "512, 1, 1, 528, 16, 32",
        "198, 2, 1, 396, 16, 12",
        "64, 1, 4, 264, 16, 4",
        "3, 2, 4, 132, 16, 1",
        "1, 1, 1, 132, 16, 1"
    })
    void blocksThatTakeTilesInTurnAreFewer(int x, int y, int z, int filling, int launches, int expected) {
        KernelLaunch one = new KernelLaunch(
                        "k", new KernelLaunch.Extent(x, y, z), KernelLaunch.Extent.of(32), 0, new Arguments())
                .inTurn(filling);
        assertThat(one.gridOfAll(launches)).isEqualTo(new KernelLaunch.Extent(expected, y, z * launches));
    }

    /// Sixteen convolutions whose tiles are several times the blocks that fill a GPU: each has the bits that it has
    // alone.
    @ParameterizedTest
    @CsvSource({"80, 40, 8, 8, 16", "90, 36, 8, 32, 32"})
    void tilesTakenInTurnAreEachProgramsOwn(int capability, int images, int side, int channels, int filters) {
        StandIn.loaded().ifPresent(standIn -> standIn.set("capability", capability));
        try (CudaDevice capable = CudaDevice.open(0)) {
            Assumptions.assumeTrue(capability == 80 || capable.tensorCores().sm90());
            Graph graph = new Graph();
            Value x = graph.apply(
                    new Cast(DType.BF16), graph.external("x", TensorType.f32(images, side, side, channels)));
            Value w = graph.apply(new Cast(DType.BF16), graph.external("w", TensorType.f32(filters, 3, 3, channels)));
            Value y = graph.apply(Conv2d.same(3), x, w, graph.external("bias", TensorType.f32(filters)));
            Value wide = graph.apply(new Cast(DType.F32), y);
            graph.place(wide, graph.external("result", wide.type()), 0);
            Plan plan = Plan.of(graph, capable.target());
            List<Device.Part> parts = IntStream.range(0, ReplicaLaunches.MOST)
                    .mapToObj(seed -> new Device.Part(plan, drawn(capable, graph, seed)))
                    .toList();
            try {
                List<float[]> together = results(capable, parts);
                List<float[]> alone = parts.stream()
                        .map(part -> results(capable, List.of(part)).getFirst())
                        .toList();
                assertThat(together).containsExactlyElementsOf(alone);
                assertThat(together.get(0)).isNotEqualTo(together.get(1));
            } finally {
                parts.forEach(ReplicaLaunchesTest::close);
            }
        } finally {
            StandIn.loaded().ifPresent(standIn -> standIn.set("capability", 80));
        }
    }

    private static Map<String, Buffer> drawn(CudaDevice device, Graph graph, int seed) {
        Random random = new Random(seed);
        Map<String, Buffer> buffers = new HashMap<>();
        graph.externals().forEach((name, value) -> {
            float[] numbers = new float[Math.toIntExact(value.elements())];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = (float) random.nextGaussian();
            }
            Buffer buffer = device.allocate(name, value.dtype(), value.elements());
            buffer.writeFloats(numbers);
            buffers.put(name, buffer);
        });
        return buffers;
    }

    private static List<float[]> results(CudaDevice device, List<Device.Part> parts) {
        parts.forEach(part -> part.bindings()
                .get("result")
                .writeFloats(new float[(int) part.bindings().get("result").elements()]));
        try (Program program = device.together("test", parts)) {
            program.run();
        }
        return parts.stream()
                .map(part -> part.bindings().get("result").readFloats())
                .toList();
    }
}
