package dev.rote.reference;

import dev.rote.graph.Activation;
import java.util.List;

/// A function of each element: SiLU (Elfwing et al. 2018, arXiv:1702.03118, eq. 1), GELU (Hendrycks & Gimpel 2016,
/// arXiv:1606.08415), ReLU, hyperbolic tangent.
final class ActivationReference {
    private ActivationReference() {}

    /// `y = f(x)`. Inputs x.
    static List<double[]> forward(Activation op, List<Tensor> inputs) {
        double[] x = inputs.get(0).data();
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i] = value(op.kind(), x[i]);
        }
        return List.of(y);
    }

    /// `dx = dy f'(x)`. Inputs dy, x.
    static List<double[]> backward(Activation.Backward op, List<Tensor> inputs) {
        double[] dy = inputs.get(0).data();
        double[] x = inputs.get(1).data();
        double[] dx = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            dx[i] = dy[i] * slope(op.kind(), x[i]);
        }
        return List.of(dx);
    }

    static double value(Activation.Kind kind, double x) {
        return switch (kind) {
            case SILU -> x * sigmoid(x);
            case GELU -> x * normalDistribution(x);
            case RELU -> Double.isNaN(x) ? x : Math.max(x, 0);
            case TANH -> StrictMath.tanh(x);
        };
    }

    /// The derivative; that of ReLU at 0 is 0.
    static double slope(Activation.Kind kind, double x) {
        return switch (kind) {
            case SILU -> sigmoid(x) * (1 + x * (1 - sigmoid(x)));
            case GELU -> normalDistribution(x) + x * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
            case RELU -> Double.isNaN(x) ? x : x > 0 ? 1 : 0;
            case TANH -> 1 - StrictMath.tanh(x) * StrictMath.tanh(x);
        };
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    private static double normalDistribution(double x) {
        return (1 + erf(x / Math.sqrt(2))) / 2;
    }

    /// The error function by its series of positive terms (Abramowitz & Stegun 1964, 7.1.6):
    /// `2/sqrt(pi) exp(-x^2) sum_n 2^n x^(2n+1) / (1 3 5 ... (2n+1))`. Beyond 6 it is 1 in double precision.
    static double erf(double x) {
        if (Math.abs(x) > 6) {
            return Math.signum(x);
        }
        double term = x;
        double sum = x;
        for (int n = 1; Math.abs(term) > 1e-20 * Math.abs(sum); n++) {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
    }
}
