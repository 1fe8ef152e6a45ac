package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.getFloat;
import static dev.rote.device.cpu.Memory.setFloat;
import static dev.rote.device.cpu.PanelProduct.PAIR;

import java.util.Arrays;

/// Multi-head attention, one head of one image at a time, from copies on the heap.
///
/// Forward, vectors run along queries: sums over keys need no sum across a vector. Backward, they run along keys, so
/// that the gradients of keys and values need none; for the gradient of queries they run along channels. Either way the
/// scores of a strip ([PanelProduct]) stay in the first-level cache (32 KiB at 256 tokens). They are kept in units of
/// ln 2, so that the softmax is one of powers of 2.
final class AttentionKernels {
    /// Queries at a time in the backward direction: two blocks of scores, 16 KiB together.
    private static final int CHUNK = 64;

    private static final float LN2 = (float) Math.log(2);

    private final int images;
    private final int tokens;
    private final int heads;
    private final int depth;
    /// Tokens, filled up with zeros to whole strips.
    private final int padded;

    private final int paddedDepth;
    private final int width;
    private final float scale;

    /// Of queries whose products with keys are exponents of 2.
    private final float powerScale;

    AttentionKernels(int images, int tokens, int heads, int depth) {
        this.images = images;
        this.tokens = tokens;
        this.heads = heads;
        this.depth = depth;
        this.padded = up(tokens, PAIR);
        this.paddedDepth = up(depth, PanelProduct.ROWS);
        this.width = 3 * heads * depth;
        this.scale = (float) (1 / Math.sqrt(depth));
        this.powerScale = (float) (1 / Math.sqrt(depth) / Math.log(2));
    }

    private static int up(int count, int unit) {
        return (count + unit - 1) / unit * unit;
    }

    /// Room for the tokens in any layout, filled up with zeros.
    private float[] panel() {
        return new float[padded * paddedDepth];
    }

    private long row(int token, int head) {
        return 4L * ((long) token * heads + head) * depth;
    }

    Kernel forward(Stage qkv, Stage y, long logSumExp) {
        float[] rows = panel();
        float[] queries = panel();
        float[] keys = panel();
        float[] values = panel();
        float[] p = new float[padded * PAIR];
        float[] result = new float[paddedDepth * PAIR];
        float[] largest = new float[PAIR];
        float[] sums = new float[PAIR];
        int keyRows = up(tokens, PanelProduct.ROWS);
        return () -> {
            for (int n = 0; n < images; n++) {
                long in = qkv.in(n);
                long out = y.out(n);
                for (int head = 0; head < heads; head++) {
                    PanelMoves.rows(in + row(0, head), width, tokens, depth, powerScale, rows);
                    PanelMoves.strips(rows, tokens, depth, queries);
                    PanelMoves.rows(in + row(0, heads + head), width, tokens, depth, 1, rows);
                    PanelMoves.fours(rows, tokens, depth, keys);
                    PanelMoves.rows(in + row(0, 2 * heads + head), width, tokens, depth, 1, rows);
                    PanelMoves.byDepth(rows, 0, tokens, depth, values, 0);
                    long lse = logSumExp + 4L * ((long) n * heads + head) * tokens;
                    for (int i = 0; i < tokens; i += PAIR) {
                        PanelProduct.rows(keys, 0, queries, i * depth, p, keyRows, depth);
                        RowMath.columnMax(p, tokens, largest);
                        RowMath.columnExp2(p, tokens, largest, sums);
                        Arrays.fill(result, 0);
                        PanelProduct.add(values, 0, p, result, paddedDepth, tokens);
                        int count = Math.min(PAIR, tokens - i);
                        normalise(largest, sums, lse + 4L * i, count);
                        PanelMoves.fromStrip(result, count, depth, sums, out + row(i, head), heads * depth);
                    }
                }
                y.done(n);
            }
        };
    }

    /// Writes ln(2^max sum), and turns the sums into the factors of their rows.
    private static void normalise(float[] largest, float[] sums, long lse, int count) {
        for (int i = 0; i < count; i++) {
            setFloat(lse + 4L * i, (float) (largest[i] * Math.log(2) + Math.log(sums[i])));
            sums[i] = 1 / sums[i];
        }
    }

    /// With p_ij = exp(scale q_i k_j - lse_i), a power of 2, and ds_ij = p_ij (dy_i v_j - dy_i y_i):
    /// dv_j = sum_i p_ij dy_i, dq_i = scale sum_j ds_ij k_j, dk_j = scale sum_i ds_ij q_i.
    Kernel backward(Stage dy, Stage qkv, Stage y, long logSumExp, Stage dqkv) {
        return new Backward(dy, qkv, y, logSumExp, dqkv);
    }

    private final class Backward implements Kernel {
        private final Stage dy;
        private final Stage qkv;
        private final Stage y;
        private final long logSumExp;
        private final Stage dqkv;

        private final float[] rows = panel();
        private final float[] queries = panel();
        private final float[] queriesByDepth = panel();
        private final float[] g = panel();
        private final float[] gByDepth = panel();
        private final float[] keys = panel();
        private final float[] values = panel();
        private final float[] keyVectors = new float[up(depth, LANES) * padded];
        private final float[] dqueries = new float[up(depth, LANES) * padded];
        private final float[] dkeys = new float[paddedDepth * PAIR];
        private final float[] dvalues = new float[paddedDepth * PAIR];
        private final float[] keyFactors = new float[PAIR];
        private final float[] valueFactors = new float[PAIR];
        private final float[] lse = new float[padded];
        private final float[] shift = new float[padded];
        private final float[] p = new float[CHUNK * PAIR];
        private final float[] slope = new float[CHUNK * PAIR];

