package dev.rote.metrics;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// Many metrics of samples in one space, pixels or features. What depends on the real images alone is computed when it
/// is first needed and kept.
///
/// Quality is measured against the held-out images, or against the training images where there are none.
public final class SampleMetrics {
    /// Images of either kind that precision, recall, density and coverage take, at most.
    public static final int MOST_IN_BALLS = 10_000;

    private static final double LEVEL = 0.95;

    /// What can be measured.
    public enum Kind {
        /// [CalibratedL2#extracted]: the score `calibrated_l2`, a share.
        CALIBRATED_L2,
        /// [Authenticity]: `authpct`, per cent.
        AUTHPCT,
        /// [CopyScore]: `c_t`. Needs held-out images.
        C_T,
        /// [NearestDistances]: `nearest_distance`, the median, and with held-out images `close`, a share.
        NEAREST_DISTANCE,
        /// [CosineSimilarity#toNearest]: `cosine_to_nearest`, the mean.
        COSINE_TO_NEAREST,
        /// [Prdc]: `precision`, `recall`, `density`, `coverage`.
        PRDC,
        /// [FrechetExtrapolation]: `fd_infinity`.
        FD_INFINITY,
        /// [KernelDistance]: `kid`.
        KID,
        /// [SlicedWasserstein]: `sliced_wasserstein`.
        SLICED_WASSERSTEIN,
        /// [FeatureLikelihood]: `fls`. Needs held-out images.
        FLS;

        /// Whether it means nothing without held-out images.
        public boolean needsHeldOut() {
            return this == C_T || this == FLS;
        }

        /// Whether it is taken from the samples' nearest training images.
        public boolean usesNeighbours() {
            return ordinal() <= COSINE_TO_NEAREST.ordinal();
        }
    }

    /// Parameters of the metrics.
    ///
    /// @param calibrated of the extraction test
    /// @param cells of C_T
    /// @param neighbours k of precision and recall
    /// @param seed of every choice
    public record Parameters(CalibratedL2 calibrated, int cells, int neighbours, long seed) {
        /// The defaults of the metrics.
        public static Parameters standard(long seed) {
            return new Parameters(CalibratedL2.PUBLISHED, CopyScore.CELLS, Prdc.NEIGHBOURS, seed);
        }
    }

    /// One number.
    ///
    /// @param name as [Kind] says
    /// @param low lower end of its 95 % interval; NaN where none is known
    /// @param high upper end
    public record Score(String name, double value, double low, double high) {
        static Score of(String name, double value) {
            return new Score(name, value, Double.NaN, Double.NaN);
        }

        static Score of(String name, Interval interval) {
            return new Score(name, interval.value(), interval.low(), interval.high());
        }
    }

    private final Rows training;
    private final Rows heldOut;
    private final NeighbourSearch<Rows> search;
    private final NeighbourSearch.Preparation searches;
    private final Parameters parameters;
    private Neighbours ownOfTraining;
    private Neighbours ofHeldOut;
    private CopyScore copyScore;
    private FrechetStatistics reference;
    private FeatureLikelihood likelihood;

    /// @param training `[N, d]`, 2 or more, finite
    /// @param heldOut `[M, d]`; may have no rows
    /// @param search among the training images; it stays the caller's, who closes it after the last measurement
    /// @param searches among other images
    /// @throws IllegalArgumentException if the dimensions differ or there are too few training images
    public SampleMetrics(
            Rows training,
            Rows heldOut,
            NeighbourSearch<Rows> search,
            NeighbourSearch.Preparation searches,
            Parameters parameters) {
        if (training.count() < 2 || training.dimension() != heldOut.dimension()) {
            throw new IllegalArgumentException(
                    "metrics: expected at least 2 training images and held-out images of the same"
                            + " dimension, got [" + training.count() + ", " + training.dimension() + "] and ["
                            + heldOut.count()
                            + ", " + heldOut.dimension() + "]");
        }
        this.training = training;
        this.heldOut = heldOut;
        this.search = search;
        this.searches = searches;
        this.parameters = parameters;
    }

    /// Takes over searches that were made elsewhere.
    ///
    /// @param itself the training images' nearest others
    /// @param ofHeldOut the held-out images' nearest training images; null if there are none
    public void know(Neighbours itself, Neighbours ofHeldOut) {
        this.ownOfTraining = itself;
        this.ofHeldOut = ofHeldOut;
    }

    /// The extraction test for a training set of this size.
    public CalibratedL2 calibrated() {
        return parameters.calibrated().within(training.count());
    }

    /// The fewest samples that all of `kinds` can be measured on.
    public static int fewestSamples(Set<Kind> kinds, Parameters parameters) {
        int fewest = 1;
        for (Kind kind : kinds) {
            fewest = switch (kind) {
                case PRDC -> Math.max(fewest, parameters.neighbours() + 1);
                case FD_INFINITY, KID -> Math.max(fewest, 20);
                default -> fewest;
            };
        }
        return fewest;
    }

    /// The samples' nearest training images, as many as the extraction test takes.
    public Neighbours search(Rows samples) throws InterruptedException {
        return search.search(samples, calibrated().neighbours());
    }

