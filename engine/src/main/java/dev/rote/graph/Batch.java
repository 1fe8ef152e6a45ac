package dev.rote.graph;

import java.util.ArrayList;
import java.util.List;

/// Gathers the images of one training step from the resident data set, in shuffled epochs.
///
/// Image j of step s stands at position `s * stride + first + j` of the endless concatenation of epochs, each a
/// permutation of the data set keyed by the seed; a batch may straddle two epochs, so every step has the same shape.
/// `x = scale * stored + shift`; with `flip` an image is mirrored left to right with probability one half:
/// if the top bit of Philox word `first + j` of (seed, step, purpose AUGMENT) is set.
/// Inputs data [M,H,W,C] u8 or f32, step [1] i32, optional labels [M] i32; outputs x [count,H,W,C] f32, index [count]
/// i32,
/// and label [count] i32 if labels are given. `shuffle` false takes position modulo M, in stored order.
public record Batch(
        int count, long stride, long first, long seed, float scale, float shift, boolean shuffle, boolean flip)
        implements Op {
    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Batch", inputs, 2, 3);
        TensorType data = inputs.get(0);
        Check.rank("Batch", "data [M,H,W,C]", data, 4);
        Check.that(data.type() == DType.U8 || data.type() == DType.F32, "Batch", "data u8 or f32", data);
        Check.scalar("Batch", "step", inputs.get(1), DType.I32);
        List<TensorType> outputs = new ArrayList<>();
        outputs.add(new TensorType(data.shape().with(0, count), DType.F32));
        outputs.add(TensorType.i32(count));
        if (inputs.size() == 3) {
            Check.shape("Batch", "labels", inputs.get(2), Shape.of(data.shape().dim(0)));
            Check.type("Batch", "labels", inputs.get(2), DType.I32);
            outputs.add(TensorType.i32(count));
        }
        return outputs;
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        TensorType x = outputs.getFirst();
        return new Cost(
                2 * x.elements(), x.elements() * inputs.getFirst().type().bytes(), x.bytes());
    }
}
