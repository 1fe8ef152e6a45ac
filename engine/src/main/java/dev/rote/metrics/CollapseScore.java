package dev.rote.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// How well curves of runs with different n fall on one curve when their steps are divided by n, after the
/// data-collapse measure of Bhattacharjee & Seno 2001 (J. Phys. A 34, 6375), turned sideways: at fixed levels of
/// the value, how far apart are the (interpolated) steps?
///
/// With x = log tau - a log n for the crossing tau of run j at level l, the score for exponent a is the mean over all
/// crossings of (x - mean of x at that level)^2: a variance in log tau, 0 for a perfect collapse; its root r reads as
/// "times agree within a factor e^r". Levels that fewer than two runs cross, and crossings before the first
/// measurement, are left out.
///
/// @param collapsed score of tau / n (a = 1)
/// @param raw score of tau itself (a = 0), to compare with
/// @param bestExponent the a that collapses best (least squares with one offset per level)
/// @param bestScore score of tau / n^bestExponent
/// @param crossings how many crossings entered
public record CollapseScore(double collapsed, double raw, double bestExponent, double bestScore, int crossings) {
    /// @param curves one per run
    /// @param n training set size of each run
    /// @param levels values at which to compare
    /// @return empty if no level is crossed by runs of two different n
    public static Optional<CollapseScore> of(List<Curve> curves, double[] n, double[] levels) {
        if (curves.size() != n.length) {
            throw new IllegalArgumentException(
                    "collapse: expected one n per curve, got " + n.length + " for " + curves.size());
        }
        double sNN = 0;
        double sNT = 0;
        double sTT = 0;
        int used = 0;
        for (double level : levels) {
            List<double[]> points = crossings(curves, n, level);
            if (points.size() < 2) {
                continue;
            }
            double meanN = points.stream().mapToDouble(p -> p[0]).average().orElseThrow();
            double meanT = points.stream().mapToDouble(p -> p[1]).average().orElseThrow();
            for (double[] p : points) {
                sNN += (p[0] - meanN) * (p[0] - meanN);
                sNT += (p[0] - meanN) * (p[1] - meanT);
                sTT += (p[1] - meanT) * (p[1] - meanT);
            }
            used += points.size();
        }
        if (!(sNN > 0)) {
            return Optional.empty();
        }
        double best = sNT / sNN;
        return Optional.of(new CollapseScore(
                score(1, sNN, sNT, sTT, used), sTT / used, best, score(best, sNN, sNT, sTT, used), used));
    }

    /// [#bestExponent] with its percentile interval over runs: runs are drawn again with replacement, each with its
    /// curve (Efron & Tibshirani 1993, sec. 9.5). Draws of a single n are drawn again. Too narrow for fewer than
    /// about ten runs.
    ///
    /// @return empty as [#of] is
    public static Optional<Interval> exponentByBootstrap(
            List<Curve> curves, double[] n, double[] levels, Bootstrap bootstrap) {
        Optional<CollapseScore> measured = of(curves, n, levels);
        if (measured.isEmpty()) {
            return Optional.empty();
        }
        double[] exponents = new double[bootstrap.resamples()];
        double[] drawnN = new double[n.length];
        for (int b = 0; b < exponents.length; b++) {
            SplitMix64 random = bootstrap.random(b);
            Optional<CollapseScore> drawn;
            do {
                List<Curve> sample = new ArrayList<>();
                for (int i = 0; i < n.length; i++) {
                    int at = random.nextInt(n.length);
                    sample.add(curves.get(at));
                    drawnN[i] = n[at];
                }
                drawn = of(sample, drawnN, levels);
            } while (drawn.isEmpty());
            exponents[b] = drawn.get().bestExponent;
        }
        return Optional.of(bootstrap.interval(measured.get().bestExponent, exponents));
    }

    private static double score(double a, double sNN, double sNT, double sTT, int used) {
        return Math.max(0, sTT - 2 * a * sNT + a * a * sNN) / used;
    }

    /// (log n, log tau) of each run that crosses.
    private static List<double[]> crossings(List<Curve> curves, double[] n, double level) {
        List<double[]> points = new ArrayList<>();
        for (int j = 0; j < n.length; j++) {
            if (!(n[j] > 0)) {
                throw new IllegalArgumentException("collapse: expected a positive n, got " + n[j]);
            }
            double logN = Math.log(n[j]);
            TimeScales.crossing(curves.get(j), level)
                    .filter(c -> !c.censored() && c.step() > 0)
                    .ifPresent(c -> points.add(new double[] {logN, Math.log(c.step())}));
        }
        return points;
    }
}
