package dev.rote.theory;

import java.util.ArrayList;
import java.util.List;

/// The density of U's eigenvalues by Theorem 3.1: where it is above zero, how much lies there, and how much in the
/// point mass at s_t^2.
///
/// @param resolvent the equations
/// @param bands intervals of positive density, ascending
/// @param inert weight of the point mass
public record SpectralDensity(Resolvent resolvent, List<Band> bands, double inert) {
    /// Distance from the real axis, relative to x - s_t^2, at which the density is read.
    private static final double HEIGHT = 1e-9;

    /// First and last point that are looked at, in units of s_t^2 above s_t^2 and of the bound of all eigenvalues.
    private static final double FIRST = 1e-7;

    private static final double LAST = 1.1;
    private static final int POINTS = 1600;
    private static final int QUADRATURE = 200;

    /// An interval of positive density.
    ///
    /// @param mass share of all p eigenvalues
    public record Band(double low, double high, double mass) {}

    public SpectralDensity {
        bands = List.copyOf(bands);
    }

    /// Solves for the whole spectrum.
    ///
    /// @throws ArithmeticException if the equations cannot be solved
    public static SpectralDensity of(Resolvent resolvent) {
        double s2 = resolvent.scalars().s2();
        double height = HEIGHT * s2;
        double inert = height * resolvent.at(s2, height).im();
        double[] x = new double[POINTS];
        double last = LAST * resolvent.scale();
        for (int i = 0; i < POINTS; i++) {
            x[i] = s2 + FIRST * s2 * Math.pow(last / (FIRST * s2), i / (POINTS - 1.0));
        }
        List<Band> bands = new ArrayList<>();
        double from = Double.NaN;
        boolean inside = false;
        for (int i = 0; i < POINTS; i++) {
            boolean positive = isPositive(resolvent, x[i]);
            if (positive && !inside) {
                from = i == 0 ? x[0] : edge(resolvent, x[i - 1], x[i]);
            } else if (!positive && inside) {
                double to = edge(resolvent, x[i], x[i - 1]);
                bands.add(new Band(from, to, mass(resolvent, from, to)));
            }
            inside = positive;
        }
        return new SpectralDensity(resolvent, bands, inert < 1e-4 ? 0 : inert);
    }

    /// Density at x, without the point mass.
    public double at(double x) {
        return bands.stream().anyMatch(band -> band.low <= x && x <= band.high) ? density(resolvent, x) : 0;
    }

    /// Mass of everything: 1 but for what fell between the points.
    public double total() {
        return inert + bands.stream().mapToDouble(Band::mass).sum();
    }

    /// Expected share of eigenvalues between two points, the point mass not counted.
    public double share(double low, double high) {
        double sum = 0;
        for (Band band : bands) {
            double from = Math.max(low, band.low);
            double to = Math.min(high, band.high);
            if (to > from) {
                sum += mass(resolvent, from, to);
            }
        }
        return sum;
    }

    private static double height(Resolvent resolvent, double x) {
        return HEIGHT * (x - resolvent.scalars().s2());
    }

    private static double density(Resolvent resolvent, double x) {
        return resolvent.at(x, height(resolvent, x)).im() / Math.PI;
    }

    /// Towards the real axis Im q tends to pi rho where the density is positive, and falls in proportion to the height
    /// where it is zero; at an edge, where rho has a square root, it falls by a half when the height does by a quarter.
    private static boolean isPositive(Resolvent resolvent, double x) {
        double height = height(resolvent, x);
        double high = resolvent.at(x, height).im();
        double low = resolvent.at(x, height / 4).im();
        return high < 2 * low;
    }

    private static double edge(Resolvent resolvent, double outside, double inside) {
        double out = outside;
        double in = inside;
        while (Math.abs(in - out) > 1e-7 * in) {
            double middle = 0.5 * (in + out);
            if (isPositive(resolvent, middle)) {
                in = middle;
            } else {
                out = middle;
            }
        }
        return 0.5 * (in + out);
    }

    /// Midpoint rule in the angle theta of `x = middle - half cos(theta)`, under which edges with square roots are
    /// smooth.
    private static double mass(Resolvent resolvent, double low, double high) {
        double middle = 0.5 * (low + high);
        double half = 0.5 * (high - low);
        double sum = 0;
        for (int i = 0; i < QUADRATURE; i++) {
            double theta = Math.PI * (i + 0.5) / QUADRATURE;
            double x = middle - half * Math.cos(theta);
            sum += density(resolvent, x) * half * Math.sin(theta);
        }
        return sum * Math.PI / QUADRATURE;
    }
}
