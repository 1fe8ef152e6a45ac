package dev.rote.graph;

/// What the graph knows of a value: extents and element type.
public record TensorType(Shape shape, DType type) {
    public static TensorType f32(int... dims) {
        return new TensorType(Shape.of(dims), DType.F32);
    }

    public static TensorType i32(int... dims) {
        return new TensorType(Shape.of(dims), DType.I32);
    }

    public TensorType with(Shape other) {
        return new TensorType(other, type);
    }

    public TensorType with(DType other) {
        return new TensorType(shape, other);
    }

    public long elements() {
        return shape.elements();
    }

    public long bytes() {
        return elements() * type.bytes();
    }

    @Override
    public String toString() {
        return type.name().toLowerCase(java.util.Locale.ROOT) + shape;
    }
}
