package dev.rote.metrics;

import dev.rote.metrics.CensoredPowerLaw.Time;
import dev.rote.metrics.TobitMaximum.Side;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;

/// The maximum of the likelihood of a [CensoredPowerLaw]. Columns are centred about their means, so that sums of
/// squares keep their digits.
///
/// @param design `[m, p]`, first column ones, the others log x - mean
/// @param coefficients `[p]`, first the mean level
record CensoredRegression(List<Time> times, double[][] design, double[] means, double[] coefficients, double sigma) {
    private static final double LEVEL = 0.95;

    static Optional<CensoredRegression> of(List<Time> times) {
        return of(times, Optional.empty());
    }

    /// @param near the solution for times like these, to start from
    static Optional<CensoredRegression> of(List<Time> times, Optional<CensoredRegression> near) {
        if (times.isEmpty()) {
            return Optional.empty();
        }
        int p = 1 + times.getFirst().x().length;
        double[] means = means(times, p);
        double[][] design = new double[times.size()][];
        for (int i = 0; i < design.length; i++) {
            design[i] = row(times.get(i), means);
        }
        List<double[]> known = new ArrayList<>();
        for (int i = 0; i < design.length; i++) {
            if (times.get(i).isKnown()) {
                known.add(design[i]);
            }
        }
        if (known.size() < p || inverse(known, weights(known.size())).isEmpty()) {
            return Optional.empty();
        }
        return inverse(List.of(design), weights(design.length)).map(all -> climb(times, design, means, all, near));
    }

    private static double[] means(List<Time> times, int p) {
        double[] means = new double[p];
        for (int j = 1; j < p; j++) {
            int column = j - 1;
            means[j] = times.stream()
                    .mapToDouble(time -> Math.log(time.x()[column]))
                    .average()
                    .orElseThrow();
        }
        return means;
    }

    private static double[] row(Time time, double[] means) {
        double[] row = new double[means.length];
        row[0] = 1;
        for (int j = 1; j < row.length; j++) {
            row[j] = Math.log(time.x()[j - 1]) - means[j];
        }
        return row;
    }

    private static double[] weights(int count) {
        double[] ones = new double[count];
        Arrays.fill(ones, 1);
        return ones;
    }

    /// From the bounds taken for times, or from the solution nearby.
    private static CensoredRegression climb(
            List<Time> times,
            double[][] design,
            double[] means,
            DMatrixRMaj inverse,
            Optional<CensoredRegression> near) {
        double[] y = new double[design.length];
        Side[] sides = new Side[design.length];
        for (int i = 0; i < y.length; i++) {
            Time time = times.get(i);
            boolean lower = time.low() > 0;
            y[i] = Math.log(lower ? time.low() : time.high());
            sides[i] = time.isKnown() ? Side.KNOWN : lower ? Side.AT_LEAST : Side.AT_MOST;
        }
        double[] coefficients = solve(design, y, inverse);
        TobitMaximum solution = new TobitMaximum(coefficients, scatter(design, y, coefficients));
        if (solution.sigma() > 0 && times.stream().anyMatch(time -> !time.isKnown())) {
            solution = TobitMaximum.of(
                    design,
                    y,
                    sides,
                    near.filter(other -> other.sigma > 0)
                            .map(other -> new TobitMaximum(other.moved(means), other.sigma))
                            .orElse(solution));
        }
        return new CensoredRegression(times, design, means, solution.coefficients(), solution.sigma());
    }

    /// The coefficients about other means.
    private double[] moved(double[] others) {
        double[] same = coefficients.clone();
        for (int j = 1; j < same.length; j++) {
            same[0] += same[j] * (others[j] - means[j]);
        }
        return same;
    }

