package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.ALL;
import static dev.rote.device.cpu.Memory.F;
import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.ORDER;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// SiLU over native memory, bit for bit what [VectorMath#sigmoid(FloatVector)] gives. The sigmoid stands in each loop
/// for the reason given in [RowMath]. Counts are multiples of the vector length.
final class SiluMath {
    private SiluMath() {}

    /// `y = x / (1 + exp(-x))`, as x times the sigmoid.
    static void silu(long x, long y, int count) {
        FloatVector one = FloatVector.broadcast(F, 1);
        for (int i = 0; i < count; i += LANES) {
            FloatVector v = FloatVector.fromMemorySegment(F, ALL, x + 4L * i, ORDER);
            FloatVector d = v.neg();
            d = d.blend(VectorMath.LOWEST, d.compare(VectorOperators.LT, VectorMath.LOWEST));
            d = d.blend(VectorMath.HIGHEST, d.compare(VectorOperators.GT, VectorMath.HIGHEST));
            FloatVector t = d.mul(VectorMath.LOG2_E).add(VectorMath.ROUND);
            FloatVector k = t.sub(VectorMath.ROUND);
            d = k.fma(FloatVector.broadcast(F, -VectorMath.LN2_HIGH), d);
            d = k.fma(FloatVector.broadcast(F, -VectorMath.LN2_LOW), d);
            FloatVector p = d.fma(FloatVector.broadcast(F, VectorMath.E6), FloatVector.broadcast(F, VectorMath.E5));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E4));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E3));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E2));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E1));
            p = p.fma(d.mul(d), d.add(1));
            p = p.mul(t.reinterpretAsInts()
                    .add(127)
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats());
            v.mul(one.div(p.add(1))).intoMemorySegment(ALL, y + 4L * i, ORDER);
        }
    }

    /// `dx = dy s (1 + x (1 - s))` with s the sigmoid of x.
    static void slope(long dy, long x, long dx, int count) {
        FloatVector one = FloatVector.broadcast(F, 1);
        for (int i = 0; i < count; i += LANES) {
            FloatVector v = FloatVector.fromMemorySegment(F, ALL, x + 4L * i, ORDER);
            FloatVector d = v.neg();
            d = d.blend(VectorMath.LOWEST, d.compare(VectorOperators.LT, VectorMath.LOWEST));
            d = d.blend(VectorMath.HIGHEST, d.compare(VectorOperators.GT, VectorMath.HIGHEST));
            FloatVector t = d.mul(VectorMath.LOG2_E).add(VectorMath.ROUND);
            FloatVector k = t.sub(VectorMath.ROUND);
            d = k.fma(FloatVector.broadcast(F, -VectorMath.LN2_HIGH), d);
            d = k.fma(FloatVector.broadcast(F, -VectorMath.LN2_LOW), d);
            FloatVector p = d.fma(FloatVector.broadcast(F, VectorMath.E6), FloatVector.broadcast(F, VectorMath.E5));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E4));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E3));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E2));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.E1));
            p = p.fma(d.mul(d), d.add(1));
            p = p.mul(t.reinterpretAsInts()
                    .add(127)
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats());
            FloatVector s = one.div(p.add(1));
            FloatVector slope = s.mul(v.mul(p.mul(s)).add(1)); // p s is 1 - s without cancellation
            FloatVector.fromMemorySegment(F, ALL, dy + 4L * i, ORDER)
                    .mul(slope)
                    .intoMemorySegment(ALL, dx + 4L * i, ORDER);
        }
    }
}
