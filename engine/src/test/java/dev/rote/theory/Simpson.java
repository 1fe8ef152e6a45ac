package dev.rote.theory;

import java.util.function.DoubleUnaryOperator;

/// Gaussian expectations by adaptive Simpson integration, another way than the one under test.
final class Simpson {
    private static final double END = 10;

    private Simpson() {}

    static double mean(DoubleUnaryOperator f, double tolerance) {
        DoubleUnaryOperator g = z -> f.applyAsDouble(z) * Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
        double sum = 0;
        for (int i = 0; i < 8; i++) { // parts, so that symmetric functions do not fool the error estimate
            double a = -END + 2 * END * i / 8;
            double b = -END + 2 * END * (i + 1) / 8;
            double middle = (a + b) / 2;
            double fa = g.applyAsDouble(a);
            double fm = g.applyAsDouble(middle);
            double fb = g.applyAsDouble(b);
            sum += adapt(g, a, b, fa, fm, fb, (b - a) / 6 * (fa + 4 * fm + fb), tolerance / 8, 30);
        }
        return sum;
    }

    private static double adapt(
            DoubleUnaryOperator g,
            double a,
            double b,
            double fa,
            double fm,
            double fb,
            double whole,
            double tolerance,
            int depth) {
        double middle = (a + b) / 2;
        double fl = g.applyAsDouble((a + middle) / 2);
        double fr = g.applyAsDouble((middle + b) / 2);
        double left = (middle - a) / 6 * (fa + 4 * fl + fm);
        double right = (b - middle) / 6 * (fm + 4 * fr + fb);
        if (depth == 0 || Math.abs(left + right - whole) <= 15 * tolerance) {
            return left + right + (left + right - whole) / 15;
        }
        return adapt(g, a, middle, fa, fl, fm, left, tolerance / 2, depth - 1)
                + adapt(g, middle, b, fm, fr, fb, right, tolerance / 2, depth - 1);
    }
}
