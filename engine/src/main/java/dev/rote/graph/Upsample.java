package dev.rote.graph;

import java.util.List;

/// Nearest-neighbour enlargement by 2: `y[n,p,q,c] = x[n,p/2,q/2,c]`. Input [N,H,W,C], output [N,2H,2W,C].
public record Upsample() implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Upsample", inputs, 1, 1);
        TensorType x = inputs.getFirst();
        Check.rank("Upsample", "x [N,H,W,C]", x, 4);
        Check.floating("Upsample", "x", x);
        Shape s = x.shape();
        return List.of(x.with(Shape.of(s.dim(0), 2 * s.dim(1), 2 * s.dim(2), s.dim(3))));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        return List.of(graph.apply(new Backward(), dOutputs.getFirst()));
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(0, inputs, outputs);
    }

    /// Sum of the four pixels of each 2 x 2 block. Input dy [N,2H,2W,C], output dx [N,H,W,C].
    public record Backward() implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 1, 1);
            TensorType dy = inputs.getFirst();
            Check.rank(label(), "dy [N,2H,2W,C]", dy, 4);
            Shape s = dy.shape();
            Check.that(s.dim(1) % 2 == 0 && s.dim(2) % 2 == 0, label(), "even height and width", dy);
            return List.of(dy.with(Shape.of(s.dim(0), s.dim(1) / 2, s.dim(2) / 2, s.dim(3))));
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of(inputs.getFirst().elements(), inputs, outputs);
        }
    }
}
