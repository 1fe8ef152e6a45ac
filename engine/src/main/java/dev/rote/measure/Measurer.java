package dev.rote.measure;

import dev.rote.config.MeasureConfig;
import dev.rote.config.Metric;
import dev.rote.config.RunConfig;
import dev.rote.data.Dataset;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.Owned;
import dev.rote.errors.NonFiniteException;
import dev.rote.metrics.Bootstrap;
import dev.rote.metrics.FeatureExtractor;
import dev.rote.metrics.FrechetDistance;
import dev.rote.metrics.FrechetStatistics;
import dev.rote.metrics.Interval;
import dev.rote.metrics.MemorizedFraction;
import dev.rote.metrics.NeighbourSearch;
import dev.rote.metrics.Neighbours;
import dev.rote.metrics.Rows;
import dev.rote.metrics.StudentT;
import dev.rote.train.Blueprint;
import dev.rote.train.FixedTimeLoss;
import dev.rote.train.Generator;
import dev.rote.train.MemoryNeed;
import dev.rote.train.Trainer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.ObjIntConsumer;

/// Measures a model that a [Trainer] trains: what the training set and the held-out images have to do with it is
/// prepared once, then each call of [#measure] draws samples and evaluates losses with the parameters of the moment.
final class Measurer implements AutoCloseable {
    private static final double LEVEL = 0.95;

    /// Samples of a measurement with their nearest training images.
    record Drawn(float[] images, Neighbours neighbours) {}

    private record LossPair(double time, FixedTimeLoss train, Optional<FixedTimeLoss> test) {}

    private final Owned owned;
    private final Trainer trainer;
    private final MeasureConfig config;
    private final FeatureExtractor features;
    private final int threads;
    private final Bootstrap bootstrap;
    private final Optional<Generator> generator;
    private final Rows training;
    private final Optional<NeighbourSearch<Rows>> search; // of memorized_fraction and of checks, prepared once
    private final List<LossPair> losses = new ArrayList<>();
    private final SampleScores scores;
    private final Optional<Divergence> divergence;
    private FrechetStatistics realFeatures;

    static Measurer open(Trainer trainer, FeatureExtractor features, int threads) {
        return Owned.opening(owned -> new Measurer(owned, trainer, features, threads));
    }

    private Measurer(Owned owned, Trainer trainer, FeatureExtractor features, int threads) {
        this.owned = owned;
        this.trainer = trainer;
        this.features = features;
        this.threads = threads;
        RunConfig run = trainer.config();
        this.config = run.measure();
        this.bootstrap = new Bootstrap(config.bootstrap(), LEVEL, run.seed());
        TrainingData data = trainer.data();
        this.scores = SampleScores.of(run, data, trainer.device(), owned);
        requireEnough(data);
        this.training = rows(data.train());
        this.search = wants(Metric.MemorizedFraction.class) || run.stop().stops()
                ? Optional.of(
                        owned.add(NeighbourSearch.of(trainer.device(), training, threads), NeighbourSearch::close))
                : Optional.empty();
        this.divergence = wants(Metric.KullbackLeibler.class) ? Optional.of(Divergence.of(data)) : Optional.empty();
        this.generator = isSampled(config)
                ? Optional.of(owned.add(
                        trainer.generator(batch(config), config.ema(), divergence.isPresent()), Generator::close))
                : Optional.empty();
        for (Metric metric : config.metrics()) {
            if (metric instanceof Metric.LossAt at) {
                FixedTimeLoss train = loss(data.train(), at.t());
                Optional<FixedTimeLoss> test =
                        data.test().count() > 0 ? Optional.of(loss(data.test(), at.t())) : Optional.empty();
                losses.add(new LossPair(at.t(), train, test));
            }
        }
    }

    private static boolean isSampled(MeasureConfig config) {
        return wants(config, Metric.MemorizedFraction.class)
                || wants(config, Metric.Frechet.class)
                || wants(config, Metric.OfSamples.class)
                || wants(config, Metric.TwinSimilarity.class)
                || wants(config, Metric.KullbackLeibler.class);
    }

    private static int batch(MeasureConfig config) {
        return Math.min(config.batch(), config.samples());
    }

    private FixedTimeLoss loss(Dataset data, double time) {
        FixedTimeLoss loss = FixedTimeLoss.open(
                trainer.device(), trainer.blueprint(), trainer.model(), subject(trainer.config(), data, time));
        return owned.add(loss, FixedTimeLoss::close);
    }

