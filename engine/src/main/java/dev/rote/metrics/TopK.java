package dev.rote.metrics;

/// The k smallest of a sequence of (square, index), ordered by square and then by index. A sorted list: k is small.
final class TopK {
    private final double[] squares;
    private final int[] indices;
    private int size;

    TopK(int k) {
        squares = new double[k];
        indices = new int[k];
    }

    void offer(double square, int index) {
        int k = squares.length;
        if (size == k && !before(square, index, k - 1)) {
            return;
        }
        int at = size < k ? size++ : k - 1;
        while (at > 0 && before(square, index, at - 1)) {
            squares[at] = squares[at - 1];
            indices[at] = indices[at - 1];
            at--;
        }
        squares[at] = square;
        indices[at] = index;
    }

    /// Writes indices and distances (roots of the squares) to row `row` of `[rows, k]`.
    void write(int row, int[] toIndices, double[] toDistances) {
        if (size < squares.length) {
            throw new AssertionError("query " + row + ": " + size + " neighbours instead of " + squares.length);
        }
        for (int j = 0; j < size; j++) {
            toIndices[row * size + j] = indices[j];
            toDistances[row * size + j] = Math.sqrt(squares[j]);
        }
    }

    private boolean before(double square, int index, int at) {
        return square < squares[at] || (square == squares[at] && index < indices[at]);
    }
}
