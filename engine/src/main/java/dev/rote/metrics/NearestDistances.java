package dev.rote.metrics;

import java.util.Arrays;

/// How near samples come to training images, beside how near held-out images come: the base rate of "close". Distances
/// are root mean squares over the values of an image, `|x - a| / sqrt(d)`.
///
/// @param samples nearest distances of samples, growing
/// @param heldOut nearest distances of held-out images, growing; may be empty
public record NearestDistances(double[] samples, double[] heldOut) {
    /// The share of held-out images that are "close" by definition.
    public static final double CLOSE = 0.01;

    /// @param samples nearest training images of samples, at least one
    /// @param heldOut those of held-out images, or null
    /// @param dimension values of an image
    public static NearestDistances of(Neighbours samples, Neighbours heldOut, int dimension) {
        return new NearestDistances(
                sorted(samples, dimension), heldOut == null ? new double[0] : sorted(heldOut, dimension));
    }

    private static double[] sorted(Neighbours found, int dimension) {
        double[] distances = new double[found.queries()];
        Arrays.setAll(distances, q -> found.distance(q, 0) / Math.sqrt(dimension));
        Arrays.sort(distances);
        return distances;
    }

    /// The median of the samples' distances.
    public double median() {
        return Bootstrap.quantile(samples, 0.5);
    }

    /// The distance that one in a hundred held-out images stays below; NaN without any.
    public double closeBelow() {
        return heldOut.length == 0 ? Double.NaN : Bootstrap.quantile(heldOut, CLOSE);
    }

    /// Share of samples below [#closeBelow]: 1 % for a generator of held-out images.
    ///
    /// @throws IllegalStateException without held-out images
    public Share close() {
        if (heldOut.length == 0) {
            throw new IllegalStateException("nearest distances: there are no held-out images to say what is close");
        }
        return Share.below(samples, closeBelow());
    }

    /// Both histograms over the same `bins`, from 0 to the largest distance: samples, then held-out images.
    public Histogram[] histograms(int bins) {
        double high = Math.max(samples[samples.length - 1], heldOut.length == 0 ? 0 : heldOut[heldOut.length - 1]);
        double end = high > 0 ? high : 1;
        return new Histogram[] {Histogram.of(samples, 0, end, bins), Histogram.of(heldOut, 0, end, bins)};
    }
}
