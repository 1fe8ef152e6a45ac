package dev.rote.metrics;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The training set size at which copying sets in, at one moment of training: runs with fewer images copy by then, runs
/// with more do not. Over widths these are the lines of the phase diagram of Bonnaire et al., arXiv:2505.17638, Fig. 3.
///
/// The memorized fraction f of each run is interpolated in log tau at the moment asked for; the boundary is where f
/// over log n falls to the threshold, interpolated linearly between two sizes. Threshold 0 gives the paper's strict
/// rule,
/// the smallest n without a copy, which depends on the number of samples; 1 % is sturdier.
///
/// - A run that ended before the moment, or began to be measured after it, is known only where f cannot have come back
///   across the threshold: one that copied at its last measurement copies later too, one that did not copy at its first
///   did not copy before. It then stands with that f. Otherwise it is left out.
/// - Of several runs of one size the mean counts.
/// - f is made non-increasing in n first (pool adjacent violators, weights the runs; Barlow et al. 1972), because
///   noise can break the order.
///
/// @param side whether the boundary lies among the measured sizes
/// @param n the boundary; the largest n when ABOVE (a lower bound), the smallest when BELOW (an upper bound), NaN when
///     UNKNOWN
/// @param below largest measured n with f above the threshold, 0 if there is none
/// @param above smallest measured n with f at or below the threshold, infinite if there is none
/// @param interval 95 %: runs of a size and samples of a measurement are drawn again; 0 and infinity as ends mean
///     outside of the measured sizes
public record PhaseBoundary(Side side, double n, double below, double above, Interval interval) {
    /// Where the boundary lies.
    public enum Side {
        /// Between two measured sizes.
        WITHIN,
        /// Every measured size copies: the boundary is at a larger n.
        ABOVE,
        /// No measured size copies: the boundary is at a smaller n.
        BELOW,
        /// Nothing is known at this moment.
        UNKNOWN
    }

    /// How many samples of one run were copies, over training.
    ///
    /// @param steps growing
    /// @param hits copies at each step
    /// @param counts samples at each step
    public record Copies(double[] steps, int[] hits, int[] counts) {
        public Copies {
            if (steps.length == 0 || hits.length != steps.length || counts.length != steps.length) {
                throw new IllegalArgumentException("copies: expected as many hits and counts as steps and at least one,"
                        + " got " + hits.length + ", " + counts.length + " for " + steps.length);
            }
            for (int i = 0; i < steps.length; i++) {
                if (counts[i] < 1 || hits[i] < 0 || hits[i] > counts[i] || (i > 0 && !(steps[i] > steps[i - 1]))) {
                    throw new IllegalArgumentException("copies: expected growing steps and hits among the samples, got "
                            + hits[i] + " of " + counts[i] + " at step " + steps[i]);
                }
            }
        }

        /// f at the moment, NaN when it is not known on which side of the threshold it is.
        ///
        /// @param random draws the samples of the measurements again; empty leaves them as they are
        private double at(double step, double threshold, Optional<SplitMix64> random) {
            int last = steps.length - 1;
            if (step >= steps[last]) {
                boolean exact = step == steps[last] || Double.isInfinite(step);
                double share = share(last, random);
                return exact || share > threshold ? share : Double.NaN;
            }
            if (step < steps[0]) {
                double share = share(0, random);
                return share <= threshold ? share : Double.NaN;
            }
            int next = 1;
            while (steps[next] <= step) {
                next++;
            }
            double from = steps[next - 1];
            double part = from > 0 ? Math.log(step / from) / Math.log(steps[next] / from) : step / steps[next];
            double before = share(next - 1, random);
            return before + part * (share(next, random) - before);
        }

        private double share(int i, Optional<SplitMix64> random) {
            int drawn = random.isEmpty() ? hits[i] : TimeScales.redraw(hits[i], counts[i], random.get());
            return (double) drawn / counts[i];
        }
    }

    /// The runs of one training set size.
    ///
    /// @param n images
    /// @param runs such as one per seed
    public record Size(double n, List<Copies> runs) {
        public Size {
            runs = List.copyOf(runs);
            if (!(n > 0) || runs.isEmpty()) {
                throw new IllegalArgumentException("size: expected a positive n with runs, got " + n + " with " + runs);
            }
        }