    private static FixedTimeLoss.Subject subject(RunConfig run, Dataset data, double time) {
        MeasureConfig config = run.measure();
        int images = config.lossImages() == 0 ? data.count() : Math.min(config.lossImages(), data.count());
        int index = Blueprint.schedule(run.diffusion()).nearestIndex(time);
        return new FixedTimeLoss.Subject(data, images, config.batch(), index, config.ema(), run.seed());
    }

    /// What a run takes on the device: training and everything that is measured. Found by planning; nothing is
    /// allocated.
    ///
    /// @throws IllegalArgumentException if the configuration does not fit the images or the device
    static MemoryNeed need(Device device, RunConfig run, TrainingData data) {
        MemoryNeed need = Trainer.need(device, run, data);
        MeasureConfig config = run.measure();
        Blueprint blueprint = Blueprint.of(run, data.train());
        if (isSampled(config)) {
            need = need.plusSampling(Generator.bytes(
                    device,
                    blueprint,
                    data.train().extent(),
                    batch(config),
                    wants(config, Metric.KullbackLeibler.class)));
        }
        if (wants(config, Metric.MemorizedFraction.class) || run.stop().stops()) {
            int queries = Math.max(
                    Math.max(config.samples(), run.stop().stops() ? run.stop().samples() : 0),
                    data.test().count());
            need = need.plusSearch(device.nearestSearchBytes(
                    data.train().count(), data.train().extent().size(), queries));
        }
        if (SampleScores.searchesPixels(config)) {
            // Features may be searched as well; of them only the extractor knows how many there are.
            int train = data.train().count();
            int queries = Math.max(train, Math.max(config.samples(), data.test().count()));
            need = need.plusSearch(
                    device.nearestSearchBytes(train, data.train().extent().size(), queries));
        }
        for (Metric metric : config.metrics()) {
            if (metric instanceof Metric.LossAt at) {
                need = need.plusLoss(FixedTimeLoss.bytes(device, blueprint, subject(run, data.train(), at.t())));
                if (data.test().count() > 0) {
                    need = need.plusLoss(FixedTimeLoss.bytes(device, blueprint, subject(run, data.test(), at.t())));
                }
            }
        }
        return EarlyStop.plusNeed(need, device, run, data);
    }

    /// What a configuration cannot know while it takes all images: how many there are.
    private void requireEnough(TrainingData data) {
        int train = data.train().count();
        int test = data.test().count();
        scores.requireEnough(train, test, config.samples());
        boolean stops = trainer.config().stop().stops();
        if ((wants(Metric.MemorizedFraction.class) || stops) && train < 2) {
            throw new IllegalArgumentException("data: expected at least 2 training images for "
                    + (stops ? "stop.rule" : "memorized_fraction") + ", which needs two neighbours, found " + train
                    + " beside " + test + " test images");
        }
        if (wants(Metric.Frechet.class) && (test == 1 || train + test < 2)) {
            throw new IllegalArgumentException(
                    "data.test: expected 0 or at least 2 test images for frechet, which needs their covariance, found "
                            + test);
        }
    }

    boolean wants(Class<? extends Metric> kind) {
        return wants(config, kind);
    }

    private static boolean wants(MeasureConfig config, Class<? extends Metric> kind) {
        return config.metrics().stream().anyMatch(kind::isInstance);
    }

    /// Images as the network sees them, one per row.
    static Rows rows(Dataset data) {
        int size = data.extent().size();
        float[] values = new float[Math.multiplyExact(data.count(), size)];
        data.copyTo(0, data.count(), MemorySegment.ofArray(values));
        return Rows.of(values, size);
    }

    /// Share of held-out images that would count as memorized, per ratio k: the base rate.
    List<MemorizedFraction> baseRates() throws InterruptedException {
        if (trainer.data().test().count() == 0 || search.isEmpty()) {
            return List.of();
        }
        Neighbours neighbours = search.get().search(rows(trainer.data().test()), 2);
        return fractions(MemorizedFraction.ratios(neighbours));
    }

    private List<MemorizedFraction> fractions(double[] ratios) {
        return config.k().stream()
                .map(k -> MemorizedFraction.of(ratios, k, bootstrap))
                .toList();
    }

    /// Units of work of one measurement, for progress.
    int work() {
        int sampling = generator.map(g -> g.updates(config.samples())).orElse(0);
        return sampling + losses.size() + 1;
    }

