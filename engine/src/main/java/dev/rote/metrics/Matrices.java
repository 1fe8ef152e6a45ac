package dev.rote.metrics;

import java.util.Arrays;

/// The few dense f64 products that the metrics need, row-major. Plain loops over contiguous rows, which the compiler
/// vectorises; each element is summed in one fixed order, whatever the number of threads.
final class Matrices {
    /// Rows of the right-hand matrix that are used together: 64 rows of 2048 doubles are 1 MiB, half the second-level
    /// cache of today's servers.
    private static final int BLOCK = 64;

    private Matrices() {}

    /// `a [rows, inner]` times `b [inner, columns]`.
    static double[] product(double[] a, double[] b, int rows, int inner, int columns, int threads)
            throws InterruptedException {
        double[] c = new double[rows * columns];
        int perTask = Math.max(1, Math.min(BLOCK, Math.ceilDiv(rows, 4 * threads)));
        Workers.run(threads, Math.ceilDiv(rows, perTask), task -> {
            Workers.checkInterrupted();
            addProduct(a, b, task * perTask, Math.min(rows, (task + 1) * perTask), inner, columns, c);
        });
        return c;
    }

    /// Rows `first .. end - 1` of the product, added to `c`.
    static void addProduct(double[] a, double[] b, int first, int end, int inner, int columns, double[] c) {
        for (int from = 0; from < inner; from += BLOCK) {
            for (int i = first; i < end; i++) {
                addRows(a, i * inner, from, Math.min(inner, from + BLOCK), b, columns, c, i * columns);
            }
        }
    }

    /// `c[at ..] += sum over j of a[aRow + j] * b[j, ..]`, four rows of b at a time.
    private static void addRows(double[] a, int aRow, int from, int end, double[] b, int columns, double[] c, int at) {
        int j = from;
        for (; j + 4 <= end; j += 4) {
            double a0 = a[aRow + j];
            double a1 = a[aRow + j + 1];
            double a2 = a[aRow + j + 2];
            double a3 = a[aRow + j + 3];
            int b0 = j * columns;
            int b1 = b0 + columns;
            int b2 = b1 + columns;
            int b3 = b2 + columns;
            for (int k = 0; k < columns; k++) {
                c[at + k] += (a0 * b[b0 + k] + a1 * b[b1 + k]) + (a2 * b[b2 + k] + a3 * b[b3 + k]);
            }
        }
        for (; j < end; j++) {
            double a0 = a[aRow + j];
            int b0 = j * columns;
            for (int k = 0; k < columns; k++) {
                c[at + k] += a0 * b[b0 + k];
            }
        }
    }

    /// The transpose `[columns, rows]` of `a [rows, columns]`.
    static double[] transposed(double[] a, int rows, int columns) {
        double[] t = new double[a.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                t[j * rows + i] = a[i * columns + j];
            }
        }
        return t;
    }

    /// Replaces `a` by (a + a^T) / 2.
    static void symmetrize(double[] a, int size) {
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < i; j++) {
                double mean = 0.5 * (a[i * size + j] + a[j * size + i]);
                a[i * size + j] = mean;
                a[j * size + i] = mean;
            }
        }
    }

    static double trace(double[] a, int size) {
        double sum = 0;
        for (int i = 0; i < size; i++) {
            sum += a[i * size + i];
        }
        return sum;
    }

    /// Makes the rows of `q [rows, length]` orthonormal, in order (modified Gram-Schmidt, twice, which is enough:
    /// Giraud,
    /// Langou & Rozloznik 2005). A row that depends on those before becomes zero.
    static void orthonormalizeRows(double[] q, int rows, int length) {
        for (int i = 0; i < rows; i++) {
            double before = norm(q, i * length, length);
            for (int pass = 0; pass < 2; pass++) {
                for (int j = 0; j < i; j++) {
                    double along = 0;
                    for (int k = 0; k < length; k++) {
                        along += q[i * length + k] * q[j * length + k];
                    }
                    for (int k = 0; k < length; k++) {
                        q[i * length + k] -= along * q[j * length + k];
                    }
                }
            }
            double norm = norm(q, i * length, length);
            if (norm <= 1e-13 * before) {
                Arrays.fill(q, i * length, (i + 1) * length, 0);
            } else {
                for (int k = 0; k < length; k++) {
                    q[i * length + k] /= norm;
                }
            }
        }
    }

    private static double norm(double[] q, int from, int length) {
        double squares = 0;
        for (int k = 0; k < length; k++) {
            squares += q[from + k] * q[from + k];
        }
        return Math.sqrt(squares);
    }
}
