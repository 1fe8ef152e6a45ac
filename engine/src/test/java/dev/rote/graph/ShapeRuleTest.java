package dev.rote.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.reference.OpCase;
import dev.rote.reference.OpCases;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShapeRuleTest {
    /// One sentence: operation, what was expected, what was found.
    private static final String SENTENCE = "[A-Za-z0-9 ]+: expected [^\\n]+, found [^\\n]+";

    @Test
    void tooFewOrTooManyInputsAreRefused() {
        for (OpCase one : OpCases.f32()) {
            if (one.op() instanceof Concat) {
                continue; // any number from one on
            }
            List<TensorType> many = new ArrayList<>(one.inputTypes());
            for (int extra = 0; extra < 3; extra++) {
                many.add(TensorType.f32(1));
            }
            refuses(one.op(), many);
            if (!one.inputTypes().isEmpty()) {
                refuses(one.op(), List.of());
            }
        }
        refuses(new Concat(0), List.of());
    }

    /// Every input of every case in turn with one axis more, one less, one extent more, another type: the rule accepts
    /// or refuses in one sentence, and never fails by accident.
    @Test
    void aChangedInputIsAcceptedOrRefusedInOneSentence() {
        int refused = 0;
        for (OpCase one : OpCases.f32()) {
            for (int index = 0; index < one.inputTypes().size(); index++) {
                for (TensorType changed : changes(one.inputTypes().get(index))) {
                    List<TensorType> types = new ArrayList<>(one.inputTypes());
                    types.set(index, changed);
                    refused += accepts(one, types) ? 0 : 1;
                }
            }
        }
        assertThat(refused).isGreaterThan(1000);
    }

    /// No other type gets through: floats where integers belong, integers where floats do. Backward operations are
    /// written by [Autodiff] alone, with the types that it found.
    @Test
    void everyInputHasTheTypeThatTheOperationNames() {
        List<String> accepted = new ArrayList<>();
        for (OpCase one : OpCases.f32()) {
            for (int index = 0; index < one.inputTypes().size(); index++) {
                TensorType type = one.inputTypes().get(index);
                boolean free = one.op().getClass().getEnclosingClass() != null
                        || one.op() instanceof Broadcast
                        || one.op() instanceof Cast
                        || one.op() instanceof Concat
                        || one.op() instanceof Slice
                        || (one.op() instanceof Embedding && index == 0);
                DType wrong = type.type() == DType.I32 ? DType.F32 : DType.I32;
                List<TensorType> types = new ArrayList<>(one.inputTypes());
                types.set(index, type.with(wrong));
                if (!free && accepts(one, types)) {
                    accepted.add(one.op().label() + " input " + index + " as " + wrong);
                }
            }
        }
        assertThat(accepted.stream().distinct()).isEmpty();
    }

    @Test
    void theSentenceNamesWhatWasExpectedAndFound() {
        TensorType x = TensorType.f32(2, 8, 8, 3);
        assertThatThrownBy(() -> Conv2d.same(3).infer(List.of(x, TensorType.f32(4, 3, 3, 5))))
                .hasMessage("Conv2d: expected w with C = 3, found f32[4,3,3,5]");
        assertThatThrownBy(() -> Conv2d.of(1, 0).infer(List.of(x, TensorType.f32(4, 9, 3, 3))))
                .hasMessage("Conv2d: expected a filter no larger than the padded image [2,8,8,3], found [4,9,3,3]");
        assertThatThrownBy(() -> new GroupNorm(2, 1e-5f, false).infer(List.of(x, x, x)))
                .hasMessage("GroupNorm: expected channels divisible by 2 groups, found f32[2,8,8,3]");
        assertThatThrownBy(() -> new Attention(2).infer(List.of(TensorType.f32(1, 4, 8))))
                .hasMessage("Attention: expected channels divisible by 3 x 2 heads, found f32[1,4,8]");
        assertThatThrownBy(() -> new Linear().infer(List.of(x))).hasMessage("Linear: expected 2 to 3 inputs, found 1");
        assertThatThrownBy(() -> new AveragePool(3).infer(List.of(x)))
                .hasMessage("AveragePool: expected height and width divisible by 3, found f32[2,8,8,3]");
    }

    @Test
    void attributesOutOfRangeAreRefused() {
        assertThatThrownBy(() -> new Conv2d(0, 1, 1, 1, 1)).hasMessageMatching(SENTENCE);
        assertThatThrownBy(() -> new Conv2d(1, -1, 0, 0, 0)).hasMessageMatching(SENTENCE);
        assertThatThrownBy(() -> new Dropout(1, false, 0, 2, 0)).hasMessageMatching(SENTENCE);
        assertThatThrownBy(() -> new ClipScale(0)).hasMessageMatching(SENTENCE);
        assertThatThrownBy(() -> new RandomIndex(1, 3, 2, 0, 1, 0)).hasMessageMatching(SENTENCE);
        assertThatThrownBy(() -> new LearningRate(1, 0, 10, 10, true)).hasMessageMatching(SENTENCE);
        assertThatThrownBy(() -> new SinusoidalEmbedding(7, 10000, 3, false)).hasMessageMatching(SENTENCE);
        assertThatThrownBy(() -> Shape.of(3, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Shape.of()).isInstanceOf(IllegalArgumentException.class);
    }

    private static List<TensorType> changes(TensorType type) {
        List<TensorType> changes = new ArrayList<>();
        int rank = type.shape().rank();
        int[] longer = Arrays.copyOf(type.shape().toArray(), rank + 1);
        longer[rank] = 2;
        changes.add(type.with(Shape.of(longer)));
        if (rank > 1) {
            changes.add(type.with(Shape.of(Arrays.copyOf(type.shape().toArray(), rank - 1))));
        }
        for (int axis = 0; axis < rank; axis++) {
            changes.add(type.with(type.shape().with(axis, type.shape().dim(axis) + 1)));
        }
        for (DType other : DType.values()) {
            if (other != type.type()) {
                changes.add(type.with(other));
            }
        }
        return changes;
    }

    private static boolean accepts(OpCase one, List<TensorType> types) {
        try {
            one.op().infer(types);
            return true;
        } catch (IllegalArgumentException refusal) {
            assertThat(refusal).as(one.name() + " of " + types).hasMessageMatching(SENTENCE);
            return false;
        }
    }

    private static void refuses(Op op, List<TensorType> types) {
        assertThatThrownBy(() -> op.infer(types))
                .as(op + " of " + types)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching(SENTENCE);
    }
}
