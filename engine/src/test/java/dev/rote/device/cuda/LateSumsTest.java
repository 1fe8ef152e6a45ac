package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.device.Buffer;
import dev.rote.device.Program;
import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Fusion;
import dev.rote.graph.Graph;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.LayerNorm;
import dev.rote.graph.Linear;
import dev.rote.graph.Node;
import dev.rote.graph.Op;
import dev.rote.graph.Plan;
import dev.rote.graph.Scale;
import dev.rote.graph.Shape;
import dev.rote.graph.Target;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// The sums of the gradients of norms' parameters and of weights, put off and joined ([LateSums]), against each in a
/// graph of its own: the same bits.
class LateSumsTest extends OnCudaDevice {
    private static final String SUMS = ParameterSums.KERNEL;
    private static final GroupNorm NORM = new GroupNorm(4, 1e-5f, false);

    /// As the device's, but scratch memory is anybody's when its node is done.
    private static final Target FORGETS = new Target() {
        @Override
        public boolean fuses(Fusion.Pattern pattern) {
            return CudaTarget.INSTANCE.fuses(pattern);
        }

        @Override
        public long workspaceBytes(Op op, List<TensorType> inputs, List<TensorType> outputs) {
            return CudaTarget.INSTANCE.workspaceBytes(op, inputs, outputs);
        }
    };

    /// A graph that is being written, and the gradients of its norms.
    private final class Norms {
        final Graph graph = new Graph();
        final List<Value> results = new ArrayList<>();

        /// A norm of images of 16 pixels.
        ///
        /// @param name of what it reads: the same numbers for the same name
        List<Value> add(String name, int images, int channels) {
            return add(name, NORM, Shape.of(images, 4, 4, channels), Shape.of(images, 4));
        }

        List<Value> add(String name, Op op, Shape shape, Shape statistics) {
            Value[] inputs = IntStream.range(0, 6)
                    .filter(number -> op instanceof GroupNorm || number != 3) // no beta
                    .mapToObj(number -> {
                        Shape own = number < 2 ? shape : number < 4 ? Shape.of(shape.last()) : statistics;
                        return graph.external(name + " " + number, new TensorType(own, DType.F32));
                    })
                    .toArray(Value[]::new);
            Op backward = op instanceof GroupNorm norm ? new GroupNorm.Backward(norm) : new LayerNorm.Backward();
            graph.apply(backward, inputs);
            return graph.nodes().getLast().outputs().subList(1, 3);
        }

        void keep(List<Value> values) {
            for (Value value : values) {
                Value target = graph.external("result " + results.size(), value.type());
                graph.place(value, target, 0);
                results.add(target);
            }
        }

        /// What the program writes, and the kernels of it.
        Outcomes run(Target target) {
            Plan plan = Plan.of(graph, target);
            Map<String, Buffer> buffers = new HashMap<>();
            graph.externals().forEach((name, value) -> {
                Buffer buffer = device.allocate(name, value.dtype(), value.elements());
                buffer.writeFloats(numbers(name, (int) value.elements()));
                buffers.put(name, buffer);
            });
            try (Program program = device.compile("test", List.of(plan), buffers);
                    CudaMemory memory = new CudaMemory(device, "test", plan, buffers)) {
                program.run();
                List<String> kernels = new CudaLowering(memory, device.tensorCores())
                        .lower(plan.nodes()).stream()
                                .flatMap(lowered -> lowered.launches().stream())
                                .map(launch -> ((KernelLaunch) launch).kernel())
                                .toList();
                return new Outcomes(
                        results.stream()
                                .map(value -> buffers.get(value.name()).readFloats())
                                .toList(),
                        kernels);
            } finally {
                buffers.values().forEach(Buffer::close);
            }
        }
    }

    private record Outcomes(List<float[]> values, List<String> kernels) {
        long sums() {
            return count(SUMS);
        }

        long count(String kernel) {
            return kernels.stream().filter(kernel::equals).count();
        }
    }

    private static float[] numbers(String name, int count) {
        Random random = new Random(name.hashCode());
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }

    private static float[] doubled(float[] numbers) {
        float[] doubled = numbers.clone();
        for (int i = 0; i < doubled.length; i++) {
            doubled[i] *= 2;
        }
        return doubled;
    }

    /// dgamma and dbeta of a norm in a graph of its own.
    private List<float[]> alone(String name, int images, int channels) {
        Norms norms = new Norms();
        norms.keep(norms.add(name, images, channels));
        Outcomes found = norms.run(CudaTarget.INSTANCE);
        assertThat(found.sums()).isOne();
        return found.values();
    }

    @Test
    void normsOfOneBatchAreSummedInOneLaunchAtTheEnd() {
        Norms norms = new Norms();
        List<float[]> expected = new ArrayList<>();
        for (int channels : new int[] {4, 12, 64, 20}) {
            String name = "norm of " + channels;
            norms.keep(norms.add(name, 5, channels));
            expected.addAll(alone(name, 5, channels));
        }
        Outcomes found = norms.run(CudaTarget.INSTANCE);
        assertThat(found.sums()).isOne();
        assertThat(found.kernels().getLast()).isEqualTo(SUMS);
        assertThat(found.values()).containsExactly(expected.toArray(float[][]::new));
    }

