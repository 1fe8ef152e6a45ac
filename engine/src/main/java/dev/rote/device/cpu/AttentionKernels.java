package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.getFloat;
import static dev.rote.device.cpu.Memory.setFloat;

import java.util.Arrays;

/// Multi-head attention, one head of one image at a time, from copies on the heap.
///
/// Forward, vectors run along queries: sums over keys need no sum across a vector. Backward, they run along keys, so
/// that the gradients of keys and values need none; only the gradient of a query does. Either way the scores of a block
/// of queries stay in the first-level cache (32 KiB at 256 tokens).
final class AttentionKernels {
    /// Queries at a time in the backward direction: two blocks of scores.
    private static final int BLOCK = 16;

    private final int images;
    private final int tokens;
    private final int heads;
    private final int depth;
    /// Tokens and depth, filled up with zeros to whole blocks.
    private final int padded;

    private final int paddedDepth;
    private final int width;
    private final float scale;

    AttentionKernels(int images, int tokens, int heads, int depth) {
        this.images = images;
        this.tokens = tokens;
        this.heads = heads;
        this.depth = depth;
        this.padded = up(tokens, Math.max(BLOCK, PanelProduct.COLUMNS));
        this.paddedDepth = up(depth, PanelProduct.ROWS);
        this.width = 3 * heads * depth;
        this.scale = (float) (1 / Math.sqrt(depth));
    }

    private static int up(int count, int unit) {
        return (count + unit - 1) / unit * unit;
    }

    /// [D,T] or [T,D], padded.
    private float[] panel() {
        return new float[paddedDepth * padded];
    }

    private long row(int token, int head) {
        return 4L * ((long) token * heads + head) * depth;
    }

    Kernel forward(Stage qkv, Stage y, long logSumExp) {
        int block = PanelProduct.COLUMNS;
        float[] queries = panel();
        float[] keys = panel();
        float[] values = panel();
        float[] p = new float[padded * block];
        float[] result = new float[paddedDepth * block];
        float[] largest = new float[block];
        float[] sums = new float[block];
        int keyRows = up(tokens, PanelProduct.ROWS);
        var scores = new PanelProduct(keys, padded, 1, queries, padded, p, block, keyRows, block, depth, false);
        var outputs =
                new PanelProduct(values, paddedDepth, 1, p, block, result, block, paddedDepth, block, tokens, false);
        return () -> {
            for (int n = 0; n < images; n++) {
                long in = qkv.in(n);
                long out = y.out(n);
                for (int head = 0; head < heads; head++) {
                    columns(in + row(0, head), width, tokens, depth, scale, queries, padded);
                    columns(in + row(0, heads + head), width, tokens, depth, 1, keys, padded);
                    rows(in + row(0, 2 * heads + head), width, tokens, depth, 1, values, paddedDepth);
                    long lse = logSumExp + 4L * ((long) n * heads + head) * tokens;
                    for (int i = 0; i < tokens; i += block) {
                        scores.run(0, i);
                        for (int v = 0; v < block; v += LANES) {
                            RowMath.columnMax(p, v, block, tokens, largest);
                            RowMath.columnExp(p, v, block, tokens, largest, sums);
                        }
                        outputs.run(0, 0);
                        int count = Math.min(block, tokens - i);
                        normalise(largest, sums, lse + 4L * i, count);
                        writeScaled(result, block, sums, out + row(i, head), heads * depth, count, depth);
                    }
                }
                y.done(n);
            }
        };
    }

    /// Writes max + ln(sum), and turns the sums into the factors of their rows.
    private static void normalise(float[] largest, float[] sums, long lse, int count) {
        for (int i = 0; i < count; i++) {
            setFloat(lse + 4L * i, largest[i] + (float) Math.log(sums[i]));
            sums[i] = 1 / sums[i];
        }
    }

