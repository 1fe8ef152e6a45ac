package dev.rote.nn;

import dev.rote.graph.Conv2d;
import dev.rote.graph.Graph;
import dev.rote.graph.Shape;
import dev.rote.graph.Value;

/// A convolution [N,H,W,C] to [N,P,Q,K] with bias, and its parameters `NAME.weight` and `NAME.bias`.
record Convolution(Value weight, Value bias, Conv2d op) {
    /// A square filter of odd size that keeps (stride 1) or halves (stride 2) height and width.
    static Convolution of(Parameters parameters, String name, int in, int out, int filter, int stride, boolean zero) {
        Init init = zero ? Init.zeros() : Init.fanIn((long) in * filter * filter);
        return new Convolution(
                parameters.matrix(name + ".weight", Shape.of(out, filter, filter, in), init),
                parameters.vector(name + ".bias", out, init),
                Conv2d.of(stride, filter / 2));
    }

    Value apply(Graph graph, Value x) {
        return graph.apply(op, x, weight, bias);
    }
}
