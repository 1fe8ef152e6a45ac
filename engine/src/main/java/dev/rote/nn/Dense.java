package dev.rote.nn;

import dev.rote.graph.Graph;
import dev.rote.graph.Linear;
import dev.rote.graph.Shape;
import dev.rote.graph.Value;

/// A fully connected layer over the innermost dimension, with bias.
record Dense(Value weight, Value bias) {
    /// A layer of the time embedding, f32 in every precision: `NAME.weight` [out,in], `NAME.bias` [out].
    static Dense exact(Parameters parameters, String name, int in, int out) {
        Init init = Init.fanIn(in);
        return new Dense(
                parameters.exactMatrix(name + ".weight", Shape.of(out, in), init),
                parameters.vector(name + ".bias", out, init));
    }

    /// A layer whose matrix is in the policy's type: `NAME.weight` [out,in], `NAME.bias` [out].
    static Dense of(Parameters parameters, String name, int in, int out) {
        Init init = Init.fanIn(in);
        return new Dense(
                parameters.matrix(name + ".weight", Shape.of(out, in), init),
                parameters.vector(name + ".bias", out, init));
    }

    Value apply(Graph graph, Value x) {
        return graph.apply(new Linear(), x, weight, bias);
    }
}