    /// With p_ij = exp(scale q_i k_j - lse_i) and ds_ij = p_ij (dy_i v_j - dy_i y_i): dv_j = sum_i p_ij dy_i,
    /// dq_i = scale sum_j ds_ij k_j, dk_j = scale sum_i ds_ij q_i.
    Kernel backward(Stage dy, Stage qkv, Stage y, long logSumExp, Stage dqkv) {
        float[] queries = panel();
        float[] keys = panel();
        float[] values = panel();
        float[] g = panel();
        float[] dkeys = panel();
        float[] dvalues = panel();
        float[] dquery = new float[paddedDepth];
        float[] lanes = new float[PanelProduct.ROWS * LANES];
        float[] p = new float[BLOCK * padded];
        float[] slope = new float[BLOCK * padded];
        var scores = new PanelProduct(queries, 1, paddedDepth, keys, padded, p, padded, BLOCK, padded, depth, false);
        var slopes = new PanelProduct(g, 1, paddedDepth, values, padded, slope, padded, BLOCK, padded, depth, false);
        var toValues =
                new PanelProduct(g, paddedDepth, 1, p, padded, dvalues, padded, paddedDepth, padded, BLOCK, true);
        var toKeys = new PanelProduct(
                queries, paddedDepth, 1, slope, padded, dkeys, padded, paddedDepth, padded, BLOCK, true);
        return () -> {
            for (int n = 0; n < images; n++) {
                long in = qkv.in(n);
                long dyAt = dy.in(n);
                long yAt = y.in(n);
                long out = dqkv.out(n);
                for (int head = 0; head < heads; head++) {
                    rows(in + row(0, head), width, tokens, depth, scale, queries, paddedDepth);
                    columns(in + row(0, heads + head), width, tokens, depth, 1, keys, padded);
                    columns(in + row(0, 2 * heads + head), width, tokens, depth, 1, values, padded);
                    rows(dyAt + row(0, head), heads * depth, tokens, depth, 1, g, paddedDepth);
                    Arrays.fill(dkeys, 0);
                    Arrays.fill(dvalues, 0);
                    long lse = logSumExp + 4L * ((long) n * heads + head) * tokens;
                    for (int i = 0; i < tokens; i += BLOCK) {
                        scores.run(i * paddedDepth, 0);
                        slopes.run(i * paddedDepth, 0);
                        int count = Math.min(BLOCK, tokens - i);
                        for (int r = 0; r < BLOCK; r++) {
                            boolean real = r < count;
                            float shift = real ? dot(g, (i + r) * paddedDepth, yAt + row(i + r, head), depth) : 0;
                            float logSum = real ? getFloat(lse + 4L * (i + r)) : 0;
                            RowMath.softmaxSlope(p, slope, r * padded, padded, logSum, shift);
                            // A padded key's weight could overflow.
                            Arrays.fill(p, r * padded + tokens, (r + 1) * padded, 0);
                            Arrays.fill(slope, r * padded + tokens, (r + 1) * padded, 0);
                        }
                        toValues.run(i * paddedDepth, 0);
                        toKeys.run(i * paddedDepth, 0);
                        for (int r = 0; r < count; r++) {
                            for (int d = 0; d < depth; d += PanelProduct.ROWS) {
                                RowMath.fourDots(slope, r * padded, keys, d, padded, lanes, dquery);
                            }
                            write(dquery, scale, out + 4L * (i + r) * width + row(0, head), depth);
                        }
                    }
                    writeColumns(dkeys, padded, out + row(0, heads + head), width, tokens, depth);
                    writeColumns(dvalues, padded, out + row(0, 2 * heads + head), width, tokens, depth);
                }
                dqkv.done(n);
            }
        };
    }

    private static float dot(float[] x, int from, long y, int depth) {
        float sum = 0;
        for (int d = 0; d < depth; d++) {
            sum = Math.fma(x[from + d], getFloat(y + 4L * d), sum);
        }
        return sum;
    }

    /// [T,D] with `stride` floats between tokens to [D, padded].
    private static void columns(long from, int stride, int tokens, int depth, float factor, float[] to, int padded) {
        for (int t = 0; t < tokens; t++) {
            long at = from + 4L * t * stride;
            for (int d = 0; d < depth; d++) {
                to[d * padded + t] = getFloat(at + 4L * d) * factor;
            }
        }
    }

    /// The same to [T, paddedDepth].
    private static void rows(long from, int stride, int tokens, int depth, float factor, float[] to, int paddedDepth) {
        for (int t = 0; t < tokens; t++) {
            long at = from + 4L * t * stride;
            for (int d = 0; d < depth; d++) {
                to[t * paddedDepth + d] = getFloat(at + 4L * d) * factor;
            }
        }
    }

    private static void writeColumns(float[] from, int padded, long to, int stride, int tokens, int depth) {
        for (int t = 0; t < tokens; t++) {
            long at = to + 4L * t * stride;
            for (int d = 0; d < depth; d++) {
                setFloat(at + 4L * d, from[d * padded + t]);
            }
        }
    }

    private static void writeScaled(
            float[] from, int padded, float[] factors, long to, int stride, int tokens, int depth) {
        for (int t = 0; t < tokens; t++) {
            long at = to + 4L * t * stride;
            for (int d = 0; d < depth; d++) {
                setFloat(at + 4L * d, from[d * padded + t] * factors[t]);
            }
        }
    }

    private static void write(float[] from, float factor, long to, int depth) {
        for (int d = 0; d < depth; d++) {
            setFloat(to + 4L * d, from[d] * factor);
        }
    }
}
