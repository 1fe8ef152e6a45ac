package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.ALL;
import static dev.rote.device.cpu.Memory.F;
import static dev.rote.device.cpu.Memory.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// Loops down one vector-wide column of native memory: elements v ... v + lanes, then a `step` further, below `end`.
/// Numbers per channel are loaded once, from position v of their pattern. Small for the reason given in [RowMath].
///
/// All indices count floats from the base addresses.
final class ColumnMath {
    private ColumnMath() {}

    /// `y = x a + b`.
    static void affine(long x, float[] a, float[] b, long y, int v, int step, int end) {
        FloatVector scale = FloatVector.fromArray(F, a, v);
        FloatVector shift = FloatVector.fromArray(F, b, v);
        for (int i = v; i < end; i += step) {
            FloatVector.fromMemorySegment(F, ALL, x + 4L * i, ORDER)
                    .fma(scale, shift)
                    .intoMemorySegment(ALL, y + 4L * i, ORDER);
        }
    }

    /// `y = (x - center) a + b`.
    static void centered(long x, float[] center, float[] a, float[] b, long y, int v, int step, int end) {
        FloatVector mean = FloatVector.fromArray(F, center, v);
        FloatVector scale = FloatVector.fromArray(F, a, v);
        FloatVector shift = FloatVector.fromArray(F, b, v);
        for (int i = v; i < end; i += step) {
            FloatVector.fromMemorySegment(F, ALL, x + 4L * i, ORDER)
                    .sub(mean)
                    .fma(scale, shift)
                    .intoMemorySegment(ALL, y + 4L * i, ORDER);
        }
    }

    /// `z = (x - center) a + b, y = z / (1 + exp(-z))`.
    static void centeredSilu(long x, float[] center, float[] a, float[] b, long y, int v, int step, int end) {
        FloatVector mean = FloatVector.fromArray(F, center, v);
        FloatVector scale = FloatVector.fromArray(F, a, v);
        FloatVector shift = FloatVector.fromArray(F, b, v);
        for (int i = v; i < end; i += step) {
            FloatVector z = FloatVector.fromMemorySegment(F, ALL, x + 4L * i, ORDER)
                    .sub(mean)
                    .fma(scale, shift);
            FloatVector d = z.neg();
            d = d.blend(VectorMath.LOWEST, d.compare(VectorOperators.LT, VectorMath.LOWEST));
            d = d.blend(VectorMath.HIGHEST, d.compare(VectorOperators.GT, VectorMath.HIGHEST));
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
            z.div(p.add(1)).intoMemorySegment(ALL, y + 4L * i, ORDER);
        }
    }

    /// `dz = dy` times the slope of SiLU at `z = (x - center) a + b`.
    static void siluSlope(long dy, long x, float[] center, float[] a, float[] b, long dz, int v, int step, int end) {
        FloatVector mean = FloatVector.fromArray(F, center, v);
        FloatVector scale = FloatVector.fromArray(F, a, v);
        FloatVector shift = FloatVector.fromArray(F, b, v);
        FloatVector one = FloatVector.broadcast(F, 1);
        for (int i = v; i < end; i += step) {
            FloatVector z = FloatVector.fromMemorySegment(F, ALL, x + 4L * i, ORDER)
                    .sub(mean)
                    .fma(scale, shift);
            FloatVector d = z.neg();
            d = d.blend(VectorMath.LOWEST, d.compare(VectorOperators.LT, VectorMath.LOWEST));
            d = d.blend(VectorMath.HIGHEST, d.compare(VectorOperators.GT, VectorMath.HIGHEST));
            FloatVector t = d.mul(VectorMath.LOG2_E).add(VectorMath.ROUND);
            FloatVector k = t.sub(VectorMath.ROUND);
            d = k.fma(FloatVector.broadcast(F, -VectorMath.LN2_HIGH), d);
            d = k.fma(FloatVector.broadcast(F, -VectorMath.LN2_LOW), d);
            FloatVector p = d.mul(VectorMath.E6).add(VectorMath.E5);
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E4));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E3));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E2));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E1));
            p = p.fma(d.mul(d), d.add(one));
            p = p.mul(t.reinterpretAsInts()
                    .add(127)
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats());
            FloatVector s = one.div(p.add(one));
            s.mul(z.fma(p.mul(s), one)) // p s is 1 - s without cancellation
                    .mul(FloatVector.fromMemorySegment(F, ALL, dy + 4L * i, ORDER))
                    .intoMemorySegment(ALL, dz + 4L * i, ORDER);
        }
    }

    /// `y = (dz a - b - (x - center) c) factor`, in this order: equal terms must leave nothing.
    static void distribute(
            long dz,
            long x,
            float[] center,
            float[] a,
            float[] b,
            float[] c,
            float[] factor,
            long y,
            int v,
            int step,
            int end) {
        FloatVector mean = FloatVector.fromArray(F, center, v);
        FloatVector first = FloatVector.fromArray(F, a, v);
        FloatVector second = FloatVector.fromArray(F, b, v);
        FloatVector third = FloatVector.fromArray(F, c, v);
        FloatVector last = FloatVector.fromArray(F, factor, v);
        for (int i = v; i < end; i += step) {
            FloatVector d =
                    FloatVector.fromMemorySegment(F, ALL, x + 4L * i, ORDER).sub(mean);
            FloatVector.fromMemorySegment(F, ALL, dz + 4L * i, ORDER)
                    .mul(first)
                    .sub(second)
                    .sub(d.mul(third))
                    .mul(last)
                    .intoMemorySegment(ALL, y + 4L * i, ORDER);
        }
    }

    /// `total[v + lane] = sum of x - center` from `begin` on.
    static void sum(long x, float[] center, float[] total, int v, int begin, int step, int end) {
        FloatVector mean = FloatVector.fromArray(F, center, v);
        FloatVector sum = FloatVector.zero(F);
        for (int i = begin; i < end; i += step) {
            sum = FloatVector.fromMemorySegment(F, ALL, x + 4L * i, ORDER)
                    .sub(mean)
                    .add(sum);
        }
        sum.intoArray(total, v);
    }

    /// `total[v + lane] = sum of (x - center)^2`.
    static void sumSquares(long x, float[] center, float[] total, int v, int begin, int step, int end) {
        FloatVector mean = FloatVector.fromArray(F, center, v);
        FloatVector sum = FloatVector.zero(F);
        for (int i = begin; i < end; i += step) {
            FloatVector d =
                    FloatVector.fromMemorySegment(F, ALL, x + 4L * i, ORDER).sub(mean);
            sum = d.fma(d, sum);
        }
        sum.intoArray(total, v);
    }

    /// `total[v + lane] = sum of z (x - center)`.
    static void sumProducts(long z, long x, float[] center, float[] total, int v, int begin, int step, int end) {
        FloatVector mean = FloatVector.fromArray(F, center, v);
        FloatVector sum = FloatVector.zero(F);
        for (int i = begin; i < end; i += step) {
            sum = FloatVector.fromMemorySegment(F, ALL, x + 4L * i, ORDER)
                    .sub(mean)
                    .fma(FloatVector.fromMemorySegment(F, ALL, z + 4L * i, ORDER), sum);
        }
        sum.intoArray(total, v);
    }
}
