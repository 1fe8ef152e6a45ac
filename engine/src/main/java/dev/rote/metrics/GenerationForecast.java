package dev.rote.metrics;

import java.util.Arrays;
import java.util.List;

/// tau_gen at a training set size that was not run, from runs at smaller ones, of which some know but a bound.
///
/// ```
/// ln tau_gen = alpha + a ln n + e
/// ```
///
/// with a flat prior of alpha, a normal one of a ([Prior]), and e normal, of the scatter between runs. A bound
/// enters by the probability of what it leaves open, as in a Tobit model (Tobin, "Estimation of Relationships for
/// Limited Dependent Variables", Econometrica 26, 1958): few images are often copied before samples are good, and
/// then the run says no more than that tau_gen is later. What cuts the distribution off above is tau_mem of the
/// large run, since tau_gen is looked for before it. The posterior is integrated on a grid.
///
/// @param time the median of tau_gen with its 95 % interval, in updates
/// @param open probability that tau_mem is later than [#OPEN] times tau_gen
public record GenerationForecast(Interval time, double open) {
    /// A window that is narrower than this factor lies within the error of its own ends.
    public static final double OPEN = 1.5;

    private static final double STEP = 0.05; // of the grid of ln tau
    private static final double FAR = 5; // standard deviations beyond which nothing is left
    private static final int EXPONENTS = 21;

    /// What is believed before any run.
    ///
    /// @param exponent mean of a
    /// @param deviation standard deviation of a
    /// @param scatter standard deviation of ln tau_gen between runs: it is read off a flat and noisy curve
    public record Prior(double exponent, double deviation, double scatter) {
        /// Bonnaire et al. 2025 (arXiv:2505.17638, sec. 2) find tau_gen the same at every n, so an exponent of 0; but
        /// read as the first step with a distance near the least one before tau_mem it grows with n. The three numbers
        /// describe the recorded runs of docs/early-stopping.md.
        public static final Prior RECORDED = new Prior(0.4, 0.3, 0.5);

        public Prior {
            if (!Double.isFinite(exponent)
                    || !(deviation > 0)
                    || !(scatter > 0)
                    || Double.isInfinite(deviation * scatter)) {
                throw new IllegalArgumentException("prior of tau_gen: expected an exponent, a positive deviation and a "
                        + "positive scatter, got " + exponent + ", " + deviation + ", " + scatter);
            }
        }
    }

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

    /// With [Prior#RECORDED].
    ///
    /// @param points 1 or more
    /// @param n training images of the run that is forecast
    /// @param tauMem what is known of its tau_mem
    public static GenerationForecast of(List<Point> points, double n, LogNormal tauMem) {
        return of(points, n, tauMem, Prior.RECORDED);
    }

    /// With another prior.
    public static GenerationForecast of(List<Point> points, double n, LogNormal tauMem, Prior prior) {
        double[] grid = grid(n, tauMem, prior);
        double[] expected = expected(points, n, grid, prior);
        double[] density = before(tauMem, 1, expected, grid);
        double open = sum(before(tauMem, OPEN, expected, grid)) / sum(density);
        Interval time = new Interval(quantile(density, 0.5), quantile(density, 0.025), quantile(density, 0.975));
        return new GenerationForecast(time, Math.min(1, open));
    }

    /// How well a forecast foresaw what happened: the logarithm of the density of ln tau_gen at the true one, or of the
    /// probability of a bound (logarithmic score; Gneiting & Raftery, "Strictly Proper Scoring Rules, Prediction, and
    /// Estimation", J. Am. Stat. Assoc. 102, 2007). The larger the better.
    ///
    /// @param truth what the run did
    public static double score(List<Point> points, double n, LogNormal tauMem, Prior prior, Point truth) {
        double[] grid = grid(n, tauMem, prior);
        double[] density = before(tauMem, 1, expected(points, n, grid, prior), grid);
        double whole = sum(density);
        double sooner = sooner(density, truth.tau());
        double share =
                switch (truth.known()) {
                    case EXACT -> at(density, truth.tau()) / STEP;
                    case AT_LEAST -> whole - sooner;
                    case AT_MOST -> sooner;
                };
        return Math.log(Math.max(Double.MIN_NORMAL, share / whole));
    }

    /// The density at a time, between the grid's.
    private static double at(double[] density, double tau) {
        double at = Math.log(tau) / STEP;
        int i = (int) at;
        return i >= density.length - 1 ? 0 : density[i] + (at - i) * (density[i + 1] - density[i]);
    }

    /// What lies below a time; each point of the grid stands for half a step to either side.
    private static double sooner(double[] density, double tau) {
        double at = Math.log(tau) / STEP + 0.5;
        int i = (int) Math.min(at, density.length);
        double below = sum(Arrays.copyOf(density, i));
        return i == density.length ? below : below + (at - i) * density[i];
    }

    /// ln tau from one update to where nothing is left.
    private static double[] grid(double n, LogNormal tauMem, Prior prior) {
        if (!(n > 0) || Double.isInfinite(n)) {
            throw new IllegalArgumentException("tau_gen: expected a positive n, got " + n);
        }
        double end = tauMem.mean() + FAR * (tauMem.deviation() + prior.scatter());
        double[] grid = new double[Math.max(2, (int) Math.ceil(end / STEP))];
        Arrays.setAll(grid, i -> i * STEP);
        return grid;
    }

    /// Of a new run, whenever it copies; up to a factor.
    private static double[] expected(List<Point> points, double n, double[] grid, Prior prior) {
        if (points.isEmpty()) {
            throw new IllegalArgumentException("tau_gen: expected runs, got none");
        }
        return blurred(levels(points, n, grid, prior), prior.scatter());
    }

    /// Weighted by the probability that tau_mem is later than `factor` times tau.
    private static double[] before(LogNormal tauMem, double factor, double[] expected, double[] grid) {
        double[] density = new double[grid.length];
        Arrays.setAll(density, i -> expected[i] * later(tauMem, grid[i] + Math.log(factor)));
        return density;
    }

    private static double sum(double[] values) {
        return Arrays.stream(values).sum();
    }

    /// Posterior of the level alpha + a ln n over the grid, up to a factor.
    private static double[] levels(List<Point> points, double n, double[] grid, Prior prior) {
        double[][] logs = new double[EXPONENTS][grid.length];
        double most = Double.NEGATIVE_INFINITY;
        for (int k = 0; k < EXPONENTS; k++) {
            double deviations = FAR * (2.0 * k / (EXPONENTS - 1) - 1);
            double a = prior.exponent() + prior.deviation() * deviations;
            for (int j = 0; j < grid.length; j++) {
                double log = -0.5 * deviations * deviations;
                for (Point point : points) {
                    log += likelihood(point, grid[j] + a * Math.log(point.n() / n), prior.scatter());
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
    private static double[] blurred(double[] levels, double scatter) {
        double[] kernel = new double[(int) (FAR * scatter / STEP)];
        Arrays.setAll(kernel, i -> Math.exp(-0.5 * Math.pow(i * STEP / scatter, 2)));
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
    private static double likelihood(Point point, double expected, double scatter) {
        double z = (Math.log(point.tau()) - expected) / scatter;
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
        double rest = share * sum(density);
        int i = 0;
        while (i < density.length - 1 && rest > density[i]) {
            rest -= density[i++];
        }
        return Math.exp((i - 0.5 + Math.min(1, rest / density[i])) * STEP);
    }
}
