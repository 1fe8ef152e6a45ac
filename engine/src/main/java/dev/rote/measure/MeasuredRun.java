package dev.rote.measure;

import dev.rote.config.RunConfig;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.Owned;
import dev.rote.metrics.FeatureExtractor;
import dev.rote.storage.JsonLines;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.Tensor;
import dev.rote.storage.TensorType;
import dev.rote.train.MemoryNeed;
import dev.rote.train.Replicas;
import dev.rote.train.RunFolder;
import dev.rote.train.Trainer;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
import tools.jackson.databind.node.ObjectNode;

/// A run in its folder: trains, measures at the configured steps, saves checkpoints, and goes on where it stopped.
///
/// A measurement comes before the checkpoint of the same step, so a checkpoint implies the records up to it.
public final class MeasuredRun implements AutoCloseable {
    private final Owned owned;
    private final RunConfig config;
    private final RunListener listener;
    private final RunFolder folder;
    private final Trainer trainer;
    private final Measurer measurer;
    private final Optional<EarlyStop> early;
    private final KeptModels kept;
    private final Set<Integer> measured = new HashSet<>();
    private final int threads;
    private boolean based;
    private boolean stopped;
    private Optional<String> why = Optional.empty();

    private MeasuredRun(
            Owned owned,
            Device device,
            RunConfig config,
            TrainingData data,
            FeatureExtractor features,
            RunFolder folder,
            Optional<Replicas> replicas,
            RunListener listener) {
        this.owned = owned;
        this.config = config;
        this.listener = listener;
        this.folder = folder;
        this.threads = threads(config);
        this.trainer = owned.add(
                replicas.map(group -> group.open(config, data)).orElseGet(() -> Trainer.open(device, config, data)),
                Trainer::close);
        this.measurer = owned.add(Measurer.open(trainer, features, threads), Measurer::close);
        this.early = config.stop().stops()
                ? Optional.of(
                        owned.add(EarlyStop.open(trainer, measurer.search().orElseThrow()), EarlyStop::close))
                : Optional.empty();
        this.kept = new KeptModels(folder.path());
    }

    private static int threads(RunConfig config) {
        return config.threads() > 0 ? config.threads() : Runtime.getRuntime().availableProcessors();
    }

    /// Opens the run in a folder: a new one, or from its newest checkpoint on.
    ///
    /// @param features of the Fréchet distance
    /// @param recorded facts for `run.toml`
    /// @throws IllegalArgumentException if the configuration does not fit the images or the device; nothing is
    ///     written
    /// @throws dev.rote.errors.EnvironmentException if less memory is free than is needed; nothing is written
    /// @throws dev.rote.errors.DataException if the folder is another run's or the checkpoint is damaged
    public static MeasuredRun open(
            Device device,
            RunConfig config,
            TrainingData data,
            FeatureExtractor features,
            Path folder,
            Map<String, String> recorded,
            RunListener listener) {
        return open(device, config, data, features, folder, recorded, Optional.empty(), listener);
    }

    /// The same for a run that trains together with others, see [Replicas].
    ///
    /// @param replicas of this device
    public static MeasuredRun open(
            Device device,
            RunConfig config,
            TrainingData data,
            FeatureExtractor features,
            Path folder,
            Map<String, String> recorded,
            Optional<Replicas> replicas,
            RunListener listener) {
        MemoryNeed need = Measurer.need(device, config, data);
        replicas.ifPresentOrElse(group -> group.require(need), () -> need.require(device));
        return Owned.opening(owned -> {
            RunFolder opened = owned.add(RunFolder.open(folder, config, recorded), RunFolder::close);
            MeasuredRun run = new MeasuredRun(owned, device, config, data, features, opened, replicas, listener);
            replicas.ifPresent(group -> group.promise(need.sampling() + need.losses() + need.search()));
            run.resume(device);
            return run;
        });
    }

