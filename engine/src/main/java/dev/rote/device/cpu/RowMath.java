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
/// Each is also longer than the 325 bytes up to which the compiler inlines what is hot (`FreqInlineSize`). Inside a
/// caller with much else its own calls were not inlined any more, in one run of the program and not in the next, and it
/// took twice the time. So each takes both vectors of a row at once.
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
        int i = PAIR;
        // A comparison and a choice take longer to follow each other than to run: four chains.
        for (; i <= (rows - 4) * PAIR; i += 4 * PAIR) {
            FloatVector found = FloatVector.fromArray(F, x, i);
            a = a.blend(found, found.compare(VectorOperators.GT, a));
            found = FloatVector.fromArray(F, x, i + LANES);
            b = b.blend(found, found.compare(VectorOperators.GT, b));
            found = FloatVector.fromArray(F, x, i + PAIR);
            c = c.blend(found, found.compare(VectorOperators.GT, c));
            found = FloatVector.fromArray(F, x, i + PAIR + LANES);
            d = d.blend(found, found.compare(VectorOperators.GT, d));
            found = FloatVector.fromArray(F, x, i + 2 * PAIR);
            a = a.blend(found, found.compare(VectorOperators.GT, a));
            found = FloatVector.fromArray(F, x, i + 2 * PAIR + LANES);
            b = b.blend(found, found.compare(VectorOperators.GT, b));
            found = FloatVector.fromArray(F, x, i + 3 * PAIR);
            c = c.blend(found, found.compare(VectorOperators.GT, c));
            found = FloatVector.fromArray(F, x, i + 3 * PAIR + LANES);
            d = d.blend(found, found.compare(VectorOperators.GT, d));
        }
        for (; i < rows * PAIR; i += PAIR) {
            FloatVector found = FloatVector.fromArray(F, x, i);
            a = a.blend(found, found.compare(VectorOperators.GT, a));
            found = FloatVector.fromArray(F, x, i + LANES);
            b = b.blend(found, found.compare(VectorOperators.GT, b));
        }
        a.blend(c, c.compare(VectorOperators.GT, a)).intoArray(largest, 0);
        b.blend(d, d.compare(VectorOperators.GT, b)).intoArray(largest, LANES);
    }

    /// `x[r PAIR + lane] = 2^(the same - largest[lane])` and `sums` of them over rows r.
    static void columnExp2(float[] x, int rows, float[] largest, float[] sums) {
        FloatVector max = FloatVector.fromArray(F, largest, 0);
        FloatVector max2 = FloatVector.fromArray(F, largest, LANES);
        FloatVector sum = FloatVector.zero(F);
        FloatVector sum2 = sum;
        for (int i = 0; i < rows * PAIR; i += PAIR) {
            FloatVector d = FloatVector.fromArray(F, x, i).sub(max);
            FloatVector d2 = FloatVector.fromArray(F, x, i + LANES).sub(max2);
            d = d.blend(VectorMath.LOWEST_POWER, d.compare(VectorOperators.LT, VectorMath.LOWEST_POWER));
            d2 = d2.blend(VectorMath.LOWEST_POWER, d2.compare(VectorOperators.LT, VectorMath.LOWEST_POWER));
            FloatVector t = d.add(VectorMath.ROUND);
            FloatVector t2 = d2.add(VectorMath.ROUND);
            d = d.sub(t.sub(VectorMath.ROUND));
            d2 = d2.sub(t2.sub(VectorMath.ROUND));
            FloatVector p = d.fma(FloatVector.broadcast(F, VectorMath.P6), FloatVector.broadcast(F, VectorMath.P5));
            FloatVector p2 = d2.fma(FloatVector.broadcast(F, VectorMath.P6), FloatVector.broadcast(F, VectorMath.P5));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.P4));
            p2 = p2.fma(d2, FloatVector.broadcast(F, VectorMath.P4));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.P3));
            p2 = p2.fma(d2, FloatVector.broadcast(F, VectorMath.P3));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.P2));
            p2 = p2.fma(d2, FloatVector.broadcast(F, VectorMath.P2));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.P1));
            p2 = p2.fma(d2, FloatVector.broadcast(F, VectorMath.P1));
            p = p.fma(d, FloatVector.broadcast(F, 1));
            p2 = p2.fma(d2, FloatVector.broadcast(F, 1));
            p = p.mul(t.reinterpretAsInts()
                    .add(127)
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats());
            p2 = p2.mul(t2.reinterpretAsInts()
                    .add(127)
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats());
            sum = sum.add(p);
            sum2 = sum2.add(p2);
            p.intoArray(x, i);
            p2.intoArray(x, i + LANES);
        }
        sum.intoArray(sums, 0);
        sum2.intoArray(sums, LANES);
    }

    /// Strips of the softmax and of its slope, a query a row: `x = 2^(x - lse[row])`, `slope = x (slope - shift[row])`.
    /// What lies more than 127 above lse comes out as no number in particular.
    ///
    /// @param first row of lse and shift that belongs to the first one of the strips
    static void softmaxSlope(float[] x, float[] slope, int rows, float[] lse, float[] shift, int first) {
        for (int r = 0; r < rows; r++) {
            int i = r * PAIR;
            FloatVector d = FloatVector.fromArray(F, x, i).sub(lse[first + r]);
            FloatVector d2 = FloatVector.fromArray(F, x, i + LANES).sub(lse[first + r]);
            d = d.blend(VectorMath.LOWEST_POWER, d.compare(VectorOperators.LT, VectorMath.LOWEST_POWER));
            d2 = d2.blend(VectorMath.LOWEST_POWER, d2.compare(VectorOperators.LT, VectorMath.LOWEST_POWER));
            FloatVector t = d.add(VectorMath.ROUND);
            FloatVector t2 = d2.add(VectorMath.ROUND);
            d = d.sub(t.sub(VectorMath.ROUND));
            d2 = d2.sub(t2.sub(VectorMath.ROUND));
            FloatVector p = d.fma(FloatVector.broadcast(F, VectorMath.P6), FloatVector.broadcast(F, VectorMath.P5));
            FloatVector p2 = d2.fma(FloatVector.broadcast(F, VectorMath.P6), FloatVector.broadcast(F, VectorMath.P5));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.P4));
            p2 = p2.fma(d2, FloatVector.broadcast(F, VectorMath.P4));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.P3));
            p2 = p2.fma(d2, FloatVector.broadcast(F, VectorMath.P3));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.P2));
            p2 = p2.fma(d2, FloatVector.broadcast(F, VectorMath.P2));
            p = p.fma(d, FloatVector.broadcast(F, VectorMath.P1));
            p2 = p2.fma(d2, FloatVector.broadcast(F, VectorMath.P1));
            p = p.fma(d, FloatVector.broadcast(F, 1));
            p2 = p2.fma(d2, FloatVector.broadcast(F, 1));
            p = p.mul(t.reinterpretAsInts()
                    .add(127)
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats());
            p2 = p2.mul(t2.reinterpretAsInts()
                    .add(127)
                    .lanewise(VectorOperators.LSHL, 23)
                    .reinterpretAsFloats());
            p.intoArray(x, i);
            p2.intoArray(x, i + LANES);
            FloatVector.fromArray(F, slope, i).sub(shift[first + r]).mul(p).intoArray(slope, i);
            FloatVector.fromArray(F, slope, i + LANES)
                    .sub(shift[first + r])
                    .mul(p2)
                    .intoArray(slope, i + LANES);
        }
    }
}
