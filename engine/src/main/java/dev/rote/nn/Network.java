package dev.rote.nn;

import dev.rote.graph.Graph;
import dev.rote.graph.Value;
import java.util.Map;
import java.util.Optional;

/// A network in numbers, and how it writes itself into a graph.
public sealed interface Network permits UNetConfig, ResidualMlpConfig {
    /// Class labels that it is conditioned on; 0 for none.
    int classes();

    /// Writes the network; its parameters are declared in the order of weight files, so the layout depends on the
    /// configuration alone.
    ///
    /// @param x noisy images [N,H,W,C] f32
    /// @param t time indices [N] i32
    /// @param labels classes [N] i32; empty for the unconditional network, which a network with classes also is
    /// @return prediction [N,H,W,K] f32
    /// @throws IllegalArgumentException if an input does not fit
    Value build(Graph graph, Parameters parameters, Value x, Value t, Optional<Value> labels, Mode mode);

    /// Elements of the flat buffer of its trained parameters; more than 2^31 - 1 have no layout.
    long size();

    /// The layout of its parameters, without a graph to run.
    ParameterLayout layout();

    /// What shapes cannot tell of it, for `__metadata__` of weight files.
    Map<String, String> metadata();
}