    @Test
    void moreNormsThanALaunchTakesAreSeveral() {
        Norms norms = new Norms();
        List<float[]> expected = new ArrayList<>();
        for (int number = 0; number < ParameterSums.MOST + 3; number++) {
            norms.keep(norms.add("norm " + number, 2, 8));
            expected.addAll(alone("norm " + number, 2, 8));
        }
        Outcomes found = norms.run(CudaTarget.INSTANCE);
        assertThat(found.sums()).isEqualTo(2);
        assertThat(found.values()).containsExactly(expected.toArray(float[][]::new));
    }

    @Test
    void thoseOfOtherRowsAreALaunchOfTheirOwn() {
        Norms norms = new Norms();
        norms.keep(norms.add("five", 5, 8));
        norms.keep(norms.add("three", 3, 8));
        norms.keep(norms.add("layer", new LayerNorm(1e-5f), Shape.of(3, 16), Shape.of(3)));
        Outcomes found = norms.run(CudaTarget.INSTANCE);
        assertThat(found.sums()).isEqualTo(3); // the layer norm has one chunk of rows
        List<float[]> expected = new ArrayList<>(alone("five", 5, 8));
        expected.addAll(alone("three", 3, 8));
        assertThat(found.values().subList(0, 4)).containsExactly(expected.toArray(float[][]::new));
    }

    @Test
    void whoReadsASumHasItFirst() {
        Norms norms = new Norms();
        List<Value> first = norms.add("first", 5, 8);
        Value twice = norms.graph.apply(new Scale(2, 0), first.getFirst());
        norms.keep(List.of(twice));
        norms.keep(norms.add("second", 5, 8));
        Outcomes found = norms.run(CudaTarget.INSTANCE);
        assertThat(found.kernels().indexOf(SUMS)).isLessThan(found.kernels().indexOf("scale_f32"));
        assertThat(found.sums()).isEqualTo(2);
        List<float[]> expected = new ArrayList<>(alone("second", 5, 8));
        expected.addFirst(doubled(alone("first", 5, 8).getFirst()));
        assertThat(found.values()).containsExactly(expected.toArray(float[][]::new));
    }

    /// A gradient that nobody reads has given its place to another value by the time of the sums.
    @Test
    void whoTakesTheirPlaceHasThemFirst() {
        Norms norms = new Norms();
        norms.add("first", 5, 8);
        List<Value> second = norms.add("second", 5, 8);
        List<Value> taking = IntStream.range(0, 4)
                .mapToObj(number -> norms.graph.external("vector " + number, TensorType.f32(8)))
                .map(vector -> norms.graph.apply(new Scale(1, 0), vector))
                .toList();
        norms.keep(List.of(norms.graph.apply(new Scale(2, 0), second.getFirst())));
        taking.forEach(value -> norms.keep(List.of(norms.graph.apply(new Scale(1, 0), value))));
        List<float[]> found = norms.run(CudaTarget.INSTANCE).values();
        float[] halved = found.getFirst();
        for (int i = 0; i < halved.length; i++) {
            halved[i] /= 2;
        }
        assertThat(halved).isEqualTo(alone("second", 5, 8).getFirst());
        for (int number = 0; number < 4; number++) {
            assertThat(found.get(1 + number)).isEqualTo(numbers("vector " + number, 8));
        }
    }

    /// Where a plan gives the scratch memory to the next node, the sums come before it.
    @Test
    void anyPlanIsRight() {
        Norms norms = new Norms();
        List<float[]> expected = new ArrayList<>();
        for (int number = 0; number < 3; number++) {
            norms.keep(norms.add("norm " + number, 5, 8));
            expected.addAll(alone("norm " + number, 5, 8));
        }
        Outcomes found = norms.run(FORGETS);
        assertThat(found.sums()).isEqualTo(3);
        assertThat(found.values()).containsExactly(expected.toArray(float[][]::new));
    }

    /// Weights of a linear layer whose sum over 4,096 rows is divided.
    ///
    /// @param channels read and written
    private static List<Value> addWeights(Norms all, String name, int channels) {
        Value x = all.graph.external(name + " x", TensorType.f32(4096, channels));
        Value dy = all.graph.external(name + " dy", TensorType.f32(4096, channels));
        all.graph.apply(new Linear.BackwardWeight(true), x, dy);
        return all.graph.nodes().getLast().outputs();
    }

    private List<float[]> weightsAlone(String name, int channels) {
        Norms one = new Norms();
        one.keep(addWeights(one, name, channels));
        Outcomes found = one.run(CudaTarget.INSTANCE);
        assertThat(found.count(SplitSum.ALONE)).isOne();
        return found.values();
    }

