package dev.rote.config;

import java.util.Optional;

/// Metrics of generated images beside real ones. What each is, and its source, says the class of `dev.rote.metrics`
/// that computes it; `docs/metrics.md` has all formulas.
public enum SampleMetric implements Named {
    /// Share of samples that the calibrated l2 test extracts.
    CALIBRATED_L2("calibrated_l2", Space.PIXELS, false),
    /// Per cent of authentic samples.
    AUTHPCT("authpct", Space.PIXELS, false),
    /// Data-copying z-score.
    C_T("c_t", Space.PIXELS, true),
    /// Median distance to the nearest training image, and the share that is close.
    NEAREST_DISTANCE("nearest_distance", Space.PIXELS, false),
    /// Mean cosine similarity to the nearest training image.
    COSINE_TO_NEAREST("cosine_to_nearest", Space.PIXELS, false),
    /// Precision, recall, density, coverage.
    PRDC("prdc", Space.FEATURES, false),
    /// Fréchet distance at infinitely many samples.
    FD_INFINITY("fd_infinity", Space.FEATURES, false),
    /// Kernel distance.
    KID("kid", Space.FEATURES, false),
    /// Sliced Wasserstein distance.
    SLICED_WASSERSTEIN("sliced_wasserstein", Space.FEATURES, false),
    /// Feature likelihood score.
    FLS("fls", Space.FEATURES, true);

    /// Where distances are taken.
    public enum Space implements Named {
        /// Values of the image, in 0 .. 1.
        PIXELS("pixels"),
        /// What `measure.features` says.
        FEATURES("features");

        private final String word;

        Space(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    private final String word;
    private final Space usual;
    private final boolean needsHeldOut;

    SampleMetric(String word, Space usual, boolean needsHeldOut) {
        this.word = word;
        this.usual = usual;
        this.needsHeldOut = needsHeldOut;
    }

    @Override
    public String word() {
        return word;
    }

    /// The space that the bare word means.
    public Space usual() {
        return usual;
    }

    /// Whether it means nothing without held-out images.
    public boolean needsHeldOut() {
        return needsHeldOut;
    }

    /// The metric that `word` names, with or without a space after it.
    static Optional<Metric> of(String word) {
        int at = word.indexOf('@');
        String name = at < 0 ? word : word.substring(0, at);
        for (SampleMetric kind : values()) {
            if (kind.word.equals(name) && at < 0) {
                return Optional.of(new Metric.OfSamples(kind, kind.usual));
            }
            for (Space space : Space.values()) {
                if (kind.word.equals(name) && space.word.equals(word.substring(at + 1))) {
                    return Optional.of(new Metric.OfSamples(kind, space));
                }
            }
        }
        return Optional.empty();
    }
}
