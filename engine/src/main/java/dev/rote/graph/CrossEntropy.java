package dev.rote.graph;

import java.util.Arrays;
import java.util.List;

/// `loss = weight * sum_m (logsumexp(logits[m,:]) - logits[m,label[m]])`, in nats.
///
/// Inputs logits [M,V], label [M] i32; output [1] f32.
public record CrossEntropy(float weight) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("CrossEntropy", inputs, 2, 2);
        Check.rank("CrossEntropy", "logits [M,V]", inputs.get(0), 2);
        Check.floating("CrossEntropy", "logits", inputs.get(0));
        Check.shape(
                "CrossEntropy",
                "label",
                inputs.get(1),
                Shape.of(inputs.get(0).shape().dim(0)));
        Check.type("CrossEntropy", "label", inputs.get(1), DType.I32);
        return List.of(TensorType.f32(1));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Value dlogits = graph.apply(new Backward(weight), node.input(0), node.input(1), dOutputs.getFirst());
        return Arrays.asList(dlogits, null);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(4 * inputs.getFirst().elements(), inputs, outputs);
    }

    /// `dlogits = weight (softmax(logits) - onehot(label)) dloss`. Inputs logits, label, dloss [1].
    public record Backward(float weight) implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 3, 3);
            Check.scalar(label(), "dloss", inputs.get(2), DType.F32);
            return List.of(inputs.getFirst());
        }
    }
}
