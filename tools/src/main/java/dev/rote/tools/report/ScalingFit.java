package dev.rote.tools.report;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/// A time scale against a grid variable, with the power law through it where there is one.
///
/// @param clock which time
/// @param variable what it is plotted against: `n`, or a dotted key such as `model.width`
/// @param where what is held fixed (`model.width = 32`), empty when nothing needs saying
/// @param points one per run
/// @param law absent when too few points were reached
public record ScalingFit(Clock clock, String variable, String where, List<FitPoint> points, Optional<PowerLaw> law) {
    /// One run in a fit.
    ///
    /// @param x value of the variable, positive
    /// @param run the run's name
    /// @param reading its time
    public record FitPoint(double x, String run, Reading reading) {
        public FitPoint {
            Objects.requireNonNull(run, "run");
            Objects.requireNonNull(reading, "reading");
            if (!(x > 0) || Double.isInfinite(x)) {
                throw new IllegalArgumentException("run " + run + ": x must be positive and finite, is " + x);
            }
        }
    }

    /// `tau = prefactor * x^slope`, least squares in log-log.
    ///
    /// @param prefactor in optimizer updates
    /// @param slope the exponent
    /// @param low lower end of the exponent's 95 % interval, NaN when there is none
    /// @param high upper end of the exponent's 95 % interval, NaN when there is none
    /// @param rSquared share of the variance of log tau that the line explains, NaN when undefined
    /// @param bootstrapLow lower end of the exponent's 95 % interval when runs are drawn again, NaN when there is
    /// none
    /// @param bootstrapHigh upper end of the exponent's 95 % interval when runs are drawn again, NaN when there is
    /// none
    /// @param line points of the line, with the 95 % interval of the line itself where there is one
    public record PowerLaw(
            double prefactor,
            double slope,
            double low,
            double high,
            double rSquared,
            double bootstrapLow,
            double bootstrapHigh,
            List<Point> line) {
        public PowerLaw {
            line = List.copyOf(line);
        }

        /// A law of which no more is known than its line.
        PowerLaw(double prefactor, double slope, double low, double high, double rSquared) {
            this(prefactor, slope, low, high, rSquared, Double.NaN, Double.NaN, List.of());
        }

        double at(double x) {
            return prefactor * Math.pow(x, slope);
        }
    }

    public ScalingFit {
        Objects.requireNonNull(clock, "clock");
        Objects.requireNonNull(variable, "variable");
        Objects.requireNonNull(where, "where");
        Objects.requireNonNull(law, "law");
        points = List.copyOf(points);
    }

    /// `τ_mem (1 %), model.width = 32`
    String label() {
        return where.isEmpty() ? clock.label() : clock.label() + ", " + where;
    }
}
