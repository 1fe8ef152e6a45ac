package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.getFloat;
import static dev.rote.device.cpu.Memory.setFloat;

/// Vector access to rows of C channels for any C: over `period` = lcm(C, lanes) elements the channel of each vector
/// lane
/// repeats, so numbers per channel are laid out once over a period and read like data.
final class RowPattern {
    /// Vectors added up in f32 before a second level takes over, so that no sum in f32 is longer than this.
    private static final int BLOCK = 32;

    final int channels;
    final int period;
    private final float[] block;

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
        this.block = new float[period];
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

    /// Elements in whole periods.
    int whole(int count) {
        return count - count % period;
    }

    /// `y = x scale[c] + shift[c]` over `count` elements that begin at channel 0.
    void affine(long x, float[] scale, float[] shift, long y, int count) {
        int whole = whole(count);
        for (int v = 0; v < period; v += LANES) {
            ColumnMath.affine(x, scale, shift, y, v, period, whole);
        }
        for (int i = whole; i < count; i++) {
            setFloat(y + 4L * i, Math.fma(getFloat(x + 4L * i), scale[i - whole], shift[i - whole]));
        }
    }

    /// `sums[i] += sum of x - center[c]` over a period's positions; sums of at most 32 terms in f32, then f64.
    void sum(long x, float[] center, int count, double[] sums) {
        int whole = whole(count);
        for (int begin = 0; begin < whole; begin += BLOCK * period) {
            int end = Math.min(whole, begin + BLOCK * period);
            for (int v = 0; v < period; v += LANES) {
                ColumnMath.sum(x, center, block, v, begin + v, period, end);
            }
            addTo(sums, block);
        }
        for (int i = whole; i < count; i++) {
            sums[i - whole] += getFloat(x + 4L * i) - center[i - whole];
        }
    }

    /// `sums[i] += sum of (x - center[c])^2`.
    void sumSquares(long x, float[] center, int count, double[] sums) {
        int whole = whole(count);
        for (int begin = 0; begin < whole; begin += BLOCK * period) {
            int end = Math.min(whole, begin + BLOCK * period);
            for (int v = 0; v < period; v += LANES) {
                ColumnMath.sumSquares(x, center, block, v, begin + v, period, end);
            }
            addTo(sums, block);
        }
        for (int i = whole; i < count; i++) {
            float d = getFloat(x + 4L * i) - center[i - whole];
            sums[i - whole] += (double) d * d;
        }
    }

    /// `sums[i] += sum of z (x - center[c])`.
    void sumProducts(long z, long x, float[] center, int count, double[] sums) {
        int whole = whole(count);
        for (int begin = 0; begin < whole; begin += BLOCK * period) {
            int end = Math.min(whole, begin + BLOCK * period);
            for (int v = 0; v < period; v += LANES) {
                ColumnMath.sumProducts(z, x, center, block, v, begin + v, period, end);
            }
            addTo(sums, block);
        }
        for (int i = whole; i < count; i++) {
            sums[i - whole] += (double) getFloat(z + 4L * i) * (getFloat(x + 4L * i) - center[i - whole]);
        }
    }

    private static void addTo(double[] sums, float[] block) {
        for (int i = 0; i < sums.length; i++) {
            sums[i] += block[i];
        }
    }
}
