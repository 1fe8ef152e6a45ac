package dev.rote.reference;

import dev.rote.graph.MatMul;
import java.util.List;

/// Batched matrix product `y[b,m,n] = sum_k a[b,m,k] b[b,k,n]`, either factor stored transposed if asked for.
final class MatMulReference {
    private MatMulReference() {}

    /// Inputs a [B,M,K] or [B,K,M], b [B,K,N] or [B,N,K]; output [B,M,N].
    static List<double[]> forward(MatMul op, List<Tensor> inputs) {
        Tensor a = inputs.get(0);
        Tensor b = inputs.get(1);
        int batch = a.dim(0);
        int rows = a.dim(op.transposeA() ? 2 : 1);
        int inner = a.dim(op.transposeA() ? 1 : 2);
        int columns = b.dim(op.transposeB() ? 1 : 2);
        double[] y = new double[batch * rows * columns]; // [B,M,N]
        for (int i = 0; i < batch; i++) {
            for (int m = 0; m < rows; m++) {
                for (int n = 0; n < columns; n++) {
                    double sum = 0;
                    for (int k = 0; k < inner; k++) {
                        int atA = op.transposeA() ? (i * inner + k) * rows + m : (i * rows + m) * inner + k;
                        int atB = op.transposeB() ? (i * columns + n) * inner + k : (i * inner + k) * columns + n;
                        sum += a.at(atA) * b.at(atB);
                    }
                    y[(i * rows + m) * columns + n] = sum;
                }
            }
        }
        return List.of(y);
    }
}
