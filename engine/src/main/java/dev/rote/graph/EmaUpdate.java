package dev.rote.graph;

import java.util.List;

/// Exponential moving average of the parameters, in place: `e = e + (1 - decay) (p - e)`. At step 0 the average starts
/// as the parameters after the update. Inputs average [P], parameters [P] f32, step [1] i32. A collective.
public record EmaUpdate(float decay) implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("EmaUpdate", inputs, 3, 3);
        Check.shape("EmaUpdate", "parameters", inputs.get(1), inputs.get(0).shape());
        Check.type("EmaUpdate", "average", inputs.get(0), DType.F32);
        Check.type("EmaUpdate", "parameters", inputs.get(1), DType.F32);
        Check.scalar("EmaUpdate", "step", inputs.get(2), DType.I32);
        return List.of();
    }

    @Override
    public List<Integer> mutates() {
        return List.of(0);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return FlatBuffers.cost(3, inputs, List.of(0));
    }
}
