package dev.rote.graph;

import java.util.Arrays;
import java.util.List;

/// Looks rows up: `y[n,:] = table[index[n],:]`.
///
/// Inputs table [V,C] of any type, index [N] i32; output [N,C] in the table's type. An index outside [0,V) is a
/// caller's
/// error that a device may report or clamp. Gradient with respect to a floating table only.
public record Embedding() implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Embedding", inputs, 2, 2);
        TensorType table = inputs.get(0);
        TensorType index = inputs.get(1);
        Check.rank("Embedding", "table [V,C]", table, 2);
        Check.that(index.shape().rank() == 1 && index.type() == DType.I32, "Embedding", "index [N] i32", index);
        return List.of(table.with(Shape.of(index.shape().dim(0), table.shape().last())));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        if (!wanted[0]) {
            return Arrays.asList(null, null);
        }
        int rows = node.input(0).shape().dim(0);
        return Arrays.asList(graph.apply(new Backward(rows), dOutputs.getFirst(), node.input(1)), null);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        long bytes = outputs.getFirst().bytes();
        return new Cost(0, bytes + inputs.get(1).bytes(), bytes);
    }

    /// `dtable[v,:] = sum over n with index[n] = v of dy[n,:]`, in the order of n. Inputs dy [N,C], index [N]; output
    /// [V,C] f32.
    public record Backward(int rows) implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 2, 2);
            Check.rank(label(), "dy [N,C]", inputs.get(0), 2);
            return List.of(TensorType.f32(rows, inputs.get(0).shape().last()));
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of(inputs.getFirst().elements(), inputs, outputs);
        }
    }
}
