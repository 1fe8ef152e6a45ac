package dev.rote.metrics;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;

/// The clocks of a training run, read from curves that were measured at a few steps.
///
/// - **tau_mem**: the memorized fraction rises above a fixed level. Absolute levels, since curves that are divided by
///   their last point are biased when runs end at different times.
/// - **tau_gen**: the Fréchet distance comes within 10 % of its minimum before tau_mem.
/// - **loss split**: test loss leaves train loss, the overfitting time of Bonnaire et al., arXiv:2505.17638, and
/// tau_mem of Marion & Wu, arXiv:2605.06077. It is another clock than the first: say which one is meant.
///
/// Those of a divergence from a known density are in [DivergenceTimes].
public final class TimeScales {
    /// Levels of the memorized fraction: the first defines tau_mem, the others are reported beside it.
    public static final List<Double> LEVELS = List.of(0.01, 0.10, 0.50);

    /// tau_gen: within this factor of the minimum.
    public static final double GENERATION_FACTOR = 1.1;

    /// Loss split: a gap above this share of the test loss.
    public static final double SPLIT_MARGIN = 0.10;

    private TimeScales() {}

    /// First measured step above `threshold`, moved back by linear interpolation of the value in log step between
    /// it and the measurement before. From a measurement at step 0 the interpolation is linear in the step.
    ///
    /// @return empty if no measurement is above: the crossing, if any, is after the last step
    public static Optional<Crossing> crossing(Curve curve, double threshold) {
        return crossing(curve.steps(), curve.values(), threshold);
    }

    static Optional<Crossing> crossing(double[] steps, double[] values, double threshold) {
        for (int i = 0; i < steps.length; i++) {
            if (values[i] > threshold) {
                return Optional.of(
                        i == 0
                                ? new Crossing(steps[0], 0, steps[0], true)
                                : new Crossing(
                                        interpolate(steps, values, i, threshold), steps[i - 1], steps[i], false));
            }
        }
        return Optional.empty();
    }

    /// First measured step with a value above 0, not interpolated: the strict onset, which depends on the sample
    /// count.
    public static Optional<Crossing> firstNonZero(Curve curve) {
        return crossing(curve, 0).map(c -> new Crossing(c.after(), c.before(), c.after(), c.censored()));
    }

    /// The steps between which the crossing lies according to the pointwise intervals: from where the upper ends
    /// cross to where the lower ends cross (+infinity: they never do; 0: above at the first measurement).
    public static CrossingInterval crossingBand(Curve curve, double threshold) {
        Optional<Crossing> measured = crossing(curve, threshold);
        double earliest = position(crossing(curve.steps(), curve.highs(), threshold));
        double latest = position(crossing(curve.steps(), curve.lows(), threshold));
        double value = measured.map(Crossing::step).orElse(Double.POSITIVE_INFINITY);
        return new CrossingInterval(measured, new Interval(value, earliest, latest), 0, 0);
    }

    /// tau_mem with its uncertainty from the samples: in each resample every measurement's samples are drawn again
    /// with replacement, independently of the other measurements, and the crossing is found anew. (A redrawn share
    /// of memorized samples depends on their number only, so ratios are counted once.)
    ///
    /// @param steps where samples were taken
    /// @param ratios d1 / d2 of each sample, one array per step ([MemorizedFraction#ratios])
    /// @param k a sample is memorized if its ratio is below
    /// @param level of the memorized fraction
    public static CrossingInterval memorization(
            double[] steps, List<double[]> ratios, double k, double level, Bootstrap bootstrap) {
        return resampled(steps, ratios, k, bootstrap, shares -> crossing(steps, shares, level));
    }

    /// The first step with a memorized sample, with its uncertainty from the samples as in [#memorization]. A
    /// redrawn set of samples can miss a copy and never shows one where none was, so the interval reaches to later
    /// steps only.
    public static CrossingInterval firstCopy(double[] steps, List<double[]> ratios, double k, Bootstrap bootstrap) {
        return resampled(steps, ratios, k, bootstrap, shares -> firstNonZero(Curve.of(steps, shares)));
    }

