package dev.rote.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.graph.Add;
import dev.rote.graph.Fill;
import dev.rote.graph.Graph;
import dev.rote.graph.Scale;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ParametersTest {
    @Test
    void gradientsThatCannotBePlacedAreCopied() {
        Graph graph = new Graph();
        Parameters parameters = new Parameters(graph, Precision.F32);
        for (String name : List.of("a", "b", "c", "d", "e")) {
            parameters.vector(name, 3, Init.zeros());
        }
        parameters.freeze();
        Value input = graph.external("input", TensorType.f32(3));
        Value shared = graph.apply(new Scale(2, 0), input);
        Value reshaped = graph.reshape(graph.apply(new Add(), input, shared), Shape.of(1, 3));
        List<Value> gradients = Arrays.asList(shared, shared, input, null, graph.reshape(reshaped, Shape.of(3)));
        int before = graph.nodes().size();
        Value flat = parameters.placeGradients(gradients);
        assertThat(graph.nodes().subList(before, graph.nodes().size()))
                .extracting(node -> node.op().getClass().getSimpleName())
                .containsExactly("Scale", "Scale", Fill.class.getSimpleName());
        assertThat(shared.root()).isSameAs(flat);
        assertThat(shared.byteOffset()).isZero();
        assertThat(reshaped.root()).isSameAs(flat);
        assertThat(reshaped.byteOffset()).isEqualTo(4 * 64);
        assertThat(input.root()).isSameAs(input);
        assertThat(flat.elements()).isEqualTo(80);
    }

    @Test
    void aNameDeclaredAgainIsTheSameLeafAndAnotherShapeIsRefused() {
        Graph graph = new Graph();
        Parameters parameters = new Parameters(graph, Precision.F32);
        Value first = parameters.vector("a", 3, Init.zeros());
        parameters.freeze();
        assertThat(parameters.vector("a", 3, Init.zeros())).isSameAs(first);
        assertThatThrownBy(() -> parameters.vector("a", 4, Init.zeros()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("a[3]");
        assertThatThrownBy(() -> parameters.vector("b", 4, Init.zeros())).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void filtersAreTransposedBetweenFileAndMemory() {
        ParameterSpec spec =
                new ParameterSpec("w", Shape.of(2, 3, 3, 5), FileForm.FILTER, true, true, Init.zeros(), 16);
        assertThat(spec.fileShape()).isEqualTo(Shape.of(2, 5, 3, 3));
        float[] file = counting(90);
        float[] flat = new float[112];
        spec.fromFile(file, flat);
        // w[k=1,r=1,s=2,c=3] inside is w[k=1,c=3,r=1,s=2] in the file: 73 and 77.
        assertThat(flat[16 + ((1 * 3 + 1) * 3 + 2) * 5 + 3]).isEqualTo(((1 * 5 + 3) * 3 + 1) * 3 + 2);
        assertThat(spec.toFile(flat)).isEqualTo(file);
    }

    @Test
    void packedProjectionsAreReorderedFromHeadsFirstToPartsFirst() {
        FileForm form = new FileForm(FileForm.Kind.POINTWISE, 2);
        // Two heads of size 4, two channels in.
        ParameterSpec spec = new ParameterSpec("qkv", Shape.of(24, 2), form, true, true, Init.zeros(), 0);
        assertThat(spec.fileShape()).isEqualTo(Shape.of(24, 2, 1));
        float[] file = counting(48);
        float[] flat = new float[48];
        spec.fromFile(file, flat);
        // Key (part 1) of head 1, component 2: inside row (1*2+1)*4+2, in the file row (1*3+1)*4+2.
        assertThat(flat[((1 * 2 + 1) * 4 + 2) * 2 + 1]).isEqualTo(((1 * 3 + 1) * 4 + 2) * 2 + 1);
        assertThat(spec.toFile(flat)).isEqualTo(file);
    }

    @Test
    void initialValuesHaveTheSpreadOfTheirRuleAndDependOnTheSeedAlone() {
        ParameterLayout layout = UNet.layout(UNetConfig.study1(16, 1));
        float[] first = layout.initialParameters(3);
        assertThat(layout.initialParameters(3)).isEqualTo(first);
        assertThat(layout.initialParameters(4)).isNotEqualTo(first);
        ParameterSpec conv = layout.find("encoder_blocks.6.block2.conv.weight").orElseThrow();
        double bound = 1 / Math.sqrt(64 * 9);
        double sum = 0;
        double square = 0;
        for (float value : conv.toFile(first)) {
            assertThat(Math.abs(value)).isLessThanOrEqualTo((float) bound);
            sum += value;
            square += (double) value * value;
        }
        assertThat(sum / conv.elements()).isCloseTo(0, within(bound / 50));
        assertThat(square / conv.elements()).isCloseTo(bound * bound / 3, within(2e-5));
        ParameterSpec projection =
                layout.find("bottleneck_blocks.0.attention.mhsa.in_proj_weight").orElseThrow();
        assertThat(projection.init()).isEqualTo(new Init.Uniform(Math.sqrt(6.0 / (4 * 64))));
        assertThat(layout.find("encoder_blocks.0.block1.norm.weight")
                        .orElseThrow()
                        .toFile(first))
                .containsOnly(1f);
        assertThat(layout.find("encoder_blocks.0.block1.norm.bias")
                        .orElseThrow()
                        .toFile(first))
                .containsOnly(0f);
    }

    @Test
    void frozenSinusoidsAreSinesThenCosines() {
        ParameterLayout layout = UNet.layout(UNetConfig.study1(8, 1));
        float[] table = layout.initialFrozen();
        // Row 7: frequencies 10000^(-i/3), i = 0..3.
        for (int i = 0; i < 4; i++) {
            double angle = 7 * Math.pow(10000, -i / 3.0);
            assertThat(table[7 * 8 + i]).isEqualTo((float) Math.sin(angle));
            assertThat(table[7 * 8 + 4 + i]).isEqualTo((float) Math.cos(angle));
        }
    }

    private static float[] counting(int elements) {
        float[] values = new float[elements];
        IntStream.range(0, elements).forEach(i -> values[i] = i);
        return values;
    }
}
