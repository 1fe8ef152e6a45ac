package dev.rote.metrics;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// The squared Euclidean distance whose bits are a contract, on every device:
///
/// ```
/// s[j] = 0                                                for j = 0 .. 7
/// e = (double) x[i] - (double) y[i]                       rounded to f64
/// s[i % 8] = fma(e, e, s[i % 8])                          i = 0 .. d-1 in order, one rounding each
/// distance^2 = ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))      each addition rounded to f64
/// ```
///
/// Properties: a row has distance exactly 0 to itself; (x, y) and (y, x) give the same bits; no overflow and no
/// underflow for any finite f32 input; the relative error is at most (d/8 + 6) 2^-53, for near copies too, since
/// nothing cancels after the first difference (unlike |x|^2 + |y|^2 - 2xy).
///
/// The tree is what halving an 8-lane vector twice and adding the last pair gives. Padding with equal values changes
/// nothing: fma(0, 0, s) = s.
final class SquaredDistance {
    private static final int SUMS = 8;

    private SquaredDistance() {}

    /// Squared distance of `x [d]` to `y [d]`; both have the same length.
    static double between(float[] x, float[] y) {
        return SimdSupport.AVAILABLE && Lanes.EIGHT_DOUBLES ? Lanes.between(x, y) : plain(x, y);
    }

    /// The definition.
    static double plain(float[] x, float[] y) {
        double[] s = new double[SUMS];
        for (int i = 0; i < x.length; i++) {
            double e = (double) x[i] - (double) y[i];
            s[i % SUMS] = Math.fma(e, e, s[i % SUMS]);
        }
        return tree(s);
    }

    private static double tree(double[] s) {
        return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
    }

    /// The same with one 512-bit vector for the eight sums. A class of its own: it is loaded only where the
    /// incubator module is present.
    private static final class Lanes {
        static final boolean EIGHT_DOUBLES = DoubleVector.SPECIES_PREFERRED.length() == SUMS;

        static double between(float[] x, float[] y) {
            DoubleVector sums = DoubleVector.zero(DoubleVector.SPECIES_512);
            int even = x.length - x.length % SUMS;
            for (int i = 0; i < even; i += SUMS) {
                DoubleVector e = widened(x, i).sub(widened(y, i));
                sums = e.fma(e, sums);
            }
            double[] s = new double[SUMS];
            sums.intoArray(s, 0);
            for (int i = even; i < x.length; i++) {
                double e = (double) x[i] - (double) y[i];
                s[i - even] = Math.fma(e, e, s[i - even]);
            }
            return tree(s);
        }

        private static DoubleVector widened(float[] x, int i) {
            return (DoubleVector) FloatVector.fromArray(FloatVector.SPECIES_256, x, i)
                    .convertShape(VectorOperators.F2D, DoubleVector.SPECIES_512, 0);
        }
    }
}
