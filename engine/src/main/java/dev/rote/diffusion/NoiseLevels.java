package dev.rote.diffusion;

import dev.rote.graph.Embedding;
import dev.rote.graph.Graph;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.function.IntToDoubleFunction;

/// The noise levels of a batch: coefficients that depend on each image's time index, looked up in constant tables that
/// were computed in double.
///
/// @param index time indices [N] i32
public record NoiseLevels(Graph graph, Schedule schedule, Value index) {
    /// Coefficients [N,1] f32.
    Value lookUp(String name, IntToDoubleFunction ofIndex) {
        float[] table = new float[schedule.steps()];
        for (int step = 0; step < table.length; step++) {
            table[step] = (float) ofIndex.applyAsDouble(step);
        }
        return graph.apply(new Embedding(), graph.constant(name, TensorType.f32(table.length, 1), table), index);
    }

    /// `factor * sqrt(alphaBar)`, [N,1].
    Value signal(double factor) {
        return lookUp("signal", step -> factor * signalAt(step));
    }

    /// `factor * sqrt(1 - alphaBar)`, [N,1].
    Value noise(double factor) {
        return lookUp("noise", step -> factor * noiseAt(step));
    }

    double signalAt(int step) {
        return Math.sqrt(schedule.alphaBar(step));
    }

    double noiseAt(int step) {
        return Math.sqrt(1 - schedule.alphaBar(step));
    }
}
