package dev.rote.graph;

import java.util.Arrays;
import java.util.List;

/// Linear combination with coefficients per image: `y[n,...] = a[n] x[n,...] + b[n] z[n,...]`; the forward process
/// of diffusion, its targets and its sampler updates.
///
/// Inputs x, z [N,...] of one shape and type, a and b f32 with N elements, or one for all images. The sum is taken in
/// f32
/// as `fma(a, x, b z)`, so that every device makes the same bits. No gradient with respect to a and b.
public record Mix() implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Mix", inputs, 4, 4);
        TensorType x = inputs.get(0);
        Check.floating("Mix", "x", x);
        Check.shape("Mix", "z", inputs.get(1), x.shape());
        Check.that(inputs.get(1).type() == x.type(), "Mix", "z of type " + x.type(), inputs.get(1));
        for (int index = 2; index < 4; index++) {
            TensorType factor = inputs.get(index);
            boolean fits =
                    factor.elements() == 1 || factor.elements() == x.shape().dim(0);
            Check.that(fits && factor.type() == DType.F32, "Mix", "f32 coefficients, one per image or one", factor);
        }
        return List.of(x);
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Value dy = dOutputs.getFirst();
        return Arrays.asList(
                wanted[0] ? scaled(graph, dy, node.input(2)) : null,
                wanted[1] ? scaled(graph, dy, node.input(3)) : null,
                null,
                null);
    }

    private static Value scaled(Graph graph, Value dy, Value factor) {
        Value zero = graph.constant("zero", TensorType.f32(1), new float[1]);
        return graph.apply(new Mix(), dy, dy, factor, zero);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(3 * outputs.getFirst().elements(), inputs, outputs);
    }

    @Override
    public int overwrites() {
        return 0;
    }
}
