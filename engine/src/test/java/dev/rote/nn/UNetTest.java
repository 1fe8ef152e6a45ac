package dev.rote.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.graph.Autodiff;
import dev.rote.graph.DType;
import dev.rote.graph.Dropout;
import dev.rote.graph.Graph;
import dev.rote.graph.MeanSquaredError;
import dev.rote.graph.Node;
import dev.rote.graph.Plan;
import dev.rote.graph.Shape;
import dev.rote.graph.Target;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class UNetTest {
    /// One graph of a network, with everything that tests ask about.
    private record Written(Graph graph, Parameters parameters, ParameterLayout layout, Value y) {}

    private static Written write(UNetConfig config, Precision precision, int images, int size, boolean training) {
        Graph graph = new Graph();
        Parameters parameters = new Parameters(graph, precision);
        Value x = graph.external("x", TensorType.f32(images, size, size, config.inChannels()));
        Value t = graph.external("t", TensorType.i32(images));
        Optional<Value> labels = config.classes() == 0
                ? Optional.empty()
                : Optional.of(graph.external("labels", TensorType.i32(images)));
        Mode mode = training ? Mode.training(1, graph.external("step", TensorType.i32(1)), 0) : Mode.evaluation();
        Value y = UNet.build(graph, parameters, config, x, t, labels, mode);
        return new Written(graph, parameters, parameters.freeze(), y);
    }

    @ParameterizedTest
    @CsvSource({"8, 255089, 263089", "16, 1010657, 1026657", "32, 4023233, 4055233", "64, 16054145, 16118145"})
    void study1HasThePublishedNumberOfParameters(int width, long trained, long inFile) {
        ParameterLayout layout = UNet.layout(UNetConfig.study1(width, 1));
        assertThat(layout.count()).isEqualTo(trained);
        assertThat(layout.fileCount()).isEqualTo(inFile);
        assertThat(layout.specs()).hasSize(277);
    }

    /// Counted by hand from the released code's layers.
    @Test
    void iddpmForCifarHasFiftyTwoAndAHalfMillionParameters() {
        assertThat(UNet.layout(UNetConfig.iddpmCifar()).count()).isEqualTo(52546438L);
    }

    /// Counted layer by layer outside this program; the paper's own counts are larger, see [UNetConfig#study3].
    @ParameterizedTest
    @CsvSource({"16, 2469923", "64, 24020099", "128, 87625987"})
    void study3HasTheParametersOfItsDescription(int width, long trained) {
        assertThat(UNet.layout(UNetConfig.study3(width, 3, 10)).count()).isEqualTo(trained);
    }

    @Test
    void layoutDoesNotDependOnBatchSizeModeOrPrecision() {
        for (UNetConfig config : List.of(UNetConfig.study1(8, 1), UNetConfig.study3(16, 3, 10))) {
            ParameterLayout expected = UNet.layout(config);
            assertThat(write(config, Precision.F32, 1, 16, false).layout()).isEqualTo(expected);
            assertThat(write(config, Precision.F32, 3, 8, true).layout()).isEqualTo(expected);
            assertThat(write(config, Precision.BF16, 2, 16, true).layout()).isEqualTo(expected);
        }
    }

    @Test
    void parametersDoNotOverlapAndBeginAtMultiplesOfSixteen() {
        ParameterLayout layout = UNet.layout(UNetConfig.study1(8, 1));
        long end = 0;
        for (ParameterSpec spec : layout.specs()) {
            assertThat(spec.offset() % 16).isZero();
            if (spec.trainable()) {
                assertThat(spec.offset()).isGreaterThanOrEqualTo(end);
                end = spec.offset() + spec.elements();
            }
        }
        assertThat(layout.size()).isGreaterThanOrEqualTo(end).isLessThan(end + 16);
        assertThat(layout.frozenSize()).isEqualTo(8000);
    }

    @ParameterizedTest
    @CsvSource({"F32, 16", "BF16, 16", "F32, 20"})
    void everyFamilyCanBeDifferentiatedAndPlanned(Precision precision, int size) {
        UNetConfig small = new UNetConfig(
                UNetConfig.Naming.IDDPM,
                3,
                6,
                32,
                List.of(1, 2),
                1,
                Set.of(1),
                true,
                4,
                0,
                8,
                1e-5f,
                0.3f,
                false,
                0,
                true,
                true,
                128,
                0,
                true,
                false);
        for (UNetConfig config : List.of(UNetConfig.study1(8, 1), small, UNetConfig.study3(16, 3, 10))) {
            Written net = write(config, precision, 2, size, true);
            assertThat(net.y().type())
                    .isEqualTo(new TensorType(Shape.of(2, size, size, config.outChannels()), DType.F32));
            Graph graph = net.graph();
            Value target = graph.external("target", net.y().type());
            Value loss = graph.apply(new MeanSquaredError(1f / net.y().elements()), net.y(), target);
            List<Value> gradients =
                    Autodiff.gradients(graph, loss, net.parameters().trainable());
            assertThat(gradients).doesNotContainNull();
            Value flat = net.parameters().placeGradients(gradients);
            assertThat(flat.elements()).isEqualTo(net.layout().size());
            Set<Long> places = new HashSet<>();
            for (Value gradient : gradients) {
                assertThat(gradient.root()).isSameAs(flat);
                places.add(gradient.byteOffset() / 4);
            }
            Set<Long> offsets = new HashSet<>();
            net.layout().specs().stream().filter(ParameterSpec::trainable).forEach(spec -> offsets.add(spec.offset()));
            assertThat(places).isEqualTo(offsets);
            assertThat(Plan.of(graph, Target.PLAIN).arenaBytes()).isPositive();
        }
    }

    @Test
    void bf16MatricesLieInTheBf16CopyAtTheOffsetsOfTheirMasters() {
        Written net = write(UNetConfig.study1(8, 1), Precision.BF16, 1, 16, false);
        List<Value> leaves = net.parameters().trainable();
        List<ParameterSpec> specs =
                net.layout().specs().stream().filter(ParameterSpec::trainable).toList();
        for (int index = 0; index < specs.size(); index++) {
            Value leaf = leaves.get(index);
            boolean copy = specs.get(index).matrix();
            assertThat(leaf.root().name()).isEqualTo(copy ? "parameters.bf16" : "parameters");
            assertThat(leaf.byteOffset()).isEqualTo(specs.get(index).offset() * (copy ? 2 : 4));
        }
        assertThat(net.layout().find("init_conv.weight").orElseThrow().matrix()).isTrue();
    }

    @Test
    void dropoutMasksOfAllLayersAndImagesAreDifferentDraws() {
        Written net = write(UNetConfig.study1(8, 1), Precision.F32, 2, 16, true);
        long last = -1;
        int layers = 0;
        for (Node node : net.graph().nodes()) {
            if (node.op() instanceof Dropout dropout) {
                long perImage = node.input(0).shape().last();
                long first = dropout.firstImage() * perImage;
                assertThat(first).isGreaterThan(last);
                last = first + 2 * perImage - 1;
                layers++;
            }
        }
        assertThat(layers).isEqualTo(17);
    }

    @Test
    void sizesThatCannotBeHalvedAreRefused() {
        assertThatThrownBy(() -> write(UNetConfig.study1(8, 1), Precision.F32, 1, 18, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("divisible by 4");
    }
}
