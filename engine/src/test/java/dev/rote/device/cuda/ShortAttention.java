package dev.rote.device.cuda;

import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import dev.rote.reference.OpCase;
import java.util.Arrays;
import java.util.List;

/// Attention as anybody would write it whose products take factors of a few bits: exact in all else, but each factor of
/// a product is rounded before it, also weights and slopes. How far this is from the definition is how far a kernel on
/// tensor cores may be.
///
/// @param bits of the factors' mantissas: 10 in TF32, 7 in bf16
/// @param heads of the attention
record ShortAttention(int bits, int heads) {
    /// y and log-sum-exp.
    List<double[]> forward(OpCase one) {
        Heads of = new Heads(one.inputTypes().getFirst().shape(), heads);
        double[] qkv = rounded(bits, one.inputs().getFirst());
        double[] y = new double[qkv.length / 3];
        double[] lse = new double[of.rows()];
        double[] weights = new double[of.tokens()];
        for (int row = 0; row < of.rows(); row++) {
            for (int j = 0; j < of.tokens(); j++) {
                weights[j] = of.dot(qkv, of.in(row, 0), qkv, of.in(of.other(row, j), 1)) * of.scale();
            }
            double largest = Arrays.stream(weights).max().orElseThrow();
            double sum = 0;
            for (int j = 0; j < of.tokens(); j++) {
                double weight = Math.exp(weights[j] - largest);
                sum += weight;
                of.add(y, of.in(row), rounded(bits, weight), qkv, of.in(of.other(row, j), 2));
            }
            for (int d = 0; d < of.depth(); d++) {
                y[of.in(row) + d] /= sum;
            }
            lse[row] = largest + Math.log(sum);
        }
        return List.of(inType(one, y), lse);
    }

    /// dqkv.
    List<double[]> backward(OpCase one) {
        Heads of = new Heads(one.inputTypes().get(1).shape(), heads);
        double[] dy = rounded(bits, one.inputs().get(0));
        double[] qkv = rounded(bits, one.inputs().get(1));
        double[] dqkv = new double[qkv.length];
        for (int row = 0; row < of.rows(); row++) {
            double delta = of.dot(one.inputs().get(0), of.in(row), one.inputs().get(2), of.in(row));
            double lse = one.inputs().get(3)[row];
            for (int j = 0; j < of.tokens(); j++) {
                int other = of.other(row, j);
                double p = Math.exp(of.dot(qkv, of.in(row, 0), qkv, of.in(other, 1)) * of.scale() - lse);
                double slope = rounded(bits, p * (of.dot(dy, of.in(row), qkv, of.in(other, 2)) - delta));
                of.add(dqkv, of.in(row, 0), slope * of.scale(), qkv, of.in(other, 1));
                of.add(dqkv, of.in(other, 1), slope * of.scale(), qkv, of.in(row, 0));
                of.add(dqkv, of.in(other, 2), rounded(bits, p), dy, of.in(row));
            }
        }
        return List.of(inType(one, dqkv));
    }

    private static double[] inType(OpCase one, double[] numbers) {
        return one.inputTypes().getFirst().type() == DType.BF16 ? rounded(7, numbers) : numbers;
    }

    static double[] rounded(int bits, double[] numbers) {
        return Arrays.stream(numbers).map(number -> rounded(bits, number)).toArray();
    }

    /// To a float with so many bits of mantissa, ties away from zero.
    private static double rounded(int bits, double number) {
        int dropped = 23 - bits;
        int half = dropped == 0 ? 0 : 1 << dropped - 1;
        return Float.intBitsToFloat(Float.floatToRawIntBits((float) number) + half & -1 << dropped);
    }

    /// Where vectors are: qkv [N,T,3,heads,D], y [N,T,heads,D]; a row is one of [N,heads,T].
    private record Heads(int images, int tokens, int heads, int depth) {
        Heads(Shape qkv, int heads) {
            this(qkv.dim(0), qkv.dim(1), heads, qkv.dim(2) / 3 / heads);
        }

        int rows() {
            return images * heads * tokens;
        }

        double scale() {
            return 1 / Math.sqrt(depth);
        }

        /// Row of token j of the same head.
        int other(int row, int j) {
            return row - row % tokens + j;
        }

        int in(int row) {
            int image = row / tokens / heads;
            return ((image * tokens + row % tokens) * heads + row / tokens % heads) * depth;
        }

        int in(int row, int part) {
            int image = row / tokens / heads;
            return (((image * tokens + row % tokens) * 3 + part) * heads + row / tokens % heads) * depth;
        }

        double dot(double[] a, int atA, double[] b, int atB) {
            double sum = 0;
            for (int d = 0; d < depth; d++) {
                sum += a[atA + d] * b[atB + d];
            }
            return sum;
        }

        void add(double[] to, int atTo, double factor, double[] from, int atFrom) {
            for (int d = 0; d < depth; d++) {
                to[atTo + d] += factor * from[atFrom + d];
            }
        }
    }
}
