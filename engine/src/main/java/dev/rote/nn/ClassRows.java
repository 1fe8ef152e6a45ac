package dev.rote.nn;

import dev.rote.graph.Embedding;
import dev.rote.graph.Graph;
import dev.rote.graph.Mix;
import dev.rote.graph.RandomIndex;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.random.Purpose;

/// One vector per class, which a network adds to its time embedding. No class is no vector, that is zero.
///
/// In training some labels are dropped, so that one network learns the conditional and the unconditional prediction (Ho
/// & Salimans 2022, arXiv:2207.12598, algorithm 1).
///
/// @param table `label_emb.weight` [classes,width] f32
record ClassRows(Value table) {
    /// Dropping is decided by one of so many equally likely numbers, so decimal probabilities are exact.
    static final int PARTS = 10_000;

    /// Standard normal rows, PyTorch's default of embeddings.
    static ClassRows of(Parameters parameters, int classes, int width) {
        return new ClassRows(parameters.exactMatrix("label_emb.weight", Shape.of(classes, width), new Init.Normal(1)));
    }

    /// @param labels [N] i32
    /// @return [N,width] f32
    Value apply(Graph graph, Value labels, Mode mode) {
        Value rows = graph.apply(new Embedding(), table, labels);
        if (!(mode instanceof Mode.Training training) || training.labelDrop() == 0) {
            return rows;
        }
        Value zero = graph.constant("zero", TensorType.f32(1), new float[1]);
        return graph.apply(
                new Mix(), rows, rows, kept(graph, training, labels.shape().dim(0)), zero);
    }

    /// [N,1] f32: 0 where the label is dropped, else 1; a function of (seed, step, number of the image).
    private static Value kept(Graph graph, Mode.Training training, int images) {
        float[] table = new float[PARTS];
        long dropped = Math.round(training.labelDrop() * PARTS);
        for (int part = 0; part < PARTS; part++) {
            table[part] = part < dropped ? 0 : 1;
        }
        RandomIndex draw = new RandomIndex(
                images, 0, PARTS - 1, training.seed(), Purpose.LABEL_DROP.code(), training.firstImage());
        Value part = graph.apply(draw, training.step());
        return graph.apply(new Embedding(), graph.constant("label kept", TensorType.f32(PARTS, 1), table), part);
    }
}
