package dev.rote.graph;

import java.util.Arrays;
import java.util.List;

/// Batched matrix product `y[b] = op(a[b]) op(b[b])` with optional transposes.
///
/// Inputs a [B,M,K] (or [B,K,M] if `transposeA`), b [B,K,N] (or [B,N,K] if `transposeB`); output [B,M,N] in their type.
public record MatMul(boolean transposeA, boolean transposeB) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("MatMul", inputs, 2, 2);
        TensorType a = inputs.get(0);
        TensorType b = inputs.get(1);
        Check.rank("MatMul", "a [B,M,K]", a, 3);
        Check.rank("MatMul", "b [B,K,N]", b, 3);
        Check.floating("MatMul", "a", a);
        Check.that(a.type() == b.type(), "MatMul", "b of type " + a.type(), b);
        int inner = a.shape().dim(transposeA ? 1 : 2);
        Check.that(b.shape().dim(transposeB ? 2 : 1) == inner, "MatMul", "b with K = " + inner, b);
        Check.that(
                b.shape().dim(0) == a.shape().dim(0),
                "MatMul",
                "b with B = " + a.shape().dim(0),
                b);
        int rows = a.shape().dim(transposeA ? 2 : 1);
        int columns = b.shape().dim(transposeB ? 1 : 2);
        return List.of(a.with(Shape.of(a.shape().dim(0), rows, columns)));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Value dy = dOutputs.getFirst();
        Value a = node.input(0);
        Value b = node.input(1);
        Value da = null;
        Value db = null;
        if (wanted[0]) {
            da = transposeA
                    ? graph.apply(new MatMul(transposeB, true), b, dy)
                    : graph.apply(new MatMul(false, !transposeB), dy, b);
        }
        if (wanted[1]) {
            db = transposeB
                    ? graph.apply(new MatMul(true, transposeA), dy, a)
                    : graph.apply(new MatMul(!transposeA, false), a, dy);
        }
        return Arrays.asList(da, db);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        long inner = inputs.getFirst().shape().dim(transposeA ? 1 : 2);
        return Cost.of(2 * outputs.getFirst().elements() * inner, inputs, outputs);
    }
}
