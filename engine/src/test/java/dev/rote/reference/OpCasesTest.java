package dev.rote.reference;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Node;
import dev.rote.graph.Op;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class OpCasesTest {
    @Test
    void everyOperationHasACase() {
        Set<Class<?>> covered = new HashSet<>();
        OpCases.f32().forEach(one -> covered.add(one.op().getClass()));
        assertThat(covered).containsExactlyInAnyOrder(Op.class.getPermittedSubclasses());
    }

    @Test
    void namesAreUnique() {
        for (List<OpCase> cases : List.of(OpCases.f32(), OpCases.bf16(), OpCases.notFinite())) {
            assertThat(cases.stream().map(OpCase::name)).doesNotHaveDuplicates();
        }
    }

    @Test
    void numbersFitTheirTypesAndShapes() {
        for (OpCase one : OpCases.bf16()) {
            for (int index = 0; index < one.inputs().size(); index++) {
                DType type = one.inputTypes().get(index).type();
                double[] data = one.inputs().get(index);
                assertThat(data.length).as(one.name()).isEqualTo((int)
                        one.inputTypes().get(index).elements());
                assertThat(Arrays.stream(data).allMatch(x -> CaseList.round(type, x) == x))
                        .as(one.name())
                        .isTrue();
            }
        }
    }

    @Test
    void theSameNumbersComeEveryTime() {
        List<OpCase> first = OpCases.f32();
        List<OpCase> second = OpCases.f32();
        for (int index = 0; index < first.size(); index++) {
            List<double[]> expected = first.get(index).inputs();
            List<double[]> found = second.get(index).inputs();
            for (int input = 0; input < expected.size(); input++) {
                assertThat(found.get(input)).isEqualTo(expected.get(input));
            }
        }
    }

    @Test
    void theReferenceGivesFiniteOutputsOfTheInferredSizes() {
        for (OpCase one : OpCases.f32()) {
            Node node = one.addTo(new Graph());
            List<double[]> expected = one.expected();
            assertThat(expected).as(one.name()).hasSameSizeAs(one.written(node));
            for (int index = 0; index < expected.size(); index++) {
                assertThat(expected.get(index).length).as(one.name()).isEqualTo((int)
                        one.written(node).get(index).elements());
                assertThat(Arrays.stream(expected.get(index)).allMatch(Double::isFinite))
                        .as(one.name())
                        .isTrue();
            }
        }
    }

    @Test
    void whatIsNotFiniteIsSeenInTheOutput() {
        for (OpCase one : OpCases.notFinite()) {
            boolean seen =
                    one.expected().stream().flatMapToDouble(Arrays::stream).anyMatch(y -> !Double.isFinite(y));
            assertThat(seen).as(one.name()).isTrue();
        }
    }
}