    private static CrossingInterval resampled(
            double[] steps,
            List<double[]> ratios,
            double k,
            Bootstrap bootstrap,
            Function<double[], Optional<Crossing>> crossing) {
        if (ratios.size() != steps.length || ratios.stream().anyMatch(r -> r.length == 0)) {
            throw new IllegalArgumentException("memorization time: expected samples for each of " + steps.length
                    + " steps, got " + ratios.size() + " arrays, perhaps empty ones");
        }
        int[] counts = ratios.stream().mapToInt(r -> r.length).toArray();
        int[] hits = ratios.stream()
                .mapToInt(r -> (int) Arrays.stream(r).filter(ratio -> ratio < k).count())
                .toArray();
        double[] shares = new double[steps.length];
        Arrays.setAll(shares, i -> (double) hits[i] / counts[i]);
        Optional<Crossing> measured = crossing.apply(shares);
        double[] resampled = new double[bootstrap.resamples()];
        for (int b = 0; b < resampled.length; b++) {
            SplitMix64 random = bootstrap.random(b);
            for (int i = 0; i < shares.length; i++) {
                shares[i] = (double) redraw(hits[i], counts[i], random) / counts[i];
            }
            resampled[b] = position(crossing.apply(shares));
        }
        int never = (int) Arrays.stream(resampled).filter(Double::isInfinite).count();
        int censored = (int) Arrays.stream(resampled).filter(step -> step == 0).count();
        double value = measured.map(Crossing::step).orElse(Double.POSITIVE_INFINITY);
        return new CrossingInterval(measured, bootstrap.interval(value, resampled), never, censored);
    }

    /// Median over seeds with its percentile bootstrap interval. A seed that never crossed is +infinity; the median
    /// stays finite while most seeds cross. For few seeds that all crossed, [StudentT#geometricMean] is the sharper
    /// statement.
    ///
    /// @param crossings one step per seed
    public static Interval overSeeds(double[] crossings, Bootstrap bootstrap) {
        return bootstrap.of(crossings.length, sample -> {
            double[] drawn = Arrays.stream(sample)
                    .mapToDouble(i -> crossings[i])
                    .sorted()
                    .toArray();
            return Bootstrap.quantile(drawn, 0.5);
        });
    }

    /// tau_gen from Fréchet distances, looking only at steps up to `memorizationStep` (all steps if it is empty).
    ///
    /// @param factor how close to the minimum is good, such as [#GENERATION_FACTOR]; at least 1
    /// @return empty if nothing was measured up to `memorizationStep`
    public static Optional<GenerationTime> generation(Curve frechet, OptionalDouble memorizationStep, double factor) {
        if (!(factor >= 1)) {
            throw new IllegalArgumentException("generation time: expected a factor of at least 1, got " + factor);
        }
        double end = memorizationStep.orElse(Double.POSITIVE_INFINITY);
        int considered =
                (int) Arrays.stream(frechet.steps()).filter(step -> step <= end).count();
        if (considered == 0) {
            return Optional.empty();
        }
        double[] values = frechet.values();
        int best = argmin(values, considered);
        int first = 0;
        while (values[first] > factor * values[best]) {
            first++;
        }
        return Optional.of(new GenerationTime(
                frechet.steps()[first], frechet.steps()[best], values[best], best == considered - 1));
    }

    /// The interval of [#generation] from the distances' own: in each resample every distance is drawn from the
    /// normal distribution with its 95 % interval (a parametric bootstrap) and tau_gen is found anew. A low end of
    /// 0 means "perhaps before the first measurement".
    ///
    /// @param frechet with 95 % intervals
    /// @return empty as [#generation] is
    public static Optional<Interval> generationInterval(
            Curve frechet, OptionalDouble memorizationStep, double factor, Bootstrap bootstrap) {
        Optional<GenerationTime> measured = generation(frechet, memorizationStep, factor);
        if (measured.isEmpty()) {
            return Optional.empty();
        }
        double[] resampled = new double[bootstrap.resamples()];
        for (int b = 0; b < resampled.length; b++) {
            double[] drawn = redrawn(frechet, bootstrap.random(b));
            Arrays.setAll(drawn, i -> Math.max(0, drawn[i]));
            double step = generation(Curve.of(frechet.steps(), drawn), memorizationStep, factor)
                    .orElseThrow()
                    .step();
            resampled[b] = step == frechet.steps()[0] ? 0 : step;
        }
        return Optional.of(bootstrap.interval(measured.get().step(), resampled));
    }