        Backward(Stage dy, Stage qkv, Stage y, long logSumExp, Stage dqkv) {
            this.dy = dy;
            this.qkv = qkv;
            this.y = y;
            this.logSumExp = logSumExp;
            this.dqkv = dqkv;
            Arrays.fill(keyFactors, LN2);
            Arrays.fill(valueFactors, 1);
        }

        @Override
        public void run() {
            for (int n = 0; n < images; n++) {
                long in = qkv.in(n);
                long dyAt = dy.in(n);
                long yAt = y.in(n);
                long out = dqkv.out(n);
                for (int head = 0; head < heads; head++) {
                    read(in, dyAt, yAt, n, head);
                    Arrays.fill(dqueries, 0);
                    for (int j = 0; j < tokens; j += PAIR) {
                        Arrays.fill(dkeys, 0);
                        Arrays.fill(dvalues, 0);
                        for (int i = 0; i < tokens; i += CHUNK) {
                            add(i, j);
                        }
                        int count = Math.min(PAIR, tokens - j);
                        long at = out + 4L * j * width;
                        PanelMoves.fromStrip(dkeys, count, depth, keyFactors, at + row(0, heads + head), width);
                        PanelMoves.fromStrip(dvalues, count, depth, valueFactors, at + row(0, 2 * heads + head), width);
                    }
                    PanelMoves.fromVectors(dqueries, padded, tokens, depth, scale, out + row(0, head), width);
                }
                dqkv.done(n);
            }
        }

        private void read(long in, long dyAt, long yAt, int n, int head) {
            PanelMoves.rows(in + row(0, head), width, tokens, depth, powerScale, rows);
            PanelMoves.fours(rows, tokens, depth, queries);
            byDepth(queriesByDepth);
            PanelMoves.rows(dyAt + row(0, head), heads * depth, tokens, depth, 1, rows);
            PanelMoves.fours(rows, tokens, depth, g);
            byDepth(gByDepth);
            for (int i = 0; i < tokens; i += PanelProduct.ROWS) {
                dots(rows, i, yAt, head);
            }
            long sums = logSumExp + 4L * ((long) n * heads + head) * tokens;
            for (int i = 0; i < tokens; i++) {
                lse[i] = (float) (getFloat(sums + 4L * i) / Math.log(2));
            }
            PanelMoves.rows(in + row(0, heads + head), width, tokens, depth, 1, rows);
            PanelMoves.strips(rows, tokens, depth, keys);
            PanelMoves.vectors(rows, tokens, depth, keyVectors, padded);
            PanelMoves.rows(in + row(0, 2 * heads + head), width, tokens, depth, 1, rows);
            PanelMoves.strips(rows, tokens, depth, values);
        }

        private void byDepth(float[] to) {
            for (int i = 0; i < tokens; i += CHUNK) {
                PanelMoves.byDepth(rows, i, Math.min(CHUNK, tokens - i), depth, to, i * paddedDepth);
            }
        }

        /// shift = x y of four tokens from i on; those that are not there repeat the last one.
        private void dots(float[] x, int i, long yAt, int head) {
            int last = tokens - 1;
            int second = Math.min(i + 1, last);
            int third = Math.min(i + 2, last);
            int fourth = Math.min(i + 3, last);
            long y0 = yAt + row(i, head);
            long y1 = yAt + row(second, head);
            long y2 = yAt + row(third, head);
            long y3 = yAt + row(fourth, head);
            float s0 = 0;
            float s1 = 0;
            float s2 = 0;
            float s3 = 0;
            for (int d = 0; d < depth; d++) {
                s0 = Math.fma(x[i * depth + d], getFloat(y0 + 4L * d), s0);
                s1 = Math.fma(x[second * depth + d], getFloat(y1 + 4L * d), s1);
                s2 = Math.fma(x[third * depth + d], getFloat(y2 + 4L * d), s2);
                s3 = Math.fma(x[fourth * depth + d], getFloat(y3 + 4L * d), s3);
            }
            shift[i] = s0;
            shift[second] = s1;
            shift[third] = s2;
            shift[fourth] = s3;
        }

        /// A chunk of queries from i on with a strip of keys from j on.
        private void add(int i, int j) {
            int count = Math.min(CHUNK, tokens - i);
            int filled = up(count, PanelProduct.NARROW_ROWS);
            PanelProduct.rows(queries, i * depth, keys, j * depth, p, filled, depth);
            PanelProduct.rows(g, i * depth, values, j * depth, slope, filled, depth);
            RowMath.softmaxSlope(p, slope, count, lse, shift, i);
            for (int key = tokens - j; key < PAIR; key++) {
                // A padded key's weight may be anything.
                for (int r = 0; r < count; r++) {
                    p[r * PAIR + key] = 0;
                    slope[r * PAIR + key] = 0;
                }
            }
            PanelProduct.add(gByDepth, i * paddedDepth, p, dvalues, paddedDepth, count);
            PanelProduct.add(queriesByDepth, i * paddedDepth, slope, dkeys, paddedDepth, count);
            for (int d = 0; d < depth; d += LANES) {
                PanelProduct.narrow(
                        slope, keyVectors, d * padded + j * LANES, dqueries, d * padded + i * LANES, filled);
            }
        }
    }
}
