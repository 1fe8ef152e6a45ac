package dev.rote.nn;

import dev.rote.graph.Shape;

/// How a parameter stands in files, against its internal form.
///
/// @param kind the shapes
/// @param heads when above 0, the rows are a packed projection of queries, keys and values: (head, 3, D) in the file
///     as iDDPM has it, (3, head, D) inside, where [dev.rote.graph.Attention] wants them
public record FileForm(Kind kind, int heads) {
    /// Shape in the file for a shape inside.
    public enum Kind {
        /// Equal: vectors and matrices [K,C].
        SAME,
        /// [K,C,R,S] for [K,R,S,C].
        FILTER,
        /// [K,C,1] for [K,C]: a one-dimensional convolution of width 1.
        POINTWISE
    }

    public static final FileForm SAME = new FileForm(Kind.SAME, 0);
    public static final FileForm FILTER = new FileForm(Kind.FILTER, 0);
    public static final FileForm POINTWISE = new FileForm(Kind.POINTWISE, 0);

    public Shape fileShape(Shape shape) {
        return switch (kind) {
            case SAME -> shape;
            case FILTER -> Shape.of(shape.dim(0), shape.dim(3), shape.dim(1), shape.dim(2));
            case POINTWISE -> Shape.of(shape.dim(0), shape.dim(1), 1);
        };
    }

    /// Position in the file of each element in internal order.
    int[] filePositions(Shape shape) {
        int[] positions = new int[Math.toIntExact(shape.elements())];
        int rows = shape.dim(0);
        int size = positions.length / rows;
        int taps = kind == Kind.FILTER ? shape.dim(1) * shape.dim(2) : 1;
        int channels = size / taps;
        for (int row = 0; row < rows; row++) {
            int fileRow = fileRow(row, rows);
            for (int i = 0; i < size; i++) {
                positions[row * size + i] = fileRow * size + i % channels * taps + i / channels;
            }
        }
        return positions;
    }

    private int fileRow(int row, int rows) {
        if (heads == 0) {
            return row;
        }
        int size = rows / (3 * heads);
        int part = row / (heads * size);
        int head = row / size % heads;
        return (head * 3 + part) * size + row % size;
    }
}
