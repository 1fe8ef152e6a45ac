package dev.rote.theory;

import java.util.List;
import java.util.Objects;
import java.util.function.DoubleUnaryOperator;

/// The nonlinearity sigma of the features. Its mean under every centred Gaussian must be zero, as it is for odd
/// functions; [Scalars] checks it.
///
/// @param name for people and files
/// @param function smooth: expectations are taken by Gauss-Hermite quadrature, which converges slowly at kinks
public record Activation(String name, DoubleUnaryOperator function) {
    /// The paper's.
    public static final Activation TANH = new Activation("tanh", Math::tanh);

    public static final Activation ERF = new Activation("erf", Activation::erf);
    public static final Activation SINE = new Activation("sine", Math::sin);
    public static final Activation ARCTAN = new Activation("arctan", Math::atan);

    /// Beyond this erf is 1 in double precision.
    private static final double ERF_END = 6;

    public Activation {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(function, "function");
    }

    /// Those that have a name here.
    public static List<Activation> known() {
        return List.of(TANH, ERF, SINE, ARCTAN);
    }

    public double at(double x) {
        return function.applyAsDouble(x);
    }

    /// The error function by a series of positive terms, so that nothing cancels (Abramowitz & Stegun 7.1.6).
    static double erf(double x) {
        double size = Math.abs(x);
        if (size > ERF_END) {
            return Math.signum(x);
        }
        double term = size;
        double sum = term;
        for (int k = 1; term > 1e-17 * sum; k++) {
            term *= 2 * size * size / (2 * k + 1);
            sum += term;
        }
        return Math.copySign(2 / Math.sqrt(Math.PI) * Math.exp(-size * size) * sum, x);
    }
}
