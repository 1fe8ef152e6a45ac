package dev.rote.reference;

import dev.rote.graph.MeanSquaredError;
import java.util.List;

/// `loss = weight sum (prediction - target)^2`.
final class MeanSquaredErrorReference {
    private MeanSquaredErrorReference() {}

    /// Inputs prediction, target; output [1].
    static List<double[]> forward(MeanSquaredError op, List<Tensor> inputs) {
        double sum = 0;
        for (int i = 0; i < inputs.get(0).size(); i++) {
            double error = inputs.get(0).at(i) - inputs.get(1).at(i);
            sum += error * error;
        }
        return List.of(new double[] {op.weight() * sum});
    }

    /// `dprediction = 2 weight (prediction - target) dloss`. Inputs prediction, target, dloss [1].
    static List<double[]> backward(MeanSquaredError.Backward op, List<Tensor> inputs) {
        double dloss = inputs.get(2).only();
        double[] dprediction = new double[inputs.get(0).size()];
        for (int i = 0; i < dprediction.length; i++) {
            dprediction[i] = 2
                    * (double) op.weight()
                    * (inputs.get(0).at(i) - inputs.get(1).at(i))
                    * dloss;
        }
        return List.of(dprediction);
    }
}