    /// Measures, in the order of [Kind]. A kind that needs held-out images is left out where there are none, and C_T
    /// also where too few samples lie in each cell.
    ///
    /// @param samples `[n, d]`, at least [#fewestSamples]
    /// @throws IllegalArgumentException if there are fewer or a value is not finite
    public List<Score> measure(Set<Kind> kinds, Rows samples, int threads) throws InterruptedException {
        boolean searches = kinds.stream().anyMatch(Kind::usesNeighbours);
        return measure(kinds, samples, searches ? search(samples) : null, threads);
    }

    /// The same with neighbours that are known.
    ///
    /// @param found [#search]'s; null if no kind uses them
    public List<Score> measure(Set<Kind> kinds, Rows samples, Neighbours found, int threads)
            throws InterruptedException {
        List<Score> scores = new ArrayList<>();
        if (!kinds.isEmpty()) {
            for (Kind kind : EnumSet.copyOf(kinds)) {
                if (heldOut.count() > 0 || !kind.needsHeldOut()) {
                    measure(kind, samples, found, threads, scores);
                }
            }
        }
        return scores;
    }

    private void measure(Kind kind, Rows samples, Neighbours found, int threads, List<Score> scores)
            throws InterruptedException {
        switch (kind) {
            case CALIBRATED_L2 ->
                scores.add(
                        Score.of("calibrated_l2", calibrated().extracted(found).wilson()));
            case AUTHPCT -> scores.add(authPct(found));
            case C_T ->
                copyScore(threads)
                        .score(samples, nearest(found), threads)
                        .ifPresent(value -> scores.add(Score.of("c_t", value)));
            case NEAREST_DISTANCE -> nearestDistance(found, scores);
            case COSINE_TO_NEAREST ->
                scores.add(Score.of(
                        "cosine_to_nearest",
                        StudentT.mean(CosineSimilarity.toNearest(samples, training, found), LEVEL)));
            case PRDC -> balls(samples, threads, scores);
            case FD_INFINITY ->
                scores.add(Score.of(
                        "fd_infinity",
                        FrechetExtrapolation.of(samples, reference(threads), parameters.seed(), threads)
                                .infinity()));
            case KID -> scores.add(Score.of("kid", KernelDistance.of(real(), samples, parameters.seed(), threads)));
            case SLICED_WASSERSTEIN ->
                scores.add(Score.of(
                        "sliced_wasserstein",
                        SlicedWasserstein.of(real(), samples, parameters.seed(), threads)
                                .value()));
            case FLS ->
                scores.add(Score.of("fls", likelihood(samples.count(), threads).score(samples, threads)));
        }
    }

    private Score authPct(Neighbours found) throws InterruptedException {
        if (ownOfTraining == null) {
            int[] own = new int[training.count()];
            Arrays.setAll(own, i -> i);
            ownOfTraining = search.search(training, 1, own);
        }
        Interval share = Authenticity.of(found, ownOfTraining).wilson();
        return new Score("authpct", 100 * share.value(), 100 * share.low(), 100 * share.high());
    }

    private void nearestDistance(Neighbours found, List<Score> scores) throws InterruptedException {
        Neighbours usual = heldOut.count() > 0 ? ofHeldOut() : null;
        NearestDistances distances = NearestDistances.of(found, usual, training.dimension());
        scores.add(Score.of("nearest_distance", distances.median()));
        if (usual != null) {
            scores.add(Score.of("close", distances.close().wilson()));
        }
    }

    private void balls(Rows samples, int threads, List<Score> scores) throws InterruptedException {
        Prdc found = Prdc.of(
                Subset.of(real(), MOST_IN_BALLS, parameters.seed()),
                Subset.of(samples, MOST_IN_BALLS, parameters.seed() + 1),
                parameters.neighbours(),
                searches,
                threads);
        scores.add(Score.of("precision", found.precision()));
        scores.add(Score.of("recall", found.recall()));
        scores.add(Score.of("density", found.density()));
        scores.add(Score.of("coverage", found.coverage()));
    }

    private Rows real() {
        return heldOut.count() > 0 ? heldOut : training;
    }

    private Neighbours ofHeldOut() throws InterruptedException {
        if (ofHeldOut == null) {
            ofHeldOut = search.search(heldOut, 1);
        }
        return ofHeldOut;
    }

    private CopyScore copyScore(int threads) throws InterruptedException {
        if (copyScore == null) {
            int cells = Math.min(parameters.cells(), training.count());
            double[] usual = nearest(ofHeldOut());
            copyScore = CopyScore.of(training, heldOut, usual, cells, parameters.seed(), threads);
        }
        return copyScore;
    }

    private FrechetStatistics reference(int threads) throws InterruptedException {
        if (reference == null) {
            reference = FrechetStatistics.of(real(), threads);
        }
        return reference;
    }

    private FeatureLikelihood likelihood(int samples, int threads) throws InterruptedException {
        if (likelihood == null || likelihood.centres() > samples) {
            likelihood = FeatureLikelihood.of(training, heldOut, samples, parameters.seed(), threads);
        }
        return likelihood;
    }

    private static double[] nearest(Neighbours found) {
        double[] nearest = new double[found.queries()];
        Arrays.setAll(nearest, q -> found.distance(q, 0));
        return nearest;
    }
}
