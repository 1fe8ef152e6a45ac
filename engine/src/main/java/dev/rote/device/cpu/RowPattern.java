package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.getFloat;
import static dev.rote.device.cpu.Memory.load;
import static dev.rote.device.cpu.Memory.setFloat;
import static dev.rote.device.cpu.Memory.store;

import jdk.incubator.vector.FloatVector;

/// Vector access to rows of C channels for any C: over `period` = lcm(C, lanes) elements the channel of each vector
// lane
/// repeats, so numbers per channel are laid out once over a period and read like data.
final class RowPattern {
    /// Vectors added up in f32 before a second level takes over, so that no sum in f32 is longer than this.
    private static final int BLOCK = 32;

    final int channels;
    final int period;
    final int vectors;

    RowPattern(int channels) {
        this.channels = channels;
        int a = channels;
        int b = LANES;
        while (b != 0) {
            int rest = a % b;
            a = b;
            b = rest;
        }
        this.period = channels / a * LANES;
        this.vectors = period / LANES;
    }

    /// Repeats `perChannel[from ... from + C]` over one period.
    void expand(float[] perChannel, int from, float[] pattern) {
        for (int i = 0, c = 0; i < period; i++) {
            pattern[i] = perChannel[from + c];
            c = c + 1 == channels ? 0 : c + 1;
        }
    }

    /// The same from memory.
    void expand(long perChannel, float[] pattern) {
        for (int i = 0, c = 0; i < period; i++) {
            pattern[i] = getFloat(perChannel + 4L * c);
            c = c + 1 == channels ? 0 : c + 1;
        }
    }

    /// Adds what stands over a period to its channels.
    void fold(double[] pattern, double[] perChannel) {
        for (int i = 0, c = 0; i < period; i++) {
            perChannel[c] += pattern[i];
            c = c + 1 == channels ? 0 : c + 1;
        }
    }

    /// `y = x scale[c] + shift[c]` over `count` elements that begin at channel 0.
    void affine(long x, float[] scale, float[] shift, long y, int count) {
        int begin = 0;
        for (; begin <= count - period; begin += period) {
            for (int v = 0; v < period; v += LANES) {
                long at = 4L * (begin + v);
                FloatVector s = FloatVector.fromArray(Memory.F, scale, v);
                store(load(x + at).fma(s, FloatVector.fromArray(Memory.F, shift, v)), y + at);
            }
        }
        for (int i = begin; i < count; i++) {
            setFloat(y + 4L * i, Math.fma(getFloat(x + 4L * i), scale[i - begin], shift[i - begin]));
        }
    }

    /// `y = x scale[c]`.
    void scale(long x, float[] scale, long y, int count) {
        int begin = 0;
        for (; begin <= count - period; begin += period) {
            for (int v = 0; v < period; v += LANES) {
                long at = 4L * (begin + v);
                store(load(x + at).mul(FloatVector.fromArray(Memory.F, scale, v)), y + at);
            }
        }
        for (int i = begin; i < count; i++) {
            setFloat(y + 4L * i, getFloat(x + 4L * i) * scale[i - begin]);
        }
    }

    /// `y = x + shift[c]`.
    void add(long x, float[] shift, long y, int count) {
        int begin = 0;
        for (; begin <= count - period; begin += period) {
            for (int v = 0; v < period; v += LANES) {
                long at = 4L * (begin + v);
                store(load(x + at).add(FloatVector.fromArray(Memory.F, shift, v)), y + at);
            }
        }
        for (int i = begin; i < count; i++) {
            setFloat(y + 4L * i, getFloat(x + 4L * i) + shift[i - begin]);
        }
    }

    /// `sums[i] += sum of x - center[c]` over a period's positions; sums of at most 32 terms in f32, then f64.
    void sum(long x, float[] center, int count, double[] sums) {
        for (int v = 0; v < period; v += LANES) {
            FloatVector mean = FloatVector.fromArray(Memory.F, center, v);
            int begin = v;
            int last = count - period + v;
            while (begin <= last) {
                FloatVector total = FloatVector.zero(Memory.F);
                for (int k = 0; k < BLOCK && begin <= last; k++, begin += period) {
                    total = total.add(load(x + 4L * begin).sub(mean));
                }
                for (int lane = 0; lane < LANES; lane++) {
                    sums[v + lane] += total.lane(lane);
                }
            }
        }
        for (int i = count - count % period; i < count; i++) {
            int p = i % period;
            sums[p] += getFloat(x + 4L * i) - center[p];
        }
    }

    /// `sums[i] += sum of (x - center[c])^2`.
    void sumSquares(long x, float[] center, int count, double[] sums) {
        for (int v = 0; v < period; v += LANES) {
            FloatVector mean = FloatVector.fromArray(Memory.F, center, v);
            int begin = v;
            int last = count - period + v;
            while (begin <= last) {
                FloatVector total = FloatVector.zero(Memory.F);
                for (int k = 0; k < BLOCK && begin <= last; k++, begin += period) {
                    FloatVector d = load(x + 4L * begin).sub(mean);
                    total = d.fma(d, total);
                }
                for (int lane = 0; lane < LANES; lane++) {
                    sums[v + lane] += total.lane(lane);
                }
            }
        }
        for (int i = count - count % period; i < count; i++) {
            int p = i % period;
            float d = getFloat(x + 4L * i) - center[p];
            sums[p] += (double) d * d;
        }
    }

    /// `sums[i] += sum of x z`.
    void sumProducts(long x, long z, int count, double[] sums) {
        for (int v = 0; v < period; v += LANES) {
            int begin = v;
            int last = count - period + v;
            while (begin <= last) {
                FloatVector total = FloatVector.zero(Memory.F);
                for (int k = 0; k < BLOCK && begin <= last; k++, begin += period) {
                    total = load(x + 4L * begin).fma(load(z + 4L * begin), total);
                }
                for (int lane = 0; lane < LANES; lane++) {
                    sums[v + lane] += total.lane(lane);
                }
            }
        }
        for (int i = count - count % period; i < count; i++) {
            sums[i % period] += (double) getFloat(x + 4L * i) * getFloat(z + 4L * i);
        }
    }
}
