package dev.rote.device.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Elementary functions on vectors and their scalar counterparts.
final class VectorMath {
    static final float LOG2_E = 1.44269504f;

    /// ln 2 in two parts, the first with few bits, so that k times it is exact.
    static final float LN2_HIGH = 0.693359375f;

    static final float LN2_LOW = -2.12194440e-4f;

    /// Adding and subtracting 1.5 x 2^23 rounds to the nearest integer.
    static final float ROUND = 12582912f;

    /// `e^r = 1 + r + r^2 (E1 + E2 r + ... + E6 r^5)` for |r| <= ln(2)/2.
    static final float E1 = 5.0000001201e-1f;

    static final float E2 = 1.6666665459e-1f;
    static final float E3 = 4.1665795894e-2f;
    static final float E4 = 8.3334519073e-3f;
    static final float E5 = 1.3981999507e-3f;
    static final float E6 = 1.9875691500e-4f;

    /// Bounds of the exponential's argument: results stay normal numbers.
    static final float LOWEST = -87.3f;

    static final float HIGHEST = 88.3f;

    /// `2^r = 1 + P1 r + ... + P6 r^6` for |r| <= 1/2, relative error 2e-9 before rounding: minimax.
    static final float P1 = 6.931472e-1f;

    static final float P2 = 2.4022648e-1f;
    static final float P3 = 5.5503324e-2f;
    static final float P4 = 9.618437e-3f;
    static final float P5 = 1.3398874e-3f;
    static final float P6 = 1.5353362e-4f;

    /// Lower bound of the argument of 2^x: results stay normal numbers.
    static final float LOWEST_POWER = -126f;

    private VectorMath() {}

    /// 2^x, relative error below 2e-7, for x up to 127 and clamped to -126 below; NaN stays NaN.
    static FloatVector exp2(FloatVector x) {
        FloatVector clamped = x.blend(LOWEST_POWER, x.compare(VectorOperators.LT, LOWEST_POWER));
        FloatVector t = clamped.add(ROUND);
        FloatVector r = clamped.sub(t.sub(ROUND));
        FloatVector p = r.fma(FloatVector.broadcast(Memory.F, P6), FloatVector.broadcast(Memory.F, P5));
        p = p.fma(r, FloatVector.broadcast(Memory.F, P4));
        p = p.fma(r, FloatVector.broadcast(Memory.F, P3));
        p = p.fma(r, FloatVector.broadcast(Memory.F, P2));
        p = p.fma(r, FloatVector.broadcast(Memory.F, P1));
        p = p.fma(r, FloatVector.broadcast(Memory.F, 1));
        return p.mul(t.reinterpretAsInts()
                .add(127)
                .lanewise(VectorOperators.LSHL, 23)
                .reinterpretAsFloats());
    }

    /// e^x, relative error below 2e-7, for x clamped to [-87.3, 88.3]; NaN stays NaN.
    ///
    /// x = k ln 2 + r with |r| <= ln(2)/2; e^r by a polynomial of degree 6 (Cephes `expf` coefficients); 2^k by the
    /// exponent bits.
    static FloatVector exp(FloatVector x) {
        FloatVector clamped = x.lanewise(VectorOperators.MIN, 88.3f).lanewise(VectorOperators.MAX, -87.3f);
        FloatVector k = clamped.mul(LOG2_E).add(ROUND).sub(ROUND);
        FloatVector r = k.lanewise(VectorOperators.FMA, FloatVector.broadcast(Memory.F, -LN2_HIGH), clamped);
        r = k.lanewise(VectorOperators.FMA, FloatVector.broadcast(Memory.F, -LN2_LOW), r);
        FloatVector p = FloatVector.broadcast(Memory.F, E6);
        p = p.fma(r, FloatVector.broadcast(Memory.F, E5));
        p = p.fma(r, FloatVector.broadcast(Memory.F, E4));
        p = p.fma(r, FloatVector.broadcast(Memory.F, E3));
        p = p.fma(r, FloatVector.broadcast(Memory.F, E2));
        p = p.fma(r, FloatVector.broadcast(Memory.F, E1));
        p = p.fma(r.mul(r), r.add(1));
        IntVector exponent = (IntVector) k.convertShape(VectorOperators.F2I, Memory.I, 0);
        return p.mul(exponent.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats());
    }

    /// 1/(1 + e^-x).
    static FloatVector sigmoid(FloatVector x) {
        FloatVector one = FloatVector.broadcast(Memory.F, 1);
        return one.div(exp(x.neg()).add(1));
    }

    static float sigmoid(float x) {
        return (float) (1 / (1 + Math.exp(-x)));
    }

    /// The error function, absolute error below 1e-15: Maclaurin series for |x| < 3, continued fraction of erfc beyond
    /// (Abramowitz & Stegun 7.1.6 and 7.1.14).
    static double erf(double x) {
        double a = Math.abs(x);
        double result;
        if (a < 3) {
            double term = a;
            double sum = a;
            for (int n = 1; n < 100 && term > 1e-17 * sum; n++) {
                term *= 2 * a * a / (2 * n + 1);
                sum += term;
            }
            result = 2 / Math.sqrt(Math.PI) * Math.exp(-a * a) * sum;
        } else {
            double fraction = a;
            for (int n = 60; n >= 1; n--) {
                fraction = a + n / 2.0 / fraction;
            }
            result = 1 - Math.exp(-a * a) / (Math.sqrt(Math.PI) * fraction);
        }
        return Math.copySign(result, x);
    }
}