    @Test
    void smallWeightGradientsAreSummedTogetherAtTheEnd() {
        Norms all = new Norms();
        List<float[]> expected = new ArrayList<>();
        for (int channels : new int[] {8, 12, 33, 20}) {
            all.keep(addWeights(all, "weights " + channels, channels));
            expected.addAll(weightsAlone("weights " + channels, channels));
            all.keep(all.add("norm " + channels, 5, 8)); // which has its own sums
            expected.addAll(alone("norm " + channels, 5, 8));
        }
        Outcomes found = all.run(CudaTarget.INSTANCE);
        assertThat(found.count(SplitSum.ALONE)).isZero();
        assertThat(found.kernels()
                        .subList(found.kernels().size() - 2, found.kernels().size()))
                .containsExactly(SUMS, SplitSum.JOINED);
        assertThat(found.sums()).isOne();
        assertThat(found.values()).containsExactly(expected.toArray(float[][]::new));
    }

    @Test
    void moreWeightGradientsThanALaunchTakesAreSeveralAndAnyPlanIsRight() {
        for (Target target : List.of(CudaTarget.INSTANCE, FORGETS)) {
            Norms all = new Norms();
            List<float[]> expected = new ArrayList<>();
            for (int number = 0; number < SplitSum.MOST + 1; number++) {
                all.keep(addWeights(all, "weights " + number, 8));
                expected.addAll(weightsAlone("weights " + number, 8));
            }
            Outcomes found = all.run(target);
            assertThat(found.count(SplitSum.JOINED)).isEqualTo(target == FORGETS ? 0 : 1);
            assertThat(found.count(SplitSum.ALONE)).isEqualTo(target == FORGETS ? SplitSum.MOST + 1 : 1);
            assertThat(found.values()).containsExactly(expected.toArray(float[][]::new));
        }
    }

    @Test
    void whoReadsAWeightGradientHasItFirst() {
        Norms all = new Norms();
        all.keep(addWeights(all, "one", 128));
        List<Value> read = addWeights(all, "read", 8);
        Value twice = all.graph.apply(new Scale(2, 0), read.getLast());
        all.keep(List.of(twice));
        all.keep(addWeights(all, "last", 8));
        Outcomes found = all.run(CudaTarget.INSTANCE);
        assertThat(found.kernels().indexOf(SplitSum.JOINED))
                .isPositive()
                .isLessThan(found.kernels().indexOf("scale_f32"));
        assertThat(found.kernels().getLast()).isEqualTo(SplitSum.ALONE); // of the last
        List<float[]> expected = new ArrayList<>(weightsAlone("one", 128));
        expected.add(doubled(weightsAlone("read", 8).getLast()));
        expected.addAll(weightsAlone("last", 8));
        assertThat(found.values()).containsExactly(expected.toArray(float[][]::new));
    }

    @Test
    void largeWeightGradientsDoNotWait() {
        long values = SplitSum.MOST_BYTES / Float.BYTES;
        assertThat(SplitSum.of(sums("sum_splits", new Linear.BackwardWeight(false), values / 8, 8)))
                .isPresent();
        assertThat(SplitSum.of(sums("sum_splits", new Linear.BackwardWeight(false), values / 8, 9)))
                .isEmpty();
        assertThat(SplitSum.of(sums("sum_splits_few", new Linear.BackwardWeight(false), 8, 8)))
                .isEmpty();
        assertThat(SplitSum.of(sums("sum_splits", NORM, 8, 8))).isEmpty();
    }

    private static Lowered sums(String kernel, Op op, long elements, int splits) {
        Arguments arguments = new Arguments()
                .pointer("partial", 64)
                .i64("n", elements)
                .i64("sums", 0)
                .i32("splits", splits);
        Node node = new Node(op, List.of(), List.of());
        return new Lowered(List.of(node), List.of(KernelLaunch.blocks(kernel, 1, 256, arguments)));
    }

    /// Scratch memory that is larger than the parts that the kernel for this device makes is not kept, so these are not
    /// put off.
    @Test
    void sumsWhoseScratchMemoryIsNotKeptStayWhereTheyAre() {
        Graph graph = new Graph();
        for (int number = 0; number < 2; number++) {
            TensorType type = new TensorType(Shape.of(512, 16, 16, 64), DType.BF16);
            Value x = graph.external("x" + number, type);
            Value dy = graph.external("dy" + number, type);
            List<Value> gradients = graph.add(new Conv2d.BackwardWeight(Conv2d.same(3), 3, 3, true), List.of(x, dy));
            gradients.forEach(graph::keep);
        }
        Plan plan = Plan.of(graph, device.target());
        Map<String, Buffer> buffers = new HashMap<>();
        graph.externals()
                .forEach((name, value) -> buffers.put(name, device.allocate(name, value.dtype(), value.elements())));
        try (CudaMemory memory = new CudaMemory(device, "test", plan, buffers)) {
            long terms = plan.workspaceBytes(plan.nodes().getFirst());
            List<String> kernels = new CudaLowering(memory, new TensorCores(false, false))
                    .lower(plan.nodes()).stream()
                            .flatMap(lowered -> lowered.launches().stream())
                            .map(launch -> ((KernelLaunch) launch).kernel())
                            .toList();
            assertThat(terms).isGreaterThan(SplitSum.MOST_BYTES);
            assertThat(kernels).hasSize(4).doesNotContain("sum_splits_joined");
        } finally {
            buffers.values().forEach(Buffer::close);
        }
    }
}
