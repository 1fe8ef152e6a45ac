package dev.rote.metrics;

import java.util.Arrays;
import java.util.function.ToDoubleFunction;

/// Percentile bootstrap (Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13): the interval runs from
/// the (1 - level)/2 to the (1 + level)/2 quantile of the statistic over resamples drawn with replacement. The same
/// seed
/// gives the same interval on every machine (splitmix64; resample number b has its own stream).
///
/// @param resamples number of resamples, 1 or more
/// @param level coverage aimed at, between 0 and 1
/// @param seed of the resampling
public record Bootstrap(int resamples, double level, long seed) {
    public Bootstrap {
        if (resamples < 1 || !(level > 0 && level < 1)) {
            throw new IllegalArgumentException(
                    "bootstrap: expected resamples >= 1 and 0 < level < 1, got " + resamples + " and " + level);
        }
    }

    /// 1000 resamples, 95 %: what study 1 reports.
    public static Bootstrap standard(long seed) {
        return new Bootstrap(1000, 0.95, seed);
    }

    /// Mean of `values`, 1 or more.
    public Interval mean(double[] values) {
        requireSome(values.length);
        return of(values.length, sample -> {
            double sum = 0;
            for (int i : sample) {
                sum += values[i];
            }
            return sum / sample.length;
        });
    }

    /// Any statistic of a data set with `count` members. It gets `count` indices into the data: 0, 1, ..., count - 1
    /// for
    /// the value, then each resample. The array is reused; +-infinity is a legal value of the statistic, NaN is not.
    public Interval of(int count, ToDoubleFunction<int[]> statistic) {
        requireSome(count);
        int[] sample = new int[count];
        Arrays.setAll(sample, i -> i);
        double value = statistic.applyAsDouble(sample);
        double[] resampled = new double[resamples];
        for (int b = 0; b < resamples; b++) {
            SplitMix64 random = random(b);
            for (int i = 0; i < count; i++) {
                sample[i] = random.nextInt(count);
            }
            resampled[b] = statistic.applyAsDouble(sample);
        }
        return interval(value, resampled);
    }

    /// The generator of resample number `b`.
    SplitMix64 random(int b) {
        return new SplitMix64(seed, b);
    }

    /// The percentile interval of statistics that were resampled elsewhere; sorts them.
    Interval interval(double value, double[] resampled) {
        Arrays.sort(resampled);
        return new Interval(value, quantile(resampled, (1 - level) / 2), quantile(resampled, (1 + level) / 2));
    }

    /// Quantile by linear interpolation between order statistics (Hyndman & Fan 1996, type 7).
    static double quantile(double[] sorted, double p) {
        double at = p * (sorted.length - 1);
        int below = (int) Math.floor(at);
        int above = Math.min(below + 1, sorted.length - 1);
        if (at == below || sorted[below] == sorted[above]) {
            return sorted[below]; // also avoids infinity - infinity
        }
        return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    }

    private static void requireSome(int count) {
        if (count < 1) {
            throw new IllegalArgumentException("bootstrap: expected at least one value, got " + count);
        }
    }
}