    private void resume(Device device) {
        OptionalInt newest = folder.newestCheckpoint();
        if (newest.isPresent()) {
            trainer.load(folder.checkpoint(newest.getAsInt()));
            listener.onResume(trainer.step(), folder.checkpoint(newest.getAsInt()));
        }
        folder.startRecording(trainer.step(), "rote", Clock.systemUTC());
        Path records = folder.path().resolve("metrics.jsonl");
        String before = device.describe();
        if (Files.exists(records)) {
            for (ObjectNode record : JsonLines.read(records)) {
                String kind = record.path("kind").asString("");
                if (kind.equals("measure")) {
                    measured.add(record.path("step").asInt());
                }
                based |= kind.equals("base_rate");
                if (kind.equals("stop")) {
                    stopped = record.path("early").asBoolean(); // else a run that may be extended
                    why = Optional.of(record.path("why").asString(""));
                }
                if (kind.equals("check")) {
                    early.ifPresent(stop -> stop.recall(RunRecords.check(record)));
                }
                before = kind.equals("start") ? record.path("device").asString(before) : before;
            }
        }
        if (newest.isPresent() && !before.equals(device.describe())) {
            listener.onOtherDevice(before, device.describe());
        }
        Map<String, Object> start = RunRecords.record("start", trainer.step());
        start.put("device", device.describe());
        start.put("threads", threads);
        start.put("parameters", trainer.model().layout().count());
        folder.record(start);
    }

    /// Number of updates done.
    public int step() {
        return trainer.step();
    }

    /// Why a run with a rule for stopping ended, in one sentence; empty before it has, or without such a rule.
    public Optional<String> why() {
        return why;
    }

    public Trainer trainer() {
        return trainer;
    }

    /// Asks the run to save and stop; from any thread.
    public void cancel() {
        trainer.cancel();
    }

    /// Trains and measures until the last step, until a rule of the configuration stops it, or until cancelled.
    ///
    /// @return true when the run is complete
    /// @throws dev.rote.errors.NonFiniteException if training diverged; the last good checkpoint stays
    /// @throws InterruptedException if the thread is interrupted while it measures; what is saved stays
    public boolean run() throws InterruptedException {
        if (stopped) {
            return true;
        }
        if (!based && measurer.wants(dev.rote.config.Metric.MemorizedFraction.class)) {
            Map<String, Object> record = RunRecords.record("base_rate", 0);
            record.put("memorized_fraction", RunRecords.fractions(measurer.baseRates()));
            folder.record(record);
        }
        int saved = trainer.step();
        for (int milestone : milestones()) {
            if (milestone < trainer.step()) {
                continue;
            }
            if (trainer.train(milestone, this::trained) < milestone) {
                return interrupt(saved);
            }
            if (config.measurementSteps().contains(milestone) && !measured.contains(milestone)) {
                try {
                    measure(milestone);
                } catch (CancellationException e) {
                    return interrupt(saved);
                }
            }
            if (early.isPresent() && isCheck(milestone)) {
                try {
                    if (check(early.get())) {
                        return stop(early.get(), saved);
                    }
                } catch (CancellationException e) {
                    return interrupt(saved);
                }
            }
            if (isCheckpoint(milestone) && milestone > saved) {
                saved = save();
            }
        }
        early.ifPresent(this::keep);
        folder.record(RunRecords.record("end", trainer.step()));
        return true;
    }

    private boolean isCheck(int step) {
        return early.get().steps().contains(step) && !early.get().isDone(step);
    }

    private boolean check(EarlyStop stop) throws InterruptedException {
        long start = System.nanoTime();
        StopRule.Check check = stop.check(trainer::isCancelled);
        StopRule.Decision decision = stop.decide();
        kept.save(trainer);
        kept.forget(decision.kept());
        folder.record(RunRecords.check(check, decision, (System.nanoTime() - start) * 1e-9));
        RunRecords.plot(folder.events(), check, decision);
        listener.onCheck(check, decision);
        return decision.stop();
    }

    /// The checks say that the model copies: the run is complete.
    private boolean stop(EarlyStop stop, int saved) {
        keep(stop);
        stopped = true;
        if (trainer.step() > saved) {
            save();
        }
        return true;
    }

    private void keep(EarlyStop stop) {
        StopRule.Decision decision = stop.decide();
        kept.choose(decision.kept());
        String sentence = decision.why(trainer.step(), config.stop());
        why = Optional.of(sentence);
        folder.record(RunRecords.stop(trainer.step(), decision, sentence));
        listener.onStop(decision, sentence, kept.best());
    }

