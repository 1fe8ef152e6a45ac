package dev.rote.graph;

import java.util.Arrays;
import java.util.List;

/// `loss = weight * sum (prediction - target)^2`; weight = 1/elements gives the mean, 1/(all elements of the batch) the
/// share of one lane. Inputs prediction, target of one shape and floating type; output [1] f32.
public record MeanSquaredError(float weight) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs(label(), inputs, 2, 2);
        Check.floating(label(), "prediction", inputs.get(0));
        Check.shape(label(), "target", inputs.get(1), inputs.get(0).shape());
        Check.floating(label(), "target", inputs.get(1));
        return List.of(TensorType.f32(1));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Value dprediction = graph.apply(new Backward(weight), node.input(0), node.input(1), dOutputs.getFirst());
        Value dtarget = wanted[1] ? graph.apply(new Scale(-1, 0), dprediction) : null;
        return Arrays.asList(dprediction, dtarget);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(3 * inputs.getFirst().elements(), inputs, outputs);
    }

    /// `dprediction = 2 weight (prediction - target) dloss`. Inputs prediction, target, dloss [1].
    public record Backward(float weight) implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 3, 3);
            Check.scalar(label(), "dloss", inputs.get(2), DType.F32);
            return List.of(inputs.getFirst());
        }

        @Override
        public int overwrites() {
            return 0;
        }
    }
}
