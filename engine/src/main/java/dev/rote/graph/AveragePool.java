package dev.rote.graph;

import java.util.List;

/// Mean of non-overlapping `size` x `size` blocks. Input [N,H,W,C] with H and W divisible by size, output
/// [N,H/size,W/size,C].
public record AveragePool(int size) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("AveragePool", inputs, 1, 1);
        TensorType x = inputs.getFirst();
        Check.rank("AveragePool", "x [N,H,W,C]", x, 4);
        Check.floating("AveragePool", "x", x);
        Shape s = x.shape();
        boolean fits = size >= 1 && s.dim(1) % size == 0 && s.dim(2) % size == 0;
        Check.that(fits, "AveragePool", "height and width divisible by " + size, x);
        return List.of(x.with(Shape.of(s.dim(0), s.dim(1) / size, s.dim(2) / size, s.dim(3))));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        return List.of(graph.apply(new Backward(size), dOutputs.getFirst()));
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(inputs.getFirst().elements(), inputs, outputs);
    }

    /// `dx[n,h,w,c] = dy[n,h/size,w/size,c] / size^2`. Input dy, output dx.
    public record Backward(int size) implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 1, 1);
            TensorType dy = inputs.getFirst();
            Check.rank(label(), "dy [N,P,Q,C]", dy, 4);
            Shape s = dy.shape();
            return List.of(dy.with(Shape.of(s.dim(0), s.dim(1) * size, s.dim(2) * size, s.dim(3))));
        }
    }
}
