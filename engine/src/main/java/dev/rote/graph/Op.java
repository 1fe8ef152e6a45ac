package dev.rote.graph;

import java.util.List;

/// What a node computes: the complete list. A device is one exhaustive `switch` over it, so that an operation
/// without a kernel does not compile.
///
/// An operation is a record of its attributes with four rules: shapes ([#infer]), gradient ([#gradient]), cost
/// ([#cost]) and storage ([#mutates], [#overwrites]). Its definition in plain loops is the class of the same stem in
/// `dev.rote.reference`. Letters: N images, H W pixels, C channels in, K channels out, R S filter, G groups, T tokens,
/// D head size.
public sealed interface Op
        permits Activation,
                Activation.Backward,
                AdamUpdate,
                Add,
                AddChannels,
                Advance,
                AllReduce,
                Attention,
                Attention.Backward,
                AveragePool,
                AveragePool.Backward,
                Batch,
                Broadcast,
                Cast,
                Clamp,
                ClipScale,
                Concat,
                Conv2d,
                Conv2d.BackwardData,
                Conv2d.BackwardWeight,
                CrossEntropy,
                CrossEntropy.Backward,
                Dropout,
                EmaUpdate,
                Embedding,
                Embedding.Backward,
                Fill,
                GlobalNorm,
                GroupNorm,
                GroupNorm.Backward,
                LayerNorm,
                LayerNorm.Backward,
                LearningRate,
                Linear,
                Linear.BackwardData,
                Linear.BackwardWeight,
                MatMul,
                MeanSquaredError,
                MeanSquaredError.Backward,
                Mix,
                Modulate,
                Modulate.Backward,
                Multiply,
                RandomIndex,
                RandomNormal,
                RecordValue,
                Reduce,
                Scale,
                SgdUpdate,
                SinusoidalEmbedding,
                Slice,
                Slice.Backward,
                Softmax,
                Softmax.Backward,
                Upsample,
                Upsample.Backward {

    /// Types of the outputs for inputs of the given types.
    ///
    /// @throws IllegalArgumentException if the inputs do not fit: which one, expected, found
    List<TensorType> infer(List<TensorType> inputs);

    /// Appends the nodes that compute the gradient of a scalar with respect to the inputs of `node`.
    ///
    /// @param dOutputs gradients of the outputs; null where the scalar does not depend on that output
    /// @param wanted which inputs need a gradient; what is returned for the others is ignored
    /// @return one value per input; null where the gradient is zero
    default List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        throw new IllegalArgumentException(label() + " has no gradient");
    }

    /// Arithmetic and traffic; by default one operation per output element.
    default Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(outputs.isEmpty() ? 0 : outputs.getFirst().elements(), inputs, outputs);
    }

    /// Indices of the inputs that are changed in place.
    default List<Integer> mutates() {
        return List.of();
    }

    /// Index of an input whose storage the first output may take over when nothing reads that input later; -1 if none.
    default int overwrites() {
        return -1;
    }

    /// Name in listings: the record's own, with the forward operation's before a backward one.
    default String label() {
        Class<?> type = getClass();
        Class<?> outer = type.getEnclosingClass();
        return outer == null ? type.getSimpleName() : outer.getSimpleName() + type.getSimpleName();
    }
}
