package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.F;
import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.PanelProduct.PAIR;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// Loops over rows of floats on the heap, each a method of its own with nothing but vector operations inside: the
/// just-in-time compiler stops inlining in larger ones and then allocates every vector. It drops the checks of bounds
/// where a loop advances by a constant, so rows are as long as a vector or two, or are taken whole.
///
/// Counts are multiples of the vector length; rows are padded. [VectorMath#exp2] stands in each loop that needs it: a
/// call that returns a vector may not be inlined. Bounds are set by comparison and choice, two instructions; `min` and
/// `max` of Java order zeros and NaN and take seven.
final class RowMath {
    private RowMath() {}

    /// `largest[lane] = max over rows r of x[r PAIR + lane]`, without NaN.
    static void columnMax(float[] x, int rows, float[] largest) {
        FloatVector a = FloatVector.fromArray(F, x, 0);
        FloatVector b = FloatVector.fromArray(F, x, LANES);
        FloatVector c = a;
        FloatVector d = b;
        // Two rows at a time: a comparison and a choice take longer to follow each other than to run.
        for (int i = rows % 2 * PAIR; i < rows * PAIR; i += 2 * PAIR) {
            FloatVector found = FloatVector.fromArray(F, x, i);
            a = a.blend(found, found.compare(VectorOperators.GT, a));
            found = FloatVector.fromArray(F, x, i + LANES);
            b = b.blend(found, found.compare(VectorOperators.GT, b));
            found = FloatVector.fromArray(F, x, i + PAIR);
            c = c.blend(found, found.compare(VectorOperators.GT, c));
            found = FloatVector.fromArray(F, x, i + PAIR + LANES);
            d = d.blend(found, found.compare(VectorOperators.GT, d));
        }
        a = a.blend(c, c.compare(VectorOperators.GT, a));
        b = b.blend(d, d.compare(VectorOperators.GT, b));
        a.intoArray(largest, 0);
        b.intoArray(largest, LANES);
    }

    /// `x[r PAIR + lane] = 2^(the same - largest[lane])` and `sums` of them over rows r.
    static void columnExp2(float[] x, int rows, float[] largest, float[] sums) {
        for (int half = 0; half < PAIR; half += LANES) {
            FloatVector max = FloatVector.fromArray(F, largest, half);
            FloatVector sum = FloatVector.zero(F);
            for (int i = 0; i < rows * PAIR; i += PAIR) {
                FloatVector d = FloatVector.fromArray(F, x, i + half).sub(max);
                d = d.blend(VectorMath.LOWEST_POWER, d.compare(VectorOperators.LT, VectorMath.LOWEST_POWER));
                FloatVector t = d.add(VectorMath.ROUND);
                d = d.sub(t.sub(VectorMath.ROUND));
                FloatVector p = d.fma(FloatVector.broadcast(F, VectorMath.P6), FloatVector.broadcast(F, VectorMath.P5));
                p = p.fma(d, FloatVector.broadcast(F, VectorMath.P4));
                p = p.fma(d, FloatVector.broadcast(F, VectorMath.P3));
                p = p.fma(d, FloatVector.broadcast(F, VectorMath.P2));
                p = p.fma(d, FloatVector.broadcast(F, VectorMath.P1));
                p = p.fma(d, FloatVector.broadcast(F, 1));
                p = p.mul(t.reinterpretAsInts()
                        .add(127)
                        .lanewise(VectorOperators.LSHL, 23)
                        .reinterpretAsFloats());
                sum = sum.add(p);
                p.intoArray(x, i + half);
            }
            sum.intoArray(sums, half);
        }
    }

    /// Strips of the softmax and of its slope, a query a row: `x = 2^(x - lse[row])`, `slope = x (slope - shift[row])`.
    /// What lies more than 127 above lse comes out as no number in particular.
    ///
    /// @param first row of lse and shift that belongs to the first one of the strips
    static void softmaxSlope(float[] x, float[] slope, int rows, float[] lse, float[] shift, int first) {
        for (int r = 0; r < rows; r++) {
            for (int i = r * PAIR; i < (r + 1) * PAIR; i += LANES) {
                FloatVector d = FloatVector.fromArray(F, x, i).sub(lse[first + r]);
                d = d.blend(VectorMath.LOWEST_POWER, d.compare(VectorOperators.LT, VectorMath.LOWEST_POWER));
                FloatVector t = d.add(VectorMath.ROUND);
                d = d.sub(t.sub(VectorMath.ROUND));
                FloatVector p = d.fma(FloatVector.broadcast(F, VectorMath.P6), FloatVector.broadcast(F, VectorMath.P5));
                p = p.fma(d, FloatVector.broadcast(F, VectorMath.P4));
                p = p.fma(d, FloatVector.broadcast(F, VectorMath.P3));
                p = p.fma(d, FloatVector.broadcast(F, VectorMath.P2));
                p = p.fma(d, FloatVector.broadcast(F, VectorMath.P1));
                p = p.fma(d, FloatVector.broadcast(F, 1));
                p = p.mul(t.reinterpretAsInts()
                        .add(127)
                        .lanewise(VectorOperators.LSHL, 23)
                        .reinterpretAsFloats());
                p.intoArray(x, i);
                FloatVector.fromArray(F, slope, i).sub(shift[first + r]).mul(p).intoArray(slope, i);
            }
        }
    }
}
