package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.getFloat;
import static dev.rote.device.cpu.Memory.load;
import static dev.rote.device.cpu.Memory.setFloat;
import static dev.rote.device.cpu.Memory.store;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// Multi-head attention, one head of one image at a time.
///
/// Keys, values and queries are transposed to [D,T], padded to whole vectors of tokens, so that all inner loops run
// over
/// tokens: scores and weights of one query are a row of T floats that stays in the first-level cache.
final class AttentionKernels {
    private final int images;
    private final int tokens;
    private final int heads;
    private final int depth;
    private final int padded;
    private final float scale;

    AttentionKernels(int images, int tokens, int heads, int depth) {
        this.images = images;
        this.tokens = tokens;
        this.heads = heads;
        this.depth = depth;
        this.padded = (tokens + LANES - 1) / LANES * LANES;
        this.scale = (float) (1 / Math.sqrt(depth));
    }

    private long panelBytes() {
        return 4L * depth * padded;
    }

    Kernel forward(Stage qkv, Stage y, long logSumExp, Scratch scratch) {
        long keys = scratch.take(panelBytes());
        long values = scratch.take(panelBytes());
        long row = scratch.take(4L * padded);
        int width = 3 * heads * depth;
        return () -> {
            for (int n = 0; n < images; n++) {
                long in = qkv.in(n);
                long out = y.out(n);
                for (int head = 0; head < heads; head++) {
                    transpose(in + 4L * (heads + head) * depth, width, keys, 1);
                    transpose(in + 4L * (2 * heads + head) * depth, width, values, 1);
                    for (int i = 0; i < tokens; i++) {
                        long query = in + 4L * ((long) i * width + head * depth);
                        float sum = weights(query, keys, row, n, head, i, logSumExp);
                        float inverse = 1 / sum;
                        long target = out + 4L * ((long) i * heads * depth + head * depth);
                        for (int d = 0; d < depth; d++) {
                            setFloat(target + 4L * d, dot(row, values + 4L * d * padded) * inverse);
                        }
                    }
                }
                y.done(n);
            }
        };
    }

    /// row[j] = exp(score_ij - max), zero in the padding; returns their sum and stores the log-sum-exp.
    private float weights(long query, long keys, long row, int n, int head, int i, long logSumExp) {
        FloatVector largest = FloatVector.broadcast(Memory.F, Float.NEGATIVE_INFINITY);
        for (int j = 0; j < padded; j += LANES) {
            FloatVector score = scores(query, keys, j);
            store(score, row + 4L * j);
            // The padding holds zeros: a maximum that is too large by them only shifts, it cannot overflow.
            largest = largest.max(score);
        }
        float max = largest.reduceLanes(VectorOperators.MAX);
        FloatVector total = FloatVector.zero(Memory.F);
        for (int j = 0; j < padded; j += LANES) {
            FloatVector weight = VectorMath.exp(load(row + 4L * j).sub(max));
            if (j + LANES > tokens) {
                weight = weight.blend(0, Memory.F.indexInRange(j, tokens).not());
            }
            store(weight, row + 4L * j);
            total = total.add(weight);
        }
        float sum = total.reduceLanes(VectorOperators.ADD);
        setFloat(logSumExp + 4L * (((long) n * heads + head) * tokens + i), max + (float) Math.log(sum));
        return sum;
    }

    private FloatVector scores(long query, long keys, int j) {
        FloatVector score = FloatVector.zero(Memory.F);
        for (int d = 0; d < depth; d++) {
            score = load(keys + 4L * ((long) d * padded + j))
                    .fma(FloatVector.broadcast(Memory.F, getFloat(query + 4L * d)), score);
        }
        return score.mul(scale);
    }

    private float dot(long a, long b) {
        FloatVector total = FloatVector.zero(Memory.F);
        for (int j = 0; j < padded; j += LANES) {
            total = load(a + 4L * j).fma(load(b + 4L * j), total);
        }
        return total.reduceLanes(VectorOperators.ADD);
    }

