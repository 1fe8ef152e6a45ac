package dev.rote.diffusion;

import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;

/// The images that a sampler works on, and the share of them that one graph (one lane) has.
///
/// @param shape of the whole batch [N,H,W,C]
/// @param first number of this graph's first image
/// @param count images of this graph
public record SampleBatch(Shape shape, int first, int count) {
    /// External f32 buffer of the images, changed in place by every step.
    public static final String X = "sample.x";

    /// External counter [1] i32 of the update within one sampling run: 0 before the first.
    public static final String STEP = "sample.step";

    /// External counter [1] i32 that numbers all draws; batch b starts at b times the sampler's updates.
    public static final String DRAW = "sample.draw";

    /// @throws IllegalArgumentException if the share is not inside the batch
    public SampleBatch {
        if (shape.rank() != 4 || first < 0 || count < 1 || first + count > shape.dim(0)) {
            throw new IllegalArgumentException("sample batch: expected a part of [N,H,W,C], found images " + first
                    + " to " + (first + count) + " of " + shape);
        }
    }

    /// One graph has all images.
    public static SampleBatch whole(Shape shape) {
        return new SampleBatch(shape, 0, shape.dim(0));
    }

    /// Number within the batch of this graph's first element.
    long firstElement() {
        return first * shape.elements(1, 4);
    }

    TensorType type() {
        return new TensorType(shape.with(0, count), DType.F32);
    }

    /// The whole batch.
    Value all(Graph graph) {
        return graph.external(X, new TensorType(shape, DType.F32));
    }

    Value step(Graph graph) {
        return graph.external(STEP, TensorType.i32(1));
    }

    Value draw(Graph graph) {
        return graph.external(DRAW, TensorType.i32(1));
    }
}