    /// Every value drawn again from the normal distribution with its own 95 % interval.
    static double[] redrawn(Curve curve, SplitMix64 random) {
        double[] drawn = new double[curve.length()];
        for (int i = 0; i < drawn.length; i++) {
            double error = (curve.highs()[i] - curve.values()[i]) / Interval.NORMAL_975;
            drawn[i] = curve.values()[i] + error * random.nextGaussian();
        }
        return drawn;
    }

    /// First step where test loss exceeds train loss by more than `margin` of the test loss, interpolated like
    /// [#crossing]; and the test loss's minimum.
    ///
    /// The interval of the split is that of [#crossingBand] over the relative gap, whose own follows from the
    /// losses' by the usual propagation of two independent errors. Draws of the noise are the same at every step,
    /// so errors do not average out along the curve, and a band is the right thing to read.
    ///
    /// @param train at the same steps as `test`
    /// @param test above 0
    /// @param margin share of the test loss, such as [#SPLIT_MARGIN]
    public static LossSplit lossSplit(Curve train, Curve test, double margin) {
        if (!Arrays.equals(train.steps(), test.steps())) {
            throw new IllegalArgumentException("loss split: train and test loss must be measured at the same steps");
        }
        double[] gap = new double[test.length()];
        double[] low = new double[gap.length];
        double[] high = new double[gap.length];
        for (int i = 0; i < gap.length; i++) {
            if (!(test.values()[i] > 0)) {
                throw new IllegalArgumentException("loss split: step " + test.steps()[i]
                        + ": expected a positive test loss, found " + test.values()[i]);
            }
            double share = train.values()[i] / test.values()[i];
            double error = Math.hypot(half(train, i), share * half(test, i)) / test.values()[i];
            gap[i] = (test.values()[i] - train.values()[i]) / test.values()[i];
            low[i] = gap[i] - error;
            high[i] = gap[i] + error;
        }
        int best = argmin(test.values(), gap.length);
        CrossingInterval band = crossingBand(new Curve(test.steps(), gap, low, high), margin);
        return new LossSplit(band.crossing(), band.interval(), test.steps()[best], test.values()[best]);
    }

    private static double half(Curve curve, int i) {
        return (curve.highs()[i] - curve.lows()[i]) / 2;
    }

    private static double interpolate(double[] steps, double[] values, int i, double threshold) {
        double a = steps[i - 1];
        double b = steps[i];
        double fraction = (threshold - values[i - 1]) / (values[i] - values[i - 1]);
        double known = Double.isNaN(fraction) ? 1 : fraction; // infinite interval ends: not before b
        return a == 0 ? known * b : a * Math.exp(known * Math.log(b / a));
    }

    /// 0 when it lies before the first measurement, +infinity when there is none.
    static double position(Optional<Crossing> crossing) {
        return crossing.map(c -> c.censored() ? 0 : c.step()).orElse(Double.POSITIVE_INFINITY);
    }

    static int redraw(int hits, int count, SplitMix64 random) {
        if (hits == 0 || hits == count) {
            return hits;
        }
        int drawn = 0;
        for (int i = 0; i < count; i++) {
            drawn += random.nextInt(count) < hits ? 1 : 0;
        }
        return drawn;
    }

    private static int argmin(double[] values, int length) {
        int best = 0;
        for (int i = 1; i < length; i++) {
            best = values[i] < values[best] ? i : best;
        }
        return best;
    }
}
