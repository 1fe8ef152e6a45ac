package dev.rote.nn;

import dev.rote.graph.Graph;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Value;

/// A group normalisation and its parameters `NAME.weight` (1) and `NAME.bias` (0).
record Normalisation(Value gamma, Value beta, GroupNorm op) {
    /// @throws IllegalArgumentException if the channels cannot be divided into groups
    static Normalisation of(Parameters parameters, UNetConfig config, String name, int channels) {
        if (channels % config.groups() != 0) {
            throw new IllegalArgumentException("group normalisation " + name + ": expected channels divisible by "
                    + config.groups() + " groups, found " + channels);
        }
        return new Normalisation(
                parameters.vector(name + ".weight", channels, Init.ones()),
                parameters.vector(name + ".bias", channels, Init.zeros()),
                new GroupNorm(config.groups(), config.eps(), false));
    }

    Value apply(Graph graph, Value x) {
        return graph.apply(op, x, gamma, beta);
    }
}