    /// [T, depth] with `stride` floats between tokens to [depth, padded], zeros behind the last token.
    private void transpose(long from, int stride, long to, float factor) {
        for (int d = 0; d < depth; d++) {
            long out = to + 4L * d * padded;
            for (int t = 0; t < tokens; t++) {
                setFloat(out + 4L * t, getFloat(from + 4L * ((long) t * stride + d)) * factor);
            }
            for (int t = tokens; t < padded; t++) {
                setFloat(out + 4L * t, 0);
            }
        }
    }

    private void transposeBack(long from, long to, int stride) {
        for (int d = 0; d < depth; d++) {
            long in = from + 4L * d * padded;
            for (int t = 0; t < tokens; t++) {
                setFloat(to + 4L * ((long) t * stride + d), getFloat(in + 4L * t));
            }
        }
    }

    /// With p_ij = exp(scale q_i k_j - lse_i) and ds_ij = p_ij (dy_i v_j - dy_i y_i): dv_j = sum_i p_ij dy_i,
    /// dq_i = scale sum_j ds_ij k_j, dk_j = scale sum_i ds_ij q_i.
    Kernel backward(Stage dy, Stage qkv, Stage y, long logSumExp, Stage dqkv, Scratch scratch) {
        long keys = scratch.take(panelBytes());
        long values = scratch.take(panelBytes());
        long dkeys = scratch.take(panelBytes());
        long dvalues = scratch.take(panelBytes());
        long row = scratch.take(4L * padded);
        int width = 3 * heads * depth;
        return () -> {
            for (int n = 0; n < images; n++) {
                long in = qkv.in(n);
                long dyAt = dy.in(n);
                long yAt = y.in(n);
                long out = dqkv.out(n);
                for (int head = 0; head < heads; head++) {
                    transpose(in + 4L * (heads + head) * depth, width, keys, 1);
                    transpose(in + 4L * (2 * heads + head) * depth, width, values, 1);
                    Memory.zero(dkeys, panelBytes());
                    Memory.zero(dvalues, panelBytes());
                    for (int i = 0; i < tokens; i++) {
                        long at = 4L * ((long) i * heads * depth + head * depth);
                        long query = 4L * ((long) i * width + head * depth);
                        float lse = getFloat(logSumExp + 4L * (((long) n * heads + head) * tokens + i));
                        backwardRow(
                                in + query, dyAt + at, yAt + at, lse, keys, values, dkeys, dvalues, row, out + query);
                    }
                    transposeBack(dkeys, out + 4L * (heads + head) * depth, width);
                    transposeBack(dvalues, out + 4L * (2 * heads + head) * depth, width);
                }
                dqkv.done(n);
            }
        };
    }

    private void backwardRow(
            long query,
            long dy,
            long y,
            float lse,
            long keys,
            long values,
            long dkeys,
            long dvalues,
            long row,
            long dquery) {
        float delta = 0;
        for (int d = 0; d < depth; d++) {
            delta = Math.fma(getFloat(dy + 4L * d), getFloat(y + 4L * d), delta);
        }
        for (int j = 0; j < padded; j += LANES) {
            FloatVector p = VectorMath.exp(scores(query, keys, j).sub(lse));
            if (j + LANES > tokens) {
                p = p.blend(0, Memory.F.indexInRange(j, tokens).not());
            }
            FloatVector dp = FloatVector.zero(Memory.F);
            for (int d = 0; d < depth; d++) {
                FloatVector g = FloatVector.broadcast(Memory.F, getFloat(dy + 4L * d));
                long at = 4L * ((long) d * padded + j);
                dp = load(values + at).fma(g, dp);
                store(p.fma(g, load(dvalues + at)), dvalues + at);
            }
            FloatVector ds = p.mul(dp.sub(delta)).mul(scale);
            for (int d = 0; d < depth; d++) {
                long at = 4L * ((long) d * padded + j);
                FloatVector q = FloatVector.broadcast(Memory.F, getFloat(query + 4L * d));
                store(ds.fma(q, load(dkeys + at)), dkeys + at);
            }
            store(ds, row + 4L * j);
        }
        for (int d = 0; d < depth; d++) {
            setFloat(dquery + 4L * d, dot(row, keys + 4L * d * padded));
        }
    }
}
