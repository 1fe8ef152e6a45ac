package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.F;
import static dev.rote.device.cpu.Memory.LANES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Loops over rows of floats on the heap, each a method of its own with nothing but vector operations inside: the
/// just-in-time compiler stops inlining in larger ones and then allocates every vector.
///
/// Counts are multiples of the vector length; rows are padded.
final class RowMath {
    private RowMath() {}

    /// `y[j] = factor * sum_d panel[d * stride + j] * x[from + d]`.
    static void combine(float[] panel, int stride, int depth, float[] x, int from, float factor, float[] y) {
        for (int j = 0; j < stride; j += LANES) {
            FloatVector sum = FloatVector.zero(F);
            for (int d = 0; d < depth; d++) {
                sum = FloatVector.fromArray(F, panel, d * stride + j).fma(FloatVector.broadcast(F, x[from + d]), sum);
            }
            sum.mul(factor).intoArray(y, j);
        }
    }

    static float max(float[] x, int count) {
        FloatVector largest = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
        for (int j = 0; j < count; j += LANES) {
            largest = largest.max(FloatVector.fromArray(F, x, j));
        }
        return largest.reduceLanes(VectorOperators.MAX);
    }

    /// `x[j] = exp(x[j] - shift)`, as [VectorMath#exp].
    static void exp(float[] x, int count, float shift) {
        for (int j = 0; j < count; j += LANES) {
            FloatVector v = FloatVector.fromArray(F, x, j).sub(shift);
            v = v.lanewise(VectorOperators.MIN, 88.3f).lanewise(VectorOperators.MAX, -87.3f);
            FloatVector k = v.mul(VectorMath.LOG2_E).add(VectorMath.ROUND).sub(VectorMath.ROUND);
            FloatVector r = k.fma(FloatVector.broadcast(F, -VectorMath.LN2_HIGH), v);
            r = k.fma(FloatVector.broadcast(F, -VectorMath.LN2_LOW), r);
            FloatVector p = FloatVector.broadcast(F, VectorMath.E6);
            p = p.fma(r, FloatVector.broadcast(F, VectorMath.E5));
            p = p.fma(r, FloatVector.broadcast(F, VectorMath.E4));
            p = p.fma(r, FloatVector.broadcast(F, VectorMath.E3));
            p = p.fma(r, FloatVector.broadcast(F, VectorMath.E2));
            p = p.fma(r, FloatVector.broadcast(F, VectorMath.E1));
            p = p.fma(r.mul(r), r.add(1));
            IntVector exponent = (IntVector) k.convertShape(VectorOperators.F2I, Memory.I, 0);
            p.mul(exponent.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats())
                    .intoArray(x, j);
        }
    }

    static float sum(float[] x, int count) {
        FloatVector total = FloatVector.zero(F);
        for (int j = 0; j < count; j += LANES) {
            total = total.add(FloatVector.fromArray(F, x, j));
        }
        return total.reduceLanes(VectorOperators.ADD);
    }

    static float dot(float[] x, float[] y, int from, int count) {
        FloatVector total = FloatVector.zero(F);
        for (int j = 0; j < count; j += LANES) {
            total = FloatVector.fromArray(F, x, j).fma(FloatVector.fromArray(F, y, from + j), total);
        }
        return total.reduceLanes(VectorOperators.ADD);
    }

    /// `y[from + j] += a x[j]`.
    static void addScaled(float[] y, int from, float[] x, float a, int count) {
        FloatVector factor = FloatVector.broadcast(F, a);
        for (int j = 0; j < count; j += LANES) {
            FloatVector.fromArray(F, x, j)
                    .fma(factor, FloatVector.fromArray(F, y, from + j))
                    .intoArray(y, from + j);
        }
    }

    /// `y[j] = factor * p[j] * (y[j] - shift)`.
    static void softmaxSlope(float[] p, float[] y, float shift, float factor, int count) {
        for (int j = 0; j < count; j += LANES) {
            FloatVector d = FloatVector.fromArray(F, y, j).sub(shift);
            d.mul(FloatVector.fromArray(F, p, j)).mul(factor).intoArray(y, j);
        }
    }
}
