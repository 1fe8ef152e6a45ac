package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.getFloat;
import static dev.rote.device.cpu.Memory.setFloat;

import java.util.Arrays;

/// Multi-head attention, one head of one image at a time.
///
/// Keys and values of the head are transposed to panels [D,T], padded to whole vectors of tokens, so that all inner
// loops
/// run over tokens: scores and weights of one query are a row of T floats that stays in the first-level cache.
final class AttentionKernels {
    private final int images;
    private final int tokens;
    private final int heads;
    private final int depth;
    private final int padded;
    private final float scale;
    private final float[] keys;
    private final float[] values;
    private final float[] row;
    private final float[] query;

    AttentionKernels(int images, int tokens, int heads, int depth) {
        this.images = images;
        this.tokens = tokens;
        this.heads = heads;
        this.depth = depth;
        this.padded = (tokens + LANES - 1) / LANES * LANES;
        this.scale = (float) (1 / Math.sqrt(depth));
        this.keys = new float[depth * padded];
        this.values = new float[depth * padded];
        this.row = new float[padded];
        this.query = new float[depth];
    }

    Kernel forward(Stage qkv, Stage y, long logSumExp) {
        int width = 3 * heads * depth;
        return () -> {
            for (int n = 0; n < images; n++) {
                long in = qkv.in(n);
                long out = y.out(n);
                for (int head = 0; head < heads; head++) {
                    transpose(in + 4L * (heads + head) * depth, width, keys);
                    transpose(in + 4L * (2 * heads + head) * depth, width, values);
                    long lse = logSumExp + 4L * ((long) n * heads + head) * tokens;
                    for (int i = 0; i < tokens; i++) {
                        forwardRow(
                                in + 4L * ((long) i * width + head * depth),
                                lse + 4L * i,
                                out + 4L * ((long) i * heads * depth + head * depth));
                    }
                }
                y.done(n);
            }
        };
    }

    private void forwardRow(long queryAt, long lseAt, long out) {
        read(queryAt, query);
        RowMath.combine(keys, padded, depth, query, 0, scale, row);
        // The padding holds zeros: a maximum that is too large by them only shifts, it cannot overflow.
        float max = RowMath.max(row, padded);
        RowMath.exp(row, padded, max);
        Arrays.fill(row, tokens, padded, 0);
        float sum = RowMath.sum(row, padded);
        setFloat(lseAt, max + (float) Math.log(sum));
        float inverse = 1 / sum;
        for (int d = 0; d < depth; d++) {
            setFloat(out + 4L * d, RowMath.dot(row, values, d * padded, padded) * inverse);
        }
    }

    /// With p_ij = exp(scale q_i k_j - lse_i) and ds_ij = p_ij (dy_i v_j - dy_i y_i): dv_j = sum_i p_ij dy_i,
    /// dq_i = scale sum_j ds_ij k_j, dk_j = scale sum_i ds_ij q_i.
    Kernel backward(Stage dy, Stage qkv, Stage y, long logSumExp, Stage dqkv) {
        float[] dkeys = new float[depth * padded];
        float[] dvalues = new float[depth * padded];
        float[] slope = new float[padded];
        float[] g = new float[depth];
        int width = 3 * heads * depth;
        return () -> {
            for (int n = 0; n < images; n++) {
                long in = qkv.in(n);
                long dyAt = dy.in(n);
                long yAt = y.in(n);
                long out = dqkv.out(n);
                for (int head = 0; head < heads; head++) {
                    transpose(in + 4L * (heads + head) * depth, width, keys);
                    transpose(in + 4L * (2 * heads + head) * depth, width, values);
                    Arrays.fill(dkeys, 0);
                    Arrays.fill(dvalues, 0);
                    long lse = logSumExp + 4L * ((long) n * heads + head) * tokens;
                    for (int i = 0; i < tokens; i++) {
                        long at = 4L * ((long) i * heads * depth + head * depth);
                        long queryAt = 4L * ((long) i * width + head * depth);
                        read(in + queryAt, query);
                        read(dyAt + at, g);
                        float delta = product(g, yAt + at);
                        backwardRow(getFloat(lse + 4L * i), delta, g, slope, dkeys, dvalues, out + queryAt);
                    }
                    transposeBack(dkeys, out + 4L * (heads + head) * depth, width);
                    transposeBack(dvalues, out + 4L * (2 * heads + head) * depth, width);
                }
                dqkv.done(n);
            }
        };
    }

    private void backwardRow(
            float lse, float delta, float[] g, float[] slope, float[] dkeys, float[] dvalues, long dquery) {
        RowMath.combine(keys, padded, depth, query, 0, scale, row);
        RowMath.exp(row, padded, lse);
        Arrays.fill(row, tokens, padded, 0);
        RowMath.combine(values, padded, depth, g, 0, 1, slope);
        RowMath.softmaxSlope(row, slope, delta, scale, padded);
        for (int d = 0; d < depth; d++) {
            RowMath.addScaled(dvalues, d * padded, row, g[d], padded);
            RowMath.addScaled(dkeys, d * padded, slope, query[d], padded);
            setFloat(dquery + 4L * d, RowMath.dot(slope, keys, d * padded, padded));
        }
    }

    private void read(long from, float[] to) {
        for (int d = 0; d < depth; d++) {
            to[d] = getFloat(from + 4L * d);
        }
    }

    private float product(float[] x, long y) {
        float sum = 0;
        for (int d = 0; d < depth; d++) {
            sum = Math.fma(x[d], getFloat(y + 4L * d), sum);
        }
        return sum;
    }

    /// [T, depth] with `stride` floats between tokens to [depth, padded]; the padding stays zero.
    private void transpose(long from, int stride, float[] to) {
        for (int t = 0; t < tokens; t++) {
            long at = from + 4L * t * stride;
            for (int d = 0; d < depth; d++) {
                to[d * padded + t] = getFloat(at + 4L * d);
            }
        }
    }

    private void transposeBack(float[] from, long to, int stride) {
        for (int t = 0; t < tokens; t++) {
            long at = to + 4L * t * stride;
            for (int d = 0; d < depth; d++) {
                setFloat(at + 4L * d, from[d * padded + t]);
            }
        }
    }
}
