package dev.rote.graph;

import java.util.ArrayList;
import java.util.List;

/// Shape and cost rules shared by the updates over flat buffers.
final class FlatBuffers {
    private FlatBuffers() {}

    /// The first `buffers` inputs are f32 of one shape, then lr [1], scale [1], step [1] i32, optionally a bf16 copy.
    static void check(String operation, List<TensorType> inputs, int buffers) {
        Shape shape = inputs.getFirst().shape();
        for (int index = 0; index < buffers; index++) {
            Check.shape(operation, "buffer " + index, inputs.get(index), shape);
            Check.that(inputs.get(index).type() == DType.F32, operation, "buffer " + index + " f32", inputs.get(index));
        }
        Check.scalar(operation, "lr", inputs.get(buffers), DType.F32);
        Check.scalar(operation, "scale", inputs.get(buffers + 1), DType.F32);
        Check.scalar(operation, "step", inputs.get(buffers + 2), DType.I32);
        if (inputs.size() > buffers + 3) {
            TensorType copy = inputs.get(buffers + 3);
            Check.shape(operation, "copy", copy, shape);
            Check.that(copy.type() == DType.BF16, operation, "a copy in bf16", copy);
        }
    }

    static Cost cost(int flopsPerElement, List<TensorType> inputs, List<Integer> written) {
        List<TensorType> outputs = new ArrayList<>();
        for (int index : written) {
            if (index < inputs.size()) {
                outputs.add(inputs.get(index));
            }
        }
        return Cost.of(flopsPerElement * inputs.getFirst().elements(), inputs, outputs);
    }
}
