package dev.rote.tools.report;

/// One measured value with its 95 % interval.
///
/// @param x abscissa: training step tau in a [Curve], `tau/n` or `n` in a figure
/// @param y value; NaN leaves a gap
/// @param low lower end of the interval, NaN when there is none
/// @param high upper end of the interval, NaN when there is none
public record Point(double x, double y, double low, double high) {
    /// A value without an interval.
    public static Point of(double x, double y) {
        return new Point(x, y, Double.NaN, Double.NaN);
    }

    boolean hasInterval() {
        return Double.isFinite(low) && Double.isFinite(high);
    }

    /// An interval of which an end may be infinite: that end lies beyond every axis.
    boolean hasOpenInterval() {
        return !Double.isNaN(low) && !Double.isNaN(high);
    }

    boolean isDrawable() {
        return Double.isFinite(x) && Double.isFinite(y);
    }

    Point dividedBy(double n) {
        return new Point(x / n, y, low, high);
    }
}
