package dev.rote.reference;

import dev.rote.graph.Activation;
import dev.rote.graph.AdamUpdate;
import dev.rote.graph.Add;
import dev.rote.graph.AddChannels;
import dev.rote.graph.Advance;
import dev.rote.graph.AllReduce;
import dev.rote.graph.Attention;
import dev.rote.graph.AveragePool;
import dev.rote.graph.Batch;
import dev.rote.graph.Broadcast;
import dev.rote.graph.Cast;
import dev.rote.graph.Clamp;
import dev.rote.graph.ClipScale;
import dev.rote.graph.Concat;
import dev.rote.graph.Conv2d;
import dev.rote.graph.CrossEntropy;
import dev.rote.graph.Dropout;
import dev.rote.graph.EmaUpdate;
import dev.rote.graph.Embedding;
import dev.rote.graph.Fill;
import dev.rote.graph.GlobalNorm;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.LayerNorm;
import dev.rote.graph.LearningRate;
import dev.rote.graph.Linear;
import dev.rote.graph.MatMul;
import dev.rote.graph.MeanSquaredError;
import dev.rote.graph.Mix;
import dev.rote.graph.Modulate;
import dev.rote.graph.Multiply;
import dev.rote.graph.Op;
import dev.rote.graph.RandomIndex;
import dev.rote.graph.RandomNormal;
import dev.rote.graph.RecordValue;
import dev.rote.graph.Reduce;
import dev.rote.graph.Scale;
import dev.rote.graph.SgdUpdate;
import dev.rote.graph.SinusoidalEmbedding;
import dev.rote.graph.Slice;
import dev.rote.graph.Softmax;
import dev.rote.graph.Upsample;
import java.util.List;

/// From an operation to its definition: the complete list.
final class Definitions {
    private Definitions() {}

    /// The outputs of an operation, in order. An operation that works in place changes the arrays of its inputs
    /// ([Op#mutates]).
    ///
    /// @throws IllegalArgumentException if an index or label among the inputs is out of range
    static List<double[]> evaluate(Op operation, List<Tensor> inputs) {
        return switch (operation) {
            case Activation op -> ActivationReference.forward(op, inputs);
            case Activation.Backward op -> ActivationReference.backward(op, inputs);
            case AdamUpdate op -> AdamUpdateReference.update(op, inputs);
            case Add unused -> AddReference.forward(inputs);
            case AddChannels unused -> AddChannelsReference.forward(inputs);
            case Advance unused -> AdvanceReference.update(inputs);
            case AllReduce unused -> AllReduceReference.update();
            case Attention op -> AttentionReference.forward(op, inputs);
            case Attention.Backward op -> AttentionReference.backward(op, inputs);
            case AveragePool op -> AveragePoolReference.forward(op, inputs);
            case AveragePool.Backward op -> AveragePoolReference.backward(op, inputs);
            case Batch op -> BatchReference.forward(op, inputs);
            case Broadcast op -> BroadcastReference.forward(op, inputs);
            case Cast unused -> CastReference.forward(inputs);
            case Clamp op -> ClampReference.forward(op, inputs);
            case ClipScale op -> ClipScaleReference.forward(op, inputs);
            case Concat op -> ConcatReference.forward(op, inputs);
            case Conv2d op -> Conv2dReference.forward(op, inputs);
            case Conv2d.BackwardData op -> Conv2dReference.backwardData(op, inputs);
            case Conv2d.BackwardWeight op -> Conv2dReference.backwardWeight(op, inputs);
            case CrossEntropy op -> CrossEntropyReference.forward(op, inputs);
            case CrossEntropy.Backward op -> CrossEntropyReference.backward(op, inputs);
            case Dropout op -> DropoutReference.forward(op, inputs);
            case EmaUpdate op -> EmaUpdateReference.update(op, inputs);
            case Embedding unused -> EmbeddingReference.forward(inputs);
            case Embedding.Backward op -> EmbeddingReference.backward(op, inputs);
            case Fill op -> FillReference.forward(op);
            case GlobalNorm unused -> GlobalNormReference.forward(inputs);
            case GroupNorm op -> GroupNormReference.forward(op, inputs);
            case GroupNorm.Backward op -> GroupNormReference.backward(op, inputs);
            case LayerNorm op -> LayerNormReference.forward(op, inputs);
            case LayerNorm.Backward unused -> LayerNormReference.backward(inputs);
            case LearningRate op -> LearningRateReference.forward(op, inputs);
            case Linear unused -> LinearReference.forward(inputs);
            case Linear.BackwardData unused -> LinearReference.backwardData(inputs);
            case Linear.BackwardWeight op -> LinearReference.backwardWeight(op, inputs);
            case MatMul op -> MatMulReference.forward(op, inputs);
            case MeanSquaredError op -> MeanSquaredErrorReference.forward(op, inputs);
            case MeanSquaredError.Backward op -> MeanSquaredErrorReference.backward(op, inputs);
            case Mix unused -> MixReference.forward(inputs);
            case Modulate unused -> ModulateReference.forward(inputs);
            case Modulate.Backward unused -> ModulateReference.backward(inputs);
            case Multiply unused -> MultiplyReference.forward(inputs);
            case RandomIndex op -> RandomIndexReference.forward(op, inputs);
            case RandomNormal op -> RandomNormalReference.forward(op, inputs);
            case RecordValue unused -> RecordValueReference.update(inputs);
            case Reduce op -> ReduceReference.forward(op, inputs);
            case Scale op -> ScaleReference.forward(op, inputs);
            case SgdUpdate op -> SgdUpdateReference.update(op, inputs);
            case SinusoidalEmbedding op -> SinusoidalEmbeddingReference.forward(op, inputs);
            case Slice op -> SliceReference.forward(op, inputs);
            case Slice.Backward op -> SliceReference.backward(op, inputs);
            case Softmax unused -> SoftmaxReference.forward(inputs);
            case Softmax.Backward unused -> SoftmaxReference.backward(inputs);
            case Upsample unused -> UpsampleReference.forward(inputs);
            case Upsample.Backward unused -> UpsampleReference.backward(inputs);
        };
    }
}
