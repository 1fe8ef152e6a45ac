package dev.rote.tools.audit;

import dev.rote.metrics.CalibratedL2;
import dev.rote.metrics.MemorizedFraction;
import dev.rote.metrics.Neighbours;
import dev.rote.metrics.Share;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/// What the copy tests say of a set of images beside their nearest training images.
///
/// @param neighbours nearest training images, at least two for each
/// @param ratios d1 / d2 of each image
/// @param calibrated the extraction score l of each image
record Findings(Neighbours neighbours, double[] ratios, double[] calibrated) {
    static Findings of(Neighbours neighbours, CalibratedL2 test) {
        return new Findings(neighbours, MemorizedFraction.ratios(neighbours), test.scores(neighbours));
    }

    int count() {
        return ratios.length;
    }

    /// Whether image `i` is, bit for bit, a training image.
    boolean isIdentical(int i) {
        return neighbours.distance(i, 0) == 0;
    }

    /// Whether either test calls image `i` a copy: `d1 / d2 < k`, or `l < 1`.
    boolean isCopy(int i, double k) {
        return ratios[i] < k || calibrated[i] < 1;
    }

    Share copies(double k) {
        return share(i -> isCopy(i, k));
    }

    Share identical() {
        return share(this::isIdentical);
    }

    Share memorized(double k) {
        return Share.below(ratios, k);
    }

    Share extracted() {
        return Share.below(calibrated, 1);
    }

    private Share share(java.util.function.IntPredicate test) {
        return new Share(count(), (int) IntStream.range(0, count()).filter(test).count());
    }

    /// The images in the order of a report: copies first, each group by ratio, then by distance.
    int[] order(double k) {
        return IntStream.range(0, count())
                .boxed()
                .sorted(Comparator.comparing((Integer i) -> !isCopy(i, k))
                        .thenComparingDouble(i -> ratios[i])
                        .thenComparingDouble(i -> neighbours.distance(i, 0)))
                .mapToInt(Integer::intValue)
                .toArray();
    }

    /// The training images at `rank` (0 the nearest) of the given images.
    int[] originals(int[] images, int rank) {
        return Arrays.stream(images).map(i -> neighbours.index(i, rank)).toArray();
    }
}
