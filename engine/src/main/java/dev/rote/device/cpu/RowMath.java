package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.F;
import static dev.rote.device.cpu.Memory.LANES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// Loops over rows of floats on the heap, each a method of its own with nothing but vector operations inside: the
/// just-in-time compiler stops inlining in larger ones and then allocates every vector.
///
/// Counts are multiples of the vector length; rows are padded. The exponential stands in each loop that needs it, as
/// [VectorMath#exp] without its upper bound: a call that returns a vector may not be inlined. Bounds are set by
/// comparison and choice, two instructions; `min` and `max` of Java order zeros and NaN and take seven.
final class RowMath {
    private RowMath() {}

    /// `largest[v + lane] = max over rows r of x[r stride + v + lane]`, without NaN.
    static void columnMax(float[] x, int v, int stride, int rows, float[] largest) {
        FloatVector max = FloatVector.fromArray(F, x, v);
        for (int r = 1; r < rows; r++) {
            FloatVector found = FloatVector.fromArray(F, x, r * stride + v);
            max = max.blend(found, found.compare(VectorOperators.GT, max));
        }
        max.intoArray(largest, v);
    }

    /// `x[r stride + v + lane] = exp(the same - largest[v + lane])` and `sums` of them over r.
    static void columnExp(float[] x, int v, int stride, int rows, float[] largest, float[] sums) {
        FloatVector max = FloatVector.fromArray(F, largest, v);
        FloatVector sum = FloatVector.zero(F);
        for (int r = 0; r < rows; r++) {
            FloatVector d = FloatVector.fromArray(F, x, r * stride + v).sub(max);
            d = d.blend(VectorMath.LOWEST, d.compare(VectorOperators.LT, VectorMath.LOWEST));
            FloatVector t = d.mul(VectorMath.LOG2_E).add(VectorMath.ROUND);
            FloatVector k = t.sub(VectorMath.ROUND);
            d = k.fma(FloatVector.broadcast(F, -VectorMath.LN2_HIGH), d);
            d = k.fma(FloatVector.broadcast(F, -VectorMath.LN2_LOW), d);
            FloatVector p = d.mul(VectorMath.E6).add(VectorMath.E5);
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E4));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E3));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E2));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E1));
            p = p.fma(d.mul(d), d.add(1));
            p = p.mul(t.reinterpretAsInts()
                    .add(127)
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats());
            sum = sum.add(p);
            p.intoArray(x, r * stride + v);
        }
        sum.intoArray(sums, v);
    }

    /// A row of the softmax and of its slope: `p = exp(p - lse)`, `slope = p (slope - shift)`.
    static void softmaxSlope(float[] p, float[] slope, int from, int count, float lse, float shift) {
        for (int j = from; j < from + count; j += LANES) {
            FloatVector d = FloatVector.fromArray(F, p, j).sub(lse);
            d = d.blend(VectorMath.LOWEST, d.compare(VectorOperators.LT, VectorMath.LOWEST));
            d = d.blend(VectorMath.HIGHEST, d.compare(VectorOperators.GT, VectorMath.HIGHEST));
            FloatVector t = d.mul(VectorMath.LOG2_E).add(VectorMath.ROUND);
            FloatVector k = t.sub(VectorMath.ROUND);
            d = k.fma(FloatVector.broadcast(F, -VectorMath.LN2_HIGH), d);
            d = k.fma(FloatVector.broadcast(F, -VectorMath.LN2_LOW), d);
            FloatVector e = d.mul(VectorMath.E6).add(VectorMath.E5);
            e = e.fma(d, FloatVector.broadcast(F, VectorMath.E4));
            e = e.fma(d, FloatVector.broadcast(F, VectorMath.E3));
            e = e.fma(d, FloatVector.broadcast(F, VectorMath.E2));
            e = e.fma(d, FloatVector.broadcast(F, VectorMath.E1));
            e = e.fma(d.mul(d), d.add(1));
            e = e.mul(t.reinterpretAsInts()
                    .add(127)
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats());
            e.intoArray(p, j);
            FloatVector.fromArray(F, slope, j).sub(shift).mul(e).intoArray(slope, j);
        }
    }

    /// `y[m] = sum_j x[from + j] panel[m * stride + j]` for four rows of the panel from `row` on.
    ///
    /// @param lanes scratch of four vectors
    static void fourDots(float[] x, int from, float[] panel, int row, int stride, float[] lanes, float[] y) {
        FloatVector a = FloatVector.zero(F);
        FloatVector b = a;
        FloatVector c = a;
        FloatVector d = a;
        int at = row * stride;
        for (int j = 0; j < stride; j += LANES) {
            FloatVector v = FloatVector.fromArray(F, x, from + j);
            a = v.fma(FloatVector.fromArray(F, panel, at + j), a);
            b = v.fma(FloatVector.fromArray(F, panel, at + stride + j), b);
            c = v.fma(FloatVector.fromArray(F, panel, at + 2 * stride + j), c);
            d = v.fma(FloatVector.fromArray(F, panel, at + 3 * stride + j), d);
        }
        a.intoArray(lanes, 0);
        b.intoArray(lanes, LANES);
        c.intoArray(lanes, 2 * LANES);
        d.intoArray(lanes, 3 * LANES);
        // Not reduceLanes: its order of additions changes when the loop is compiled.
        for (int m = 0; m < 4; m++) {
            float sum = 0;
            for (int lane = m * LANES; lane < (m + 1) * LANES; lane++) {
                sum += lanes[lane];
            }
            y[row + m] = sum;
        }
    }
}
