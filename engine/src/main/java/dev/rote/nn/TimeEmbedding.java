package dev.rote.nn;

import dev.rote.graph.Activation;
import dev.rote.graph.Add;
import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Embedding;
import dev.rote.graph.Graph;
import dev.rote.graph.Shape;
import dev.rote.graph.SinusoidalEmbedding;
import dev.rote.graph.Value;
import java.util.Optional;

/// Sinusoids of the diffusion time through two layers, plus a row per class; f32 in every precision.
///
/// @param table frozen sinusoids [rows,width], or none if they are computed
/// @param labels rows of the classes [classes,timeWidth]
record TimeEmbedding(Optional<Value> table, Dense first, Dense second, Optional<ClassRows> labels) {
    /// The sinusoids' divisor: `half` in iDDPM, `half - 1` in DDPM and study 1.
    private static int divisor(UNetConfig config) {
        return config.cosineFirst() ? config.width() / 2 : config.width() / 2 - 1;
    }

    static TimeEmbedding of(Parameters parameters, UNetConfig config, String tableName, String first, String second) {
        Init sinusoids = new Init.Sinusoid(config.width(), divisor(config), config.cosineFirst());
        int width = config.timeWidth();
        return new TimeEmbedding(
                config.tableRows() == 0
                        ? Optional.empty()
                        : Optional.of(
                                parameters.frozen(tableName, Shape.of(config.tableRows(), config.width()), sinusoids)),
                Dense.exact(parameters, first, config.width(), width),
                Dense.exact(parameters, second, width, width),
                config.classes() == 0
                        ? Optional.empty()
                        : Optional.of(ClassRows.of(parameters, config.classes(), width)));
    }

    /// @param t [N] i32 time index, or f32 where the sinusoids are computed
    /// @param classLabels [N] i32; without them no class is added, which is the unconditional network
    /// @return the activated embedding [N,timeWidth] f32
    Value apply(Graph graph, UNetConfig config, Value t, Optional<Value> classLabels, Mode mode) {
        Activation.Kind kind = config.gelu() ? Activation.Kind.GELU : Activation.Kind.SILU;
        Value hidden = graph.apply(new Activation(kind), first.apply(graph, sinusoids(graph, config, t)));
        Value embedding = second.apply(graph, hidden);
        if (classLabels.isPresent()) {
            ClassRows rows = labels.orElseThrow(
                    () -> new IllegalArgumentException("labels: expected none for a U-Net without classes"));
            embedding = graph.apply(new Add(), embedding, rows.apply(graph, classLabels.get(), mode));
        }
        return graph.apply(new Activation(Activation.Kind.SILU), embedding);
    }

    private Value sinusoids(Graph graph, UNetConfig config, Value t) {
        if (table.isPresent()) {
            return graph.apply(new Embedding(), table.get(), t);
        }
        Value time = t.dtype() == DType.F32 ? t : graph.apply(new Cast(DType.F32), t);
        return graph.apply(new SinusoidalEmbedding(config.width(), 10000, divisor(config), config.cosineFirst()), time);
    }
}
