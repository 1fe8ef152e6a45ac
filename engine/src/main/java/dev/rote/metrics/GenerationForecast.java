package dev.rote.metrics;

import java.util.Arrays;
import java.util.List;

/// tau_gen at a training set size that was not run, from runs at smaller ones, of which some know but a bound.
///
/// ```
/// ln tau_gen = alpha + a ln n + e
/// ```
///
/// with a flat prior of alpha, a normal one of a, and e normal, of the scatter between runs. A bound enters by the
/// probability of what it leaves open, as in a Tobit model (Tobin, "Estimation of Relationships for Limited Dependent
/// Variables", Econometrica 26, 1958): few images are often copied before samples are good, and then the run says no
/// more than that tau_gen is later. What cuts the distribution off above is tau_mem of the large run, since tau_gen is
/// looked for before it. The posterior is integrated on a grid.
///
/// @param time the median of tau_gen with its 95 % interval, in updates
/// @param open probability that tau_mem is later than [#OPEN] times tau_gen
public record GenerationForecast(Interval time, double open) {
    /// A window that is narrower than this factor lies within the error of its own ends.
    public static final double OPEN = 1.5;

    /// Mean of a. Bonnaire et al. 2025 (arXiv:2505.17638, sec. 2) find tau_gen the same at every n, so 0; but read
    /// as the first step with a distance near the least one before tau_mem it grows with n. The three numbers
    /// describe the recorded runs of docs/early-stopping.md.
    static final double EXPONENT = 0.4;

    /// Standard deviation of a.
    static final double EXPONENT_DEVIATION = 0.3;

    /// Standard deviation of ln tau_gen between runs: it is read off a flat and noisy curve.
    static final double SCATTER = 0.5;

    private static final double STEP = 0.05; // of the grid of ln tau
    private static final double FAR = 5; // standard deviations beyond which nothing is left
    private static final int EXPONENTS = 21;

    /// What a run knows of its tau_gen.
    public enum Known {
        EXACT,
        /// The distance was still falling when copies came.
        AT_LEAST,
        /// The distance was good at the first measurement.
        AT_MOST
    }

    /// A run.
    ///
    /// @param n training images
    /// @param tau updates, 1 or more
    public record Point(double n, double tau, Known known) {
        public Point {
            if (!(n > 0) || Double.isInfinite(n) || !(tau >= 1) || Double.isInfinite(tau)) {
                throw new IllegalArgumentException(
                        "tau_gen: expected a positive n and 1 update or more, got " + n + " and " + tau);
            }
        }
    }

    public GenerationForecast {
        if (!(open >= 0 && open <= 1)) {
            throw new IllegalArgumentException("tau_gen: expected a probability, got " + open);
        }
    }

    /// @param points 1 or more
    /// @param n training images of the run that is forecast
    /// @param tauMem what is known of its tau_mem
    public static GenerationForecast of(List<Point> points, double n, LogNormal tauMem) {
        if (points.isEmpty() || !(n > 0) || Double.isInfinite(n)) {
            throw new IllegalArgumentException(
                    "tau_gen: expected runs and a positive n, got " + points.size() + " and " + n);
        }
        double end = tauMem.mean() + FAR * (tauMem.deviation() + SCATTER);
        double[] grid = new double[Math.max(2, (int) Math.ceil(end / STEP))]; // from one update on
        Arrays.setAll(grid, i -> i * STEP);
        double[] expected = blurred(levels(points, n, grid));
        double[] density = new double[grid.length];
        double whole = 0;
        double open = 0;
        for (int i = 0; i < grid.length; i++) {
            density[i] = expected[i] * later(tauMem, grid[i]);
            whole += density[i];
            open += expected[i] * later(tauMem, grid[i] + Math.log(OPEN));
        }
        Interval time = new Interval(quantile(density, 0.5), quantile(density, 0.025), quantile(density, 0.975));
        return new GenerationForecast(time, Math.min(1, open / whole));
    }

    /// Posterior of the level alpha + a ln n over the grid, up to a factor.
    private static double[] levels(List<Point> points, double n, double[] grid) {
        double[][] logs = new double[EXPONENTS][grid.length];
        double most = Double.NEGATIVE_INFINITY;
        for (int k = 0; k < EXPONENTS; k++) {
            double deviations = FAR * (2.0 * k / (EXPONENTS - 1) - 1);
            double a = EXPONENT + EXPONENT_DEVIATION * deviations;
            for (int j = 0; j < grid.length; j++) {
                double log = -0.5 * deviations * deviations;
                for (Point point : points) {
                    log += likelihood(point, grid[j] + a * Math.log(point.n() / n));
                }
                logs[k][j] = log;
                most = Math.max(most, log);
            }
        }
        double[] levels = new double[grid.length];
        for (double[] row : logs) {
            for (int j = 0; j < levels.length; j++) {
                levels[j] += Math.exp(row[j] - most);
            }
        }
        return levels;
    }

    /// With the scatter of a single run, up to a factor.
    private static double[] blurred(double[] levels) {
        double[] kernel = new double[(int) (FAR * SCATTER / STEP)];
        Arrays.setAll(kernel, i -> Math.exp(-0.5 * Math.pow(i * STEP / SCATTER, 2)));
        double[] sums = new double[levels.length];
        for (int i = 0; i < sums.length; i++) {
            int last = Math.min(levels.length, i + kernel.length);
            for (int j = Math.max(0, i - kernel.length + 1); j < last; j++) {
                sums[i] += levels[j] * kernel[Math.abs(i - j)];
            }
        }
        return sums;
    }

    /// Logarithm, up to a constant.
    private static double likelihood(Point point, double expected) {
        double z = (Math.log(point.tau()) - expected) / SCATTER;
        return switch (point.known()) {
            case EXACT -> -0.5 * z * z;
            case AT_LEAST -> NormalTail.log(z);
            case AT_MOST -> NormalTail.log(-z);
        };
    }

    private static double later(LogNormal tau, double log) {
        return NormalTail.probability((log - tau.mean()) / tau.deviation());
    }

    /// Of tau, where its logarithm has this density over the grid.
    private static double quantile(double[] density, double share) {
        double rest = share * Arrays.stream(density).sum();
        int i = 0;
        while (i < density.length - 1 && rest > density[i]) {
            rest -= density[i++];
        }
        return Math.exp((i - 0.5 + Math.min(1, rest / density[i])) * STEP);
    }
}