        /// The known shares: their mean and how many they are; runs are drawn again with `random`.
        private double[] at(double step, double threshold, Optional<SplitMix64> random) {
            double sum = 0;
            int known = 0;
            for (int i = 0; i < runs.size(); i++) {
                int run = random.isEmpty() ? i : random.get().nextInt(runs.size());
                double share = runs.get(run).at(step, threshold, random);
                if (!Double.isNaN(share)) {
                    sum += share;
                    known++;
                }
            }
            return new double[] {sum / known, known};
        }
    }

    /// @param sizes in growing order of n
    /// @param step the moment, in optimizer updates; infinite for the last measurement of each run
    /// @param threshold of the memorized fraction, 0 or more
    /// @throws IllegalArgumentException when sizes do not grow
    public static PhaseBoundary at(List<Size> sizes, double step, double threshold, Bootstrap bootstrap) {
        for (int i = 1; i < sizes.size(); i++) {
            if (!(sizes.get(i).n() > sizes.get(i - 1).n())) {
                throw new IllegalArgumentException("phase boundary: expected growing n, got "
                        + sizes.get(i).n() + " after " + sizes.get(i - 1).n());
            }
        }
        Found found = find(sizes, step, threshold, Optional.empty());
        if (found.side == Side.UNKNOWN) {
            Interval nothing = new Interval(0, 0, Double.POSITIVE_INFINITY);
            return new PhaseBoundary(Side.UNKNOWN, Double.NaN, 0, Double.POSITIVE_INFINITY, nothing);
        }
        double[] drawn = new double[bootstrap.resamples()];
        int known = 0;
        for (int b = 0; b < drawn.length; b++) {
            Found again = find(sizes, step, threshold, Optional.of(bootstrap.random(b)));
            if (again.side != Side.UNKNOWN) {
                drawn[known++] = again.position();
            }
        }
        Interval interval = known == 0
                ? new Interval(found.n, 0, Double.POSITIVE_INFINITY)
                : bootstrap.interval(found.n, Arrays.copyOf(drawn, known));
        return new PhaseBoundary(found.side, found.n, found.below, found.above, interval);
    }

    private record Found(Side side, double n, double below, double above) {
        double position() {
            return switch (side) {
                case ABOVE -> Double.POSITIVE_INFINITY;
                case BELOW -> 0;
                case WITHIN, UNKNOWN -> n;
            };
        }
    }

    private static Found find(List<Size> sizes, double step, double threshold, Optional<SplitMix64> random) {
        double[] n = new double[sizes.size()];
        double[] shares = new double[n.length];
        double[] weights = new double[n.length];
        int known = 0;
        for (Size size : sizes) {
            double[] share = size.at(step, threshold, random);
            if (share[1] > 0) {
                n[known] = size.n();
                shares[known] = share[0];
                weights[known++] = share[1];
            }
        }
        if (known == 0) {
            return new Found(Side.UNKNOWN, Double.NaN, 0, Double.POSITIVE_INFINITY);
        }
        double[] falling = falling(Arrays.copyOf(shares, known), weights);
        int first = 0;
        while (first < known && falling[first] > threshold) {
            first++;
        }
        if (first == 0) {
            return new Found(Side.BELOW, n[0], 0, n[0]);
        }
        if (first == known) {
            return new Found(Side.ABOVE, n[known - 1], n[known - 1], Double.POSITIVE_INFINITY);
        }
        double part = (falling[first - 1] - threshold) / (falling[first - 1] - falling[first]);
        double at = n[first - 1] * Math.pow(n[first] / n[first - 1], part);
        return new Found(Side.WITHIN, at, n[first - 1], n[first]);
    }

    /// The non-increasing sequence nearest to `values` in weighted squares (pool adjacent violators).
    static double[] falling(double[] values, double[] weights) {
        double[] mean = new double[values.length];
        double[] weight = new double[values.length];
        int[] length = new int[values.length];
        int blocks = 0;
        for (int i = 0; i < values.length; i++) {
            mean[blocks] = values[i];
            weight[blocks] = weights[i];
            length[blocks++] = 1;
            while (blocks > 1 && mean[blocks - 1] > mean[blocks - 2]) {
                double both = weight[blocks - 2] + weight[blocks - 1];
                mean[blocks - 2] =
                        (mean[blocks - 2] * weight[blocks - 2] + mean[blocks - 1] * weight[blocks - 1]) / both;
                weight[blocks - 2] = both;
                length[blocks - 2] += length[blocks - 1];
                blocks--;
            }
        }
        double[] result = new double[values.length];
        int at = 0;
        for (int block = 0; block < blocks; block++) {
            Arrays.fill(result, at, at + length[block], mean[block]);
            at += length[block];
        }
        return result;
    }
}
