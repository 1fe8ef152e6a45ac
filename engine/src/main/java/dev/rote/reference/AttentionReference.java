package dev.rote.reference;

import dev.rote.graph.Attention;
import java.util.List;

/// Multi-head self-attention core (Vaswani et al. 2017, arXiv:1706.03762, eq. 1):
/// `y_i = sum_j p_ij v_j`, `p_ij = exp(s_ij - lse_i)`, `lse_i = log sum_j exp(s_ij)`, `s_ij = q_i . k_j / sqrt D`.
final class AttentionReference {
    private AttentionReference() {}

    /// Inputs qkv [N,T,3,heads,D]; outputs y [N,T,heads,D], lse [N,heads,T].
    static List<double[]> forward(Attention op, List<Tensor> inputs) {
        Tensor qkv = inputs.get(0);
        Sizes of = Sizes.of(qkv, op.heads());
        double[] y = new double[qkv.size() / 3]; // [N,T,heads,D]
        double[] lse = new double[of.images * of.heads * of.tokens]; // [N,heads,T]
        for (int n = 0; n < of.images; n++) {
            for (int h = 0; h < of.heads; h++) {
                for (int i = 0; i < of.tokens; i++) {
                    double[] scores = scores(qkv, of, n, h, i);
                    double logSum = logSumExp(scores);
                    lse[(n * of.heads + h) * of.tokens + i] = logSum;
                    for (int j = 0; j < of.tokens; j++) {
                        double weight = Math.exp(scores[j] - logSum);
                        for (int d = 0; d < of.size; d++) {
                            y[of.row(n, i, h) + d] += weight * qkv.at(of.packed(n, j, 2, h) + d);
                        }
                    }
                }
            }
        }
        return List.of(y, lse);
    }

    /// With `delta_i = dy_i . y_i` and `ds_ij = p_ij (dy_i . v_j - delta_i)` (Dao et al. 2022, arXiv:2205.14135,
    /// appendix B.2): `dq_i = sum_j ds_ij k_j / sqrt D`, `dk_j = sum_i ds_ij q_i / sqrt D`, `dv_j = sum_i p_ij dy_i`.
    /// Inputs dy [N,T,heads,D], qkv, y, lse; output dqkv [N,T,3,heads,D].
    static List<double[]> backward(Attention.Backward op, List<Tensor> inputs) {
        Tensor dy = inputs.get(0);
        Tensor qkv = inputs.get(1);
        Tensor y = inputs.get(2);
        Tensor lse = inputs.get(3);
        Sizes of = Sizes.of(qkv, op.heads());
        double scale = 1 / Math.sqrt(of.size);
        double[] dqkv = new double[qkv.size()];
        for (int n = 0; n < of.images; n++) {
            for (int h = 0; h < of.heads; h++) {
                for (int i = 0; i < of.tokens; i++) {
                    double[] scores = scores(qkv, of, n, h, i);
                    double logSum = lse.at((n * of.heads + h) * of.tokens + i);
                    double delta = dot(dy, of.row(n, i, h), y, of.row(n, i, h), of.size);
                    for (int j = 0; j < of.tokens; j++) {
                        double p = Math.exp(scores[j] - logSum);
                        double dp = dot(dy, of.row(n, i, h), qkv, of.packed(n, j, 2, h), of.size);
                        double ds = p * (dp - delta) * scale;
                        for (int d = 0; d < of.size; d++) {
                            dqkv[of.packed(n, i, 0, h) + d] += ds * qkv.at(of.packed(n, j, 1, h) + d);
                            dqkv[of.packed(n, j, 1, h) + d] += ds * qkv.at(of.packed(n, i, 0, h) + d);
                            dqkv[of.packed(n, j, 2, h) + d] += p * dy.at(of.row(n, i, h) + d);
                        }
                    }
                }
            }
        }
        return List.of(dqkv);
    }

    /// Where the vectors of a head stand.
    private record Sizes(int images, int tokens, int heads, int size) {
        static Sizes of(Tensor qkv, int heads) {
            return new Sizes(qkv.dim(0), qkv.dim(1), heads, qkv.last() / (3 * heads));
        }

        /// Start of part 0 (query), 1 (key) or 2 (value) of a token in [N,T,3,heads,D].
        int packed(int n, int t, int part, int head) {
            return (((n * tokens + t) * 3 + part) * heads + head) * size;
        }

        /// Start of a token's head in [N,T,heads,D].
        int row(int n, int t, int head) {
            return ((n * tokens + t) * heads + head) * size;
        }
    }

    /// Scaled scores of query i with all keys.
    private static double[] scores(Tensor qkv, Sizes of, int n, int head, int i) {
        double[] scores = new double[of.tokens];
        for (int j = 0; j < of.tokens; j++) {
            double product = dot(qkv, of.packed(n, i, 0, head), qkv, of.packed(n, j, 1, head), of.size);
            scores[j] = product / Math.sqrt(of.size);
        }
        return scores;
    }

    private static double dot(Tensor a, int aStart, Tensor b, int bStart, int size) {
        double sum = 0;
        for (int d = 0; d < size; d++) {
            sum += a.at(aStart + d) * b.at(bStart + d);
        }
        return sum;
    }

    static double logSumExp(double[] scores) {
        double max = Double.NEGATIVE_INFINITY;
        for (double score : scores) {
            max = Math.max(max, score);
        }
        double sum = 0;
        for (double score : scores) {
            sum += Math.exp(score - max);
        }
        return max + Math.log(sum);
    }
}