    private boolean interrupt(int saved) {
        if (trainer.step() > saved) {
            save();
        }
        return false;
    }

    private int save() {
        Path path = folder.save(trainer);
        listener.onCheckpoint(trainer.step(), path);
        return trainer.step();
    }

    private TreeSet<Integer> milestones() {
        TreeSet<Integer> steps = new TreeSet<>(config.measurementSteps());
        early.ifPresent(stop -> steps.addAll(stop.steps()));
        int every = config.train().checkpointEvery();
        for (long step = every; every > 0 && step < config.train().steps(); step += every) {
            steps.add((int) step);
        }
        steps.add(config.train().steps());
        return steps;
    }

    private boolean isCheckpoint(int step) {
        int every = config.train().checkpointEvery();
        return step == config.train().steps() || (every > 0 && step > 0 && step % every == 0);
    }

    private void trained(int step, float[] losses, double imagesPerSecond) {
        Map<String, Object> record = RunRecords.training(step, losses, imagesPerSecond);
        folder.record(record);
        folder.events().scalar("train/loss", step, ((Number) record.get("loss")).floatValue());
        folder.events().scalar("train/images_per_second", step, (float) imagesPerSecond);
        listener.onLosses(step, losses, imagesPerSecond);
    }

    private void measure(int step) throws InterruptedException {
        int work = measurer.work();
        boolean sheet = config.measure().sheets().of(config.measurementSteps()).contains(step);
        Measurement measurement = measurer.measure(
                trainer::isCancelled, (source, done) -> listener.onMeasuring(step, done, work), drawn -> {
                    if (sheet) {
                        writeSamples(step, drawn);
                    }
                });
        folder.record(RunRecords.measurement(measurement));
        RunRecords.plot(folder.events(), measurement);
        measured.add(step);
        listener.onMeasurement(measurement);
    }

    /// `samples` [n,C,H,W] f32 in network units without the mean, `nearest` [n,2] i32, `distance` [n,2] f64.
    private void writeSamples(int step, Measurer.Drawn drawn) {
        Extent extent = trainer.data().train().extent();
        int count = drawn.neighbours().queries();
        int pixels = extent.height() * extent.width();
        float[] planar = new float[drawn.images().length];
        for (int n = 0; n < count; n++) {
            for (int i = 0; i < extent.size(); i++) {
                int channel = i % extent.channels();
                planar[n * extent.size() + channel * pixels + i / extent.channels()] =
                        drawn.images()[n * extent.size() + i];
            }
        }
        SafeTensors.write(
                folder.samples(step),
                List.of(
                        Tensor.ofFloats("samples", planar, count, extent.channels(), extent.height(), extent.width()),
                        new Tensor(
                                "nearest",
                                TensorType.I32,
                                new long[] {count, 2},
                                MemorySegment.ofArray(drawn.neighbours().indices())),
                        new Tensor(
                                "distance",
                                TensorType.F64,
                                new long[] {count, 2},
                                MemorySegment.ofArray(drawn.neighbours().distances()))),
                Map.of(
                        "step",
                        Integer.toString(step),
                        "mean",
                        Float.toString(trainer.data().mean())),
                true);
    }

    /// What a run will take: builds everything, rehearses a few updates, writes nothing.
    ///
    /// @throws dev.rote.errors.EnvironmentException if less memory is free than is needed
    public static Estimate rehearse(Device device, RunConfig config, TrainingData data, FeatureExtractor features) {
        OptionalLong free = device.freeBytes();
        MemoryNeed need = Measurer.need(device, config, data);
        need.require(device);
        try (Trainer trainer = Trainer.open(device, config, data);
                Measurer measurer = Measurer.open(trainer, features, threads(config))) {
            double secondsPerStep = trainer.rehearse(3.0);
            double secondsPerMeasurement = measurer.rehearse();
            int measurements = config.measurementSteps().size();
            int steps = config.train().steps();
            return new Estimate(
                    trainer.model().layout().count(),
                    need.total(),
                    free,
                    trainer.cost().flops(),
                    secondsPerStep,
                    measurements,
                    secondsPerMeasurement,
                    steps,
                    steps * secondsPerStep + measurements * secondsPerMeasurement);
        }
    }

    @Override
    public void close() {
        owned.close();
    }
}
