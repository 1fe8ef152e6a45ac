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
        for (int i = PAIR; i < rows * PAIR; i += PAIR) {
            FloatVector foundA = FloatVector.fromArray(F, x, i);
            FloatVector foundB = FloatVector.fromArray(F, x, i + LANES);
            a = a.blend(foundA, foundA.compare(VectorOperators.GT, a));
            b = b.blend(foundB, foundB.compare(VectorOperators.GT, b));
        }
        a.intoArray(largest, 0);
        b.intoArray(largest, LANES);
    }

    /// `x[r PAIR + lane] = 2^(the same - largest[lane])` and `sums` of them over rows r.
    static void columnExp2(float[] x, int rows, float[] largest, float[] sums) {
        FloatVector maxA = FloatVector.fromArray(F, largest, 0);
        FloatVector maxB = FloatVector.fromArray(F, largest, LANES);
        FloatVector sumA = FloatVector.zero(F);
        FloatVector sumB = sumA;
        for (int i = 0; i < rows * PAIR; i += PAIR) {
            FloatVector dA = FloatVector.fromArray(F, x, i).sub(maxA);
            dA = dA.blend(VectorMath.LOWEST_POWER, dA.compare(VectorOperators.LT, VectorMath.LOWEST_POWER));
            FloatVector tA = dA.add(VectorMath.ROUND);
            dA = dA.sub(tA.sub(VectorMath.ROUND));
            FloatVector pA = dA.fma(FloatVector.broadcast(F, VectorMath.P6), FloatVector.broadcast(F, VectorMath.P5));
            pA = pA.fma(dA, FloatVector.broadcast(F, VectorMath.P4));
            pA = pA.fma(dA, FloatVector.broadcast(F, VectorMath.P3));
            pA = pA.fma(dA, FloatVector.broadcast(F, VectorMath.P2));
            pA = pA.fma(dA, FloatVector.broadcast(F, VectorMath.P1));
            pA = pA.fma(dA, FloatVector.broadcast(F, 1));
            pA = pA.mul(tA.reinterpretAsInts()
                    .add(127)
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats());
            sumA = sumA.add(pA);
            pA.intoArray(x, i);
            FloatVector dB = FloatVector.fromArray(F, x, i + LANES).sub(maxB);
            dB = dB.blend(VectorMath.LOWEST_POWER, dB.compare(VectorOperators.LT, VectorMath.LOWEST_POWER));
            FloatVector tB = dB.add(VectorMath.ROUND);
            dB = dB.sub(tB.sub(VectorMath.ROUND));
            FloatVector pB = dB.fma(FloatVector.broadcast(F, VectorMath.P6), FloatVector.broadcast(F, VectorMath.P5));
            pB = pB.fma(dB, FloatVector.broadcast(F, VectorMath.P4));
            pB = pB.fma(dB, FloatVector.broadcast(F, VectorMath.P3));
            pB = pB.fma(dB, FloatVector.broadcast(F, VectorMath.P2));
            pB = pB.fma(dB, FloatVector.broadcast(F, VectorMath.P1));
            pB = pB.fma(dB, FloatVector.broadcast(F, 1));
            pB = pB.mul(tB.reinterpretAsInts()
                    .add(127)
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats());
            sumB = sumB.add(pB);
            pB.intoArray(x, i + LANES);
        }
        sumA.intoArray(sums, 0);
        sumB.intoArray(sums, LANES);
    }

    /// Strips of the softmax and of its slope, a query a row: `x = 2^(x - lse[row])`, `slope = x (slope - shift[row])`.
    /// What lies more than 127 above lse comes out as no number in particular.
    ///
    /// @param first row of lse and shift that belongs to the first one of the strips
    static void softmaxSlope(float[] x, float[] slope, int rows, float[] lse, float[] shift, int first) {
        for (int r = 0; r < rows; r++) {
            int i = r * PAIR;
            FloatVector dA = FloatVector.fromArray(F, x, i).sub(lse[first + r]);
            FloatVector dB = FloatVector.fromArray(F, x, i + LANES).sub(lse[first + r]);
            dA = dA.blend(VectorMath.LOWEST_POWER, dA.compare(VectorOperators.LT, VectorMath.LOWEST_POWER));
            FloatVector tA = dA.add(VectorMath.ROUND);
            dA = dA.sub(tA.sub(VectorMath.ROUND));
            FloatVector pA = dA.fma(FloatVector.broadcast(F, VectorMath.P6), FloatVector.broadcast(F, VectorMath.P5));
            pA = pA.fma(dA, FloatVector.broadcast(F, VectorMath.P4));
            pA = pA.fma(dA, FloatVector.broadcast(F, VectorMath.P3));
            pA = pA.fma(dA, FloatVector.broadcast(F, VectorMath.P2));
            pA = pA.fma(dA, FloatVector.broadcast(F, VectorMath.P1));
            pA = pA.fma(dA, FloatVector.broadcast(F, 1));
            pA = pA.mul(tA.reinterpretAsInts()
                    .add(127)
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats());
            dB = dB.blend(VectorMath.LOWEST_POWER, dB.compare(VectorOperators.LT, VectorMath.LOWEST_POWER));
            FloatVector tB = dB.add(VectorMath.ROUND);
            dB = dB.sub(tB.sub(VectorMath.ROUND));
            FloatVector pB = dB.fma(FloatVector.broadcast(F, VectorMath.P6), FloatVector.broadcast(F, VectorMath.P5));
            pB = pB.fma(dB, FloatVector.broadcast(F, VectorMath.P4));
            pB = pB.fma(dB, FloatVector.broadcast(F, VectorMath.P3));
            pB = pB.fma(dB, FloatVector.broadcast(F, VectorMath.P2));
            pB = pB.fma(dB, FloatVector.broadcast(F, VectorMath.P1));
            pB = pB.fma(dB, FloatVector.broadcast(F, 1));
            pB = pB.mul(tB.reinterpretAsInts()
                    .add(127)
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats());
            pA.intoArray(x, i);
            pB.intoArray(x, i + LANES);
            FloatVector.fromArray(F, slope, i).sub(shift[first + r]).mul(pA).intoArray(slope, i);
            FloatVector.fromArray(F, slope, i + LANES)
                    .sub(shift[first + r])
                    .mul(pB)
                    .intoArray(slope, i + LANES);
        }
    }
}