    private static double[] solve(double[][] design, double[] y, DMatrixRMaj inverse) {
        int p = inverse.numRows;
        double[] right = new double[p];
        for (int i = 0; i < design.length; i++) {
            for (int j = 0; j < p; j++) {
                right[j] += design[i][j] * y[i];
            }
        }
        double[] coefficients = new double[p];
        for (int j = 0; j < p; j++) {
            for (int l = 0; l < p; l++) {
                coefficients[j] += inverse.get(j, l) * right[l];
            }
        }
        return coefficients;
    }

    private static double scatter(double[][] design, double[] y, double[] coefficients) {
        double sum = 0;
        for (int i = 0; i < design.length; i++) {
            double r = y[i] - dot(design[i], coefficients);
            sum += r * r;
        }
        return Math.sqrt(sum / design.length);
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int j = 0; j < a.length; j++) {
            sum += a[j] * b[j];
        }
        return sum;
    }

    /// (X' diag(weights) X)^-1; empty when a direction is as good as missing.
    private static Optional<DMatrixRMaj> inverse(List<double[]> rows, double[] weights) {
        int p = rows.getFirst().length;
        var normal = new DMatrixRMaj(p, p);
        for (int i = 0; i < rows.size(); i++) {
            double[] row = rows.get(i);
            for (int j = 0; j < p; j++) {
                for (int l = 0; l < p; l++) {
                    normal.add(j, l, weights[i] * row[j] * row[l]);
                }
            }
        }
        double scale = CommonOps_DDRM.trace(normal);
        var inverse = new DMatrixRMaj(p, p);
        boolean found = scale > 0 && CommonOps_DDRM.invert(normal, inverse);
        return found && CommonOps_DDRM.elementMaxAbs(inverse) * scale < 1e9 ? Optional.of(inverse) : Optional.empty();
    }

    CensoredPowerLaw law() {
        int p = coefficients.length;
        int known = (int) times.stream().filter(Time::isKnown).count();
        double[] information = new double[times.size()];
        for (int i = 0; i < information.length; i++) {
            information[i] = information(times.get(i), dot(design[i], coefficients));
        }
        double s = known > p ? sigma * Math.sqrt((double) known / (known - p)) : 0;
        Optional<DMatrixRMaj> covariance = inverse(List.of(design), information);
        List<Interval> exponents = new ArrayList<>();
        double[] toIntercept = new double[p];
        toIntercept[0] = 1;
        double intercept = coefficients[0];
        for (int j = 1; j < p; j++) {
            double[] only = new double[p];
            only[j] = 1;
            exponents.add(interval(coefficients[j], only, covariance, s, known - p));
            toIntercept[j] = -means[j];
            intercept -= means[j] * coefficients[j];
        }
        Interval log = interval(intercept, toIntercept, covariance, s, known - p);
        return new CensoredPowerLaw(
                exponents,
                new Interval(Math.exp(log.value()), Math.exp(log.low()), Math.exp(log.high())),
                s,
                known,
                times.size() - known);
    }

    /// How much of a known time's information on the mean a bound carries: 0 far beyond it, 1 far before.
    private double information(Time time, double mean) {
        if (time.isKnown() || sigma == 0) {
            return time.isKnown() ? 1 : 0;
        }
        boolean lower = time.low() > 0;
        double bound = Math.log(lower ? time.low() : time.high());
        double z = (lower ? bound - mean : mean - bound) / sigma;
        double hazard = NormalTail.hazard(z);
        return Math.clamp(hazard * (hazard - z), 0.0, 1.0);
    }

    private static Interval interval(
            double value, double[] direction, Optional<DMatrixRMaj> covariance, double s, int degrees) {
        if (covariance.isEmpty()) {
            return new Interval(value, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);
        }
        double variance = 0;
        for (int j = 0; j < direction.length; j++) {
            for (int l = 0; l < direction.length; l++) {
                variance += direction[j] * covariance.get().get(j, l) * direction[l];
            }
        }
        double margin = StudentT.margin(degrees, LEVEL, s * Math.sqrt(Math.max(0, variance)));
        return new Interval(value, value - margin, value + margin);
    }
}