    /// Measures with the parameters of the moment.
    ///
    /// @param progress told (this, units done)
    /// @param drawn told of the samples, if there are any
    /// @throws CancellationException if `cancelled` answers true
    Measurement measure(
            BooleanSupplier cancelled, ObjIntConsumer<Measurer> progress, java.util.function.Consumer<Drawn> drawn)
            throws InterruptedException {
        long start = System.nanoTime();
        double[] ratios = {};
        List<MemorizedFraction> memorized = List.of();
        Optional<Interval> frechet = Optional.empty();
        List<Measurement.Score> scored = List.of();
        int done = 0;
        if (generator.isPresent()) {
            Generator.Drawn made =
                    generator.get().draw(config.samples(), cancelled, update -> progress.accept(this, update));
            float[] images = made.images();
            requireFinite(trainer.step(), "a generated image", images);
            done = generator.get().updates(config.samples());
            Rows samples = Rows.of(images, training.dimension());
            if (wants(Metric.MemorizedFraction.class)) {
                Neighbours neighbours = search.get().search(samples, 2);
                ratios = MemorizedFraction.ratios(neighbours);
                memorized = fractions(ratios);
                drawn.accept(new Drawn(images, neighbours));
            }
            if (wants(Metric.Frechet.class)) {
                frechet = Optional.of(frechet(samples));
            }
            scored = scores.measure(
                    trainer.step(), unit(samples), this::unitTraining, this::unitTest, features, threads);
            if (divergence.isPresent()) {
                requireFinite(trainer.step(), "the entropy production of a sample", made.entropy());
                scored.add(divergence.get().of(made, LEVEL));
            }
        }
        Map<Double, Measurement.Losses> byTime = new LinkedHashMap<>();
        for (LossPair pair : losses) {
            if (cancelled.getAsBoolean()) {
                throw new CancellationException("measuring was cancelled");
            }
            byTime.put(
                    pair.time(),
                    new Measurement.Losses(
                            mean("training", pair, pair.train()), pair.test().map(test -> mean("test", pair, test))));
            progress.accept(this, ++done);
        }
        double seconds = (System.nanoTime() - start) * 1e-9;
        return new Measurement(
                trainer.step(), config.samples(), memorized, ratios, frechet, features.name(), byTime, scored, seconds);
    }

    private Interval mean(String images, LossPair pair, FixedTimeLoss loss) {
        double[] draws = loss.losses(config.noiseDraws());
        for (double draw : draws) {
            if (!Double.isFinite(draw)) {
                throw notFinite(trainer.step(), "the loss of the " + images + " images at t = " + pair.time());
            }
        }
        return StudentT.mean(draws, LEVEL);
    }

    /// @throws NonFiniteException unless every value is finite
    static void requireFinite(int step, String what, float[] values) {
        for (float value : values) {
            if (!Float.isFinite(value)) {
                throw notFinite(step, what);
            }
        }
    }

    static NonFiniteException notFinite(int step, String what) {
        return new NonFiniteException(
                "step " + step + ": " + what + " is not finite: training diverged; try a smaller learning rate");
    }

    /// The search among the training images, for as long as this is open.
    ///
    /// @return present if memorized_fraction is measured or the run may stop early
    Optional<NeighbourSearch<Rows>> search() {
        return search;
    }

    /// Distance to the test images, or to the training images if there are none, with its 95 % interval.
    private Interval frechet(Rows samples) throws InterruptedException {
        if (realFeatures == null) {
            Dataset real = trainer.data().test().count() > 0
                    ? trainer.data().test()
                    : trainer.data().train();
            realFeatures = FrechetStatistics.of(features.features(unit(rows(real)), threads), threads);
        }
        return FrechetDistance.estimate(features.features(unit(samples), threads), realFeatures, threads);
    }

    private Rows unitTraining() {
        return unit(training);
    }

    private Rows unitTest() {
        return unit(rows(trainer.data().test()));
    }

    /// Network units to [0,1], clipped, as a picture file would hold them.
    private Rows unit(Rows rows) {
        TrainingData data = trainer.data();
        float low = data.options().low();
        float span = data.options().high() - low;
        float[] values = new float[rows.count() * rows.dimension()];
        for (int i = 0; i < values.length; i++) {
            float x = rows.at(i / rows.dimension(), i % rows.dimension());
            values[i] = Math.clamp((x + data.mean() - low) / span, 0f, 1f);
        }
        return Rows.of(values, rows.dimension());
    }

    /// Seconds that a measurement will take, from a few rehearsed sampler updates and loss evaluations.
    double rehearse() {
        double seconds = 0;
        if (generator.isPresent()) {
            seconds += generator.get().rehearse(2.0) * generator.get().updates(config.samples());
        }
        for (LossPair pair : losses) {
            long start = System.nanoTime();
            pair.train().losses(1);
            pair.test().ifPresent(test -> test.losses(1));
            seconds += (System.nanoTime() - start) * 1e-9 * config.noiseDraws();
        }
        return seconds;
    }

    @Override
    public void close() {
        owned.close();
    }
}
