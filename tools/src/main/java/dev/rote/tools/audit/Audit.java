package dev.rote.tools.audit;

import dev.rote.device.Device;
import dev.rote.errors.DataException;
import dev.rote.metrics.CalibratedL2;
import dev.rote.metrics.FeatureExtractor;
import dev.rote.metrics.FrechetDistance;
import dev.rote.metrics.FrechetStatistics;
import dev.rote.metrics.Interval;
import dev.rote.metrics.NearestDistances;
import dev.rote.metrics.NeighbourSearch;
import dev.rote.metrics.Neighbours;
import dev.rote.metrics.Rows;
import dev.rote.metrics.SampleMetrics;
import dev.rote.metrics.SampleMetrics.Kind;
import dev.rote.metrics.SampleMetrics.Score;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;

/// Everything that is found about a set of samples.
///
/// @param samples copy tests of the samples, in pixels
/// @param heldOut the same tests of held-out images: the base rate
/// @param itself each training image's nearest other one
/// @param pixels further scores in pixels
/// @param frechet Fréchet distance of the features to the held-out images, or to the training images without them
/// @param features scores in features
/// @param space name of the features
/// @param distances nearest distances
/// @param samplesAreHeldOut both sets are the same images
record Audit(
        Findings samples,
        Optional<Findings> heldOut,
        Neighbours itself,
        List<Score> pixels,
        Interval frechet,
        List<Score> features,
        String space,
        NearestDistances distances,
        boolean samplesAreHeldOut) {
    private static final EnumSet<Kind> COPY_KINDS =
            EnumSet.of(Kind.CALIBRATED_L2, Kind.AUTHPCT, Kind.C_T, Kind.NEAREST_DISTANCE, Kind.COSINE_TO_NEAREST);

    /// Above this many dimensions the fifteen eigendecompositions of the extrapolation would take hours.
    private static final int MOST_EXTRAPOLATED = 1024;

    /// Images searched at once on the CPU: a whole number of the search's blocks for two threads.
    private static final int CHUNK = 2016;

    /// Images searched at once on another device.
    private static final int DEVICE_CHUNK = 8192;

    /// The three sets.
    ///
    /// @param heldOut empty if there are none
    record Sets(ImageSet samples, ImageSet training, Optional<ImageSet> heldOut) {
        /// Images that neighbours are searched for.
        long searches() {
            return (long) samples.count()
                    + training.count()
                    + heldOut.map(ImageSet::count).orElse(0);
        }

        Rows heldOutRows() {
            return heldOut.map(ImageSet::rows)
                    .orElseGet(() -> Rows.of(new float[0], training.extent().size()));
        }
    }

    /// Computes all of it.
    ///
    /// @param device that searches neighbours
    /// @throws DataException if there are too few images
    /// @throws InterruptedException if the calling thread is interrupted
    static Audit of(Sets sets, AuditOptions options, FeatureExtractor extractor, Device device, AuditProgress progress)
            throws InterruptedException {
        requireEnough(sets, options.parameters());
        int threads = options.threads();
        Rows training = sets.training().rows();
        CalibratedL2 test = options.parameters().calibrated().within(training.count());
        Findings samples;
        Optional<Findings> heldOut = Optional.empty();
        Neighbours itself;
        List<Score> pixels;
        NeighbourSearch.Preparation searches = rows -> NeighbourSearch.of(device, rows, threads);
        try (NeighbourSearch<Rows> search = searches.of(training)) {
            progress.part("nearest training images of " + sets.samples().count() + " samples");
            samples = Findings.of(search(sets.samples().rows(), search, test, progress), test);
            if (sets.heldOut().isPresent()) {
                progress.part("nearest training images of held-out images");
                heldOut = Optional.of(Findings.of(search(sets.heldOutRows(), search, test, progress), test));
            }
            progress.part("duplicates among training images");
            itself = searchItself(training, search, progress);
            progress.part("metrics in pixels");
            SampleMetrics inPixels =
                    new SampleMetrics(training, sets.heldOutRows(), search, searches, options.parameters());
            inPixels.know(itself, heldOut.map(Findings::neighbours).orElse(null));
            pixels = inPixels.measure(COPY_KINDS, sets.samples().rows(), samples.neighbours(), threads);
        }
        progress.part("features of all images");
        Rows drawn = extractor.features(sets.samples().rows(), threads);
        Rows trained = extractor.features(training, threads);
        Rows usual = sets.heldOut().isPresent()
                ? extractor.features(sets.heldOutRows(), threads)
                : Rows.of(new float[0], extractor.dimension());
        progress.part("Fréchet distance");
        Interval frechet = FrechetDistance.estimate(
                drawn, FrechetStatistics.of(usual.count() > 0 ? usual : trained, threads), threads);
        EnumSet<Kind> kinds = EnumSet.allOf(Kind.class);
        if (extractor.dimension() > MOST_EXTRAPOLATED) {
            kinds.remove(Kind.FD_INFINITY);
        }
        List<Score> features;
        progress.part("metrics in features");
        try (NeighbourSearch<Rows> search = searches.of(trained)) {
            features = new SampleMetrics(trained, usual, search, searches, options.parameters())
                    .measure(kinds, drawn, threads);
        }
        return new Audit(
                samples,
                heldOut,
                itself,
                pixels,
                frechet,
                features,
                extractor.name().replaceFirst("^(Fréchet distance|FID) on ", ""),
                NearestDistances.of(
                        samples.neighbours(), heldOut.map(Findings::neighbours).orElse(null), training.dimension()),
                sets.heldOut().map(sets.samples()::sameAs).orElse(false));
    }

    /// Training images that another one equals.
    int duplicates() {
        return (int) Arrays.stream(itself.distances()).filter(d -> d == 0).count();
    }

    private static void requireEnough(Sets sets, SampleMetrics.Parameters parameters) {
        int fewest = SampleMetrics.fewestSamples(EnumSet.allOf(Kind.class), parameters);
        requireEnough("--samples", sets.samples(), fewest);
        requireEnough("--training", sets.training(), fewest);
        sets.heldOut().ifPresent(set -> requireEnough("--heldout", set, fewest));
    }

    private static void requireEnough(String role, ImageSet set, int fewest) {
        if (set.count() < fewest) {
            throw DataException.expected(
                    role + ": " + set.source(), "count", "at least " + fewest + " images", set.count() + "");
        }
    }

    private static int chunk(NeighbourSearch<Rows> search) {
        return search instanceof NeighbourSearch.OnDevice ? DEVICE_CHUNK : CHUNK;
    }

    private static Neighbours search(
            Rows queries, NeighbourSearch<Rows> search, CalibratedL2 test, AuditProgress progress)
            throws InterruptedException {
        int chunk = chunk(search);
        int k = test.neighbours();
        int[] indices = new int[queries.count() * k];
        double[] distances = new double[queries.count() * k];
        for (int first = 0; first < queries.count(); first += chunk) {
            int count = Math.min(chunk, queries.count() - first);
            Neighbours found = search.search(queries.slice(first, count), k);
            System.arraycopy(found.indices(), 0, indices, first * k, count * k);
            System.arraycopy(found.distances(), 0, distances, first * k, count * k);
            progress.searched(count);
        }
        return new Neighbours(queries.count(), k, indices, distances);
    }

    private static Neighbours searchItself(Rows training, NeighbourSearch<Rows> search, AuditProgress progress)
            throws InterruptedException {
        int chunk = chunk(search);
        int[] indices = new int[training.count()];
        double[] distances = new double[training.count()];
        for (int first = 0; first < training.count(); first += chunk) {
            int count = Math.min(chunk, training.count() - first);
            int[] own = new int[count];
            for (int i = 0; i < count; i++) {
                own[i] = first + i;
            }
            Neighbours found = search.search(training.slice(first, count), 1, own);
            System.arraycopy(found.indices(), 0, indices, first, count);
            System.arraycopy(found.distances(), 0, distances, first, count);
            progress.searched(count);
        }
        return new Neighbours(training.count(), 1, indices, distances);
    }
}
