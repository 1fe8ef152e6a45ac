package dev.rote.optim;

import dev.rote.graph.Add;
import dev.rote.graph.Autodiff;
import dev.rote.graph.Fusion;
import dev.rote.graph.Graph;
import dev.rote.graph.Target;
import dev.rote.graph.Value;
import dev.rote.nn.Parameters;
import java.util.List;
import java.util.function.IntFunction;

/// Loss and gradients of one graph's share of a batch.
///
/// @param loss [1] f32
/// @param gradients flat [P] f32, arranged by the parameters' layout
public record Backward(Value loss, Value gradients) {
    /// Writes `microBatches` forward and backward passes one after the other, so that only one's activations live at a
    /// time; losses and gradients are added in that order. Patterns that the target fuses are fused first.
    ///
    /// @param lossOf writes the loss of a micro-batch, as a share: the sum over all is the loss of the batch
    /// @throws IllegalArgumentException unless `microBatches >= 1`
    public static Backward write(
            Graph graph, Target target, Parameters parameters, int microBatches, IntFunction<Value> lossOf) {
        if (microBatches < 1) {
            throw new IllegalArgumentException("micro-batches: expected at least 1, found " + microBatches);
        }
        Value loss = pass(graph, target, lossOf, 0);
        parameters.freeze();
        Value gradients = parameters.placeGradients(gradients(graph, parameters, loss));
        if (microBatches == 1) {
            return new Backward(loss, gradients);
        }
        Value part = parameters.gradientBuffer("gradients.part");
        for (int micro = 1; micro < microBatches; micro++) {
            Value share = pass(graph, target, lossOf, micro);
            parameters.placeGradients(gradients(graph, parameters, share), part);
            graph.place(graph.apply(new Add(), gradients, part), gradients, 0);
            loss = graph.apply(new Add(), loss, share);
        }
        return new Backward(loss, gradients);
    }

    private static Value pass(Graph graph, Target target, IntFunction<Value> lossOf, int micro) {
        Value loss = lossOf.apply(micro);
        Fusion.apply(graph, target);
        return loss;
    }

    private static List<Value> gradients(Graph graph, Parameters parameters, Value loss) {
        return Autodiff.gradients(graph, loss, parameters.trainable());
    }
}
