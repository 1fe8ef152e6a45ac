package dev.rote.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.reference.GradientCheck;
import dev.rote.reference.ReferenceRun;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FusionTest {
    private static final Target FUSING = new Target() {
        @Override
        public boolean fuses(Fusion.Pattern pattern) {
            return true;
        }

        @Override
        public long workspaceBytes(Op op, List<TensorType> inputs, List<TensorType> outputs) {
            return 0;
        }
    };

    private static Value norm(Graph graph, Value x, String name) {
        int channels = x.shape().last();
        Value gamma = graph.external(name + ".gamma", TensorType.f32(channels));
        Value beta = graph.external(name + ".beta", TensorType.f32(channels));
        return graph.apply(new GroupNorm(2, 1e-5f, false), x, gamma, beta);
    }

    private static Value silu(Graph graph, Value x) {
        return graph.apply(new Activation(Activation.Kind.SILU), x);
    }

    private static Value twoBlocks(Graph graph) {
        Value x = graph.external("x", TensorType.f32(2, 3, 5, 4));
        Value h = silu(graph, norm(graph, x, "first"));
        h = graph.apply(Conv2d.same(3), h, graph.external("w", TensorType.f32(6, 3, 3, 4)));
        return GradientCheck.contract(graph, silu(graph, norm(graph, h, "second")));
    }

    @Test
    void aNormReadOnlyByASiluBecomesOneOperation() {
        Graph graph = new Graph();
        twoBlocks(graph);
        int before = graph.nodes().size();
        assertThat(Fusion.apply(graph, FUSING)).isEqualTo(2);
        assertThat(graph.nodes()).hasSize(before - 2);
        assertThat(graph.nodes().stream().filter(node -> node.op() instanceof Activation))
                .isEmpty();
        assertThat(graph.nodes().getFirst().op()).isEqualTo(new GroupNorm(2, 1e-5f, true));
    }

    /// Of the network as it is and fused.
    private static void requireSameResult(GradientCheck.Network network) {
        Map<String, double[]> bindings = GradientCheck.normals(network, 3);
        Graph plain = new Graph();
        Value expected = network.loss(plain);
        Graph fused = new Graph();
        Value found = network.loss(fused);
        Fusion.apply(fused, FUSING);
        ReferenceRun plainRun = ReferenceRun.of(plain, bindings);
        ReferenceRun fusedRun = ReferenceRun.of(fused, bindings);
        plainRun.run();
        fusedRun.run();
        assertThat(fusedRun.read(found)).isEqualTo(plainRun.read(expected));
    }

    @Test
    void theResultIsTheSameBeforeAndAfter() {
        requireSameResult(FusionTest::twoBlocks);
    }

    @Test
    void gradientsAfterFusionAreRight() {
        GradientCheck.Network network = graph -> {
            Value loss = twoBlocks(graph);
            assertThat(Fusion.apply(graph, FUSING)).isEqualTo(2);
            return loss;
        };
        GradientCheck.check(
                "two fused blocks",
                network,
                GradientCheck.normals(network, 3),
                List.of("x", "w", "first.gamma", "first.beta", "second.gamma", "second.beta"));
    }

    @Test
    void aTargetWithoutTheKernelKeepsTheGraph() {
        Graph graph = new Graph();
        twoBlocks(graph);
        List<Node> before = List.copyOf(graph.nodes());
        assertThat(Fusion.apply(graph, Target.PLAIN)).isZero();
        assertThat(graph.nodes()).isEqualTo(before);
    }

    @Test
    void aNormThatIsReadElsewhereStays() {
        Graph graph = new Graph();
        Value y = norm(graph, graph.external("x", TensorType.f32(2, 3, 5, 4)), "norm");
        graph.apply(new Add(), silu(graph, y), y);
        assertThat(Fusion.apply(graph, FUSING)).isZero();
    }

    @Test
    void aNormThatIsReadThroughAReshapeStays() {
        Graph graph = new Graph();
        Value y = norm(graph, graph.external("x", TensorType.f32(2, 3, 5, 4)), "norm");
        silu(graph, y);
        graph.apply(new Scale(2, 0), graph.reshape(y, Shape.of(120)));
        assertThat(Fusion.apply(graph, FUSING)).isZero();
    }

    @Test
    void aKeptNormStays() {
        Graph graph = new Graph();
        Value y = graph.keep(norm(graph, graph.external("x", TensorType.f32(2, 3, 5, 4)), "norm"));
        silu(graph, y);
        assertThat(Fusion.apply(graph, FUSING)).isZero();
    }

    @Test
    void aNormPlacedInAnotherBufferStays() {
        Graph graph = new Graph();
        Value y = norm(graph, graph.external("x", TensorType.f32(2, 3, 5, 4)), "norm");
        graph.place(y, graph.local("seen", TensorType.f32(120)), 0);
        silu(graph, y);
        assertThat(Fusion.apply(graph, FUSING)).isZero();
    }

    /// An upsampled image, convolved with bias, then once more.
    private static Value upPath(Graph graph) {
        Value x = graph.external("x", TensorType.f32(2, 3, 2, 4));
        Value bias = graph.external("bias", TensorType.f32(4));
        Value h = graph.apply(new Upsample(), x);
        h = graph.apply(Conv2d.same(3), h, graph.external("w", TensorType.f32(4, 3, 3, 4)), bias);
        h = graph.apply(new Upsample(), h);
        return GradientCheck.contract(
                graph, graph.apply(Conv2d.of(2, 1), h, graph.external("v", TensorType.f32(6, 3, 3, 4))));
    }

    @Test
    void anUpsamplingReadOnlyByAConvolutionBecomesItsWayOfReading() {
        Graph graph = new Graph();
        upPath(graph);
        int before = graph.nodes().size();
        assertThat(Fusion.apply(graph, FUSING)).isEqualTo(2);
        assertThat(graph.nodes()).hasSize(before - 2);
        Node first = graph.nodes().getFirst();
        assertThat(first.op()).isEqualTo(Conv2d.same(3).reading(Conv2d.Input.UPSAMPLED));
        assertThat(first.input(0)).isSameAs(graph.externals().get("x"));
        assertThat(first.cost().bytesRead()).isEqualTo(4 * (2 * 3 * 2 * 4 + 4 * 9 * 4 + 4));
        assertThat(first.cost().flops()).isEqualTo(2L * (2 * 6 * 4 * 4) * 9 * 4);
    }

    @Test
    void theResultOfAnUpsampledConvolutionIsTheSame() {
        requireSameResult(FusionTest::upPath);
    }

    @Test
    void gradientsOfAnUpsampledConvolutionAreRight() {
        GradientCheck.Network network = graph -> {
            Value loss = upPath(graph);
            assertThat(Fusion.apply(graph, FUSING)).isEqualTo(2);
            return loss;
        };
        GradientCheck.check(
                "an upsampled convolution", network, GradientCheck.normals(network, 3), List.of("x", "w", "bias", "v"));
    }

    @Test
    void anUpsamplingThatIsReadTwiceStays() {
        Graph graph = new Graph();
        Value y = graph.apply(new Upsample(), graph.external("x", TensorType.f32(2, 3, 5, 4)));
        Value w = graph.external("w", TensorType.f32(4, 3, 3, 4));
        graph.apply(new Add(), graph.apply(Conv2d.same(3), y, w), y);
        assertThat(Fusion.apply(graph, FUSING)).isZero();
    }

    /// What a U-Net's residual block on the way up reads a concatenation for.
    private static Value joinedBlock(Graph graph) {
        Value x = graph.external("x", TensorType.f32(2, 3, 5, 4));
        Value skip = graph.external("skip", TensorType.f32(2, 3, 5, 6));
        Value joined = graph.apply(new Concat(3), x, skip);
        Value h = silu(graph, norm(graph, joined, "norm"));
        Value bias = graph.external("bias", TensorType.f32(3));
        Value y = graph.apply(Conv2d.same(1), joined, graph.external("w", TensorType.f32(3, 1, 1, 10)), bias);
        h = graph.apply(Conv2d.same(3), h, graph.external("v", TensorType.f32(3, 3, 3, 10)));
        return GradientCheck.contract(graph, graph.apply(new Add(), h, y));
    }

    @Test
    void aConcatenationIsLeftOutWhereItsReadersCanReadTheTwo() {
        Graph graph = new Graph();
        joinedBlock(graph);
        int before = graph.nodes().size();
        assertThat(Fusion.apply(graph, FUSING)).isEqualTo(2);
        assertThat(graph.nodes()).hasSize(before - 2);
        Value x = graph.externals().get("x");
        Value skip = graph.externals().get("skip");
        assertThat(graph.nodes().get(0).op()).isEqualTo(new GroupNorm(2, 1e-5f, true));
        assertThat(graph.nodes().get(0).inputs()).startsWith(x, skip).hasSize(4);
        assertThat(graph.nodes().get(1).op()).isEqualTo(Conv2d.same(1).reading(Conv2d.Input.JOINED));
        assertThat(graph.nodes().get(1).inputs()).startsWith(x, skip).hasSize(4);
        assertThat(graph.nodes().get(1).cost().bytesRead()).isEqualTo(4 * (2 * 3 * 5 * 10 + 3 * 10 + 3));
        assertThat(graph.nodes().get(1).cost().flops()).isEqualTo(2L * (2 * 3 * 5 * 3) * 10);
    }

    @Test
    void theResultWithoutTheConcatenationIsTheSame() {
        requireSameResult(FusionTest::joinedBlock);
    }

    @Test
    void gradientsWithoutTheConcatenationAreRight() {
        GradientCheck.Network network = graph -> {
            Value loss = joinedBlock(graph);
            assertThat(Fusion.apply(graph, FUSING)).isEqualTo(2);
            return loss;
        };
        GradientCheck.check(
                "two tensors in the place of one",
                network,
                GradientCheck.normals(network, 3),
                List.of("x", "skip", "norm.gamma", "norm.beta", "w", "bias", "v"));
    }

    @Test
    void aConcatenationStaysWhereOneReaderNeedsIt() {
        Value[] inputs = new Value[2];
        List<java.util.function.BiConsumer<Graph, Value>> readers = List.of(
                (graph, joined) -> graph.apply(new Scale(2, 0), joined),
                (graph, joined) -> graph.apply(new Scale(2, 0), graph.reshape(joined, Shape.of(300))),
                (graph, joined) -> graph.keep(joined),
                (graph, joined) ->
                        graph.apply(Conv2d.same(3), joined, graph.external("v", TensorType.f32(1, 3, 3, 10))),
                (graph, joined) ->
                        graph.apply(Conv2d.of(2, 0), joined, graph.external("v", TensorType.f32(1, 1, 1, 10))),
                (graph, joined) -> graph.place(joined, graph.local("seen", TensorType.f32(300)), 0));
        for (java.util.function.BiConsumer<Graph, Value> reader : readers) {
            Graph graph = new Graph();
            inputs[0] = graph.external("x", TensorType.f32(2, 3, 5, 4));
            inputs[1] = graph.external("skip", TensorType.f32(2, 3, 5, 6));
            Value joined = graph.apply(new Concat(3), inputs);
            norm(graph, joined, "norm");
            reader.accept(graph, joined);
            assertThat(Fusion.apply(graph, FUSING)).isZero();
        }
    }

    @Test
    void aConcatenationOfThreeOrAlongAnotherAxisStays() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(2, 3, 5, 4));
        norm(graph, graph.apply(new Concat(3), x, x, x), "three");
        norm(graph, graph.apply(new Concat(2), x, x), "pixels");
        assertThat(Fusion.apply(graph, FUSING)).isZero();
    }

    @Test
    void anotherActivationStays() {
        Graph graph = new Graph();
        Value y = norm(graph, graph.external("x", TensorType.f32(2, 3, 5, 4)), "norm");
        graph.apply(new Activation(Activation.Kind.RELU), y);
        assertThat(Fusion.apply(graph, FUSING)).isZero();
    }
}
