package dev.rote.train;

import dev.rote.config.RunConfig;
import dev.rote.config.TrainConfig;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Owned;
import dev.rote.device.Program;
import dev.rote.errors.NonFiniteException;
import dev.rote.graph.Cost;
import dev.rote.graph.Graph;
import dev.rote.nn.Parameters;
import dev.rote.nn.UNetFiles;
import dev.rote.optim.Optimizer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// Trains one diffusion model on one device; the class that a Java program embeds.
///
/// ```java
/// try (Device device = CpuDevice.open(0);
///         TrainingData data = TrainingData.load(DataOptions.of("images/").withSize(32));
///         Trainer trainer = Trainer.open(device, config, data)) {
///     trainer.train(config.train().steps(), TrainingListener.silent());
///     trainer.save(Path.of("model.safetensors"));
/// }
/// ```
///
/// Methods are called by one thread at a time, but [#cancel] by any. No state is shared with other trainers. Memory is
/// freed by [#close].
public final class Trainer implements AutoCloseable {
    private final Owned owned;
    private final Device device;
    private final RunConfig config;
    private final TrainingData data;
    private final Blueprint blueprint;
    private final TrainingStep plan;
    private final ModelState model;
    private final ResidentData resident;
    private final Map<String, Buffer> bindings;
    private final Optional<Program> program; // empty for a replica, whose step is part of a program of several
    private final Optional<Replicas> replicas;
    private final String dataHash;
    private final int batch;
    private volatile boolean cancelled;
    private int reported;

    private Trainer(
            Owned owned,
            Device device,
            RunConfig config,
            TrainingData data,
            Planned planned,
            Optional<Replicas> replicas) {
        this.owned = owned;
        this.device = device;
        this.config = config;
        this.data = data;
        this.blueprint = planned.blueprint();
        this.batch = config.train().effectiveBatch(data.train().count());
        this.plan = planned.step();
        this.dataHash = data.train().contentHash();
        this.model = owned.add(
                ModelState.open(device, plan.layout(), blueprint.precision(), blueprint.optimizer(), config.seed()),
                ModelState::close);
        this.resident = owned.add(ResidentData.open(device, "training images", data.train()), ResidentData::close);
        this.bindings = new HashMap<>(model.bindings());
        bindings.putAll(resident.bindings());
        this.replicas = replicas;
        this.program = replicas.isPresent()
                ? Optional.empty()
                : Optional.of(owned.add(plan.compile(device, bindings), Program::close));
    }

    /// Network and step of a run, before anything is allocated.
    private record Planned(Blueprint blueprint, TrainingStep step) {
        static Planned of(Device device, RunConfig config, TrainingData data) {
            return of(device, config, data, false);
        }

        /// @param single one lane, whichever the device has more
        static Planned of(Device device, RunConfig config, TrainingData data, boolean single) {
            requirePrecision(device, config);
            Blueprint blueprint = Blueprint.of(config, data.train());
            int batch = config.train().effectiveBatch(data.train().count());
            TrainingStep.Draw draw = new TrainingStep.Draw(
                    batch, config.train().accumulate(), config.data().flip(), config.seed());
            int lanes = single ? 1 : device.lanes(batch);
            return new Planned(blueprint, TrainingStep.plan(device, lanes, blueprint, data.train(), draw));
        }

        MemoryNeed need(Device device, RunConfig config, TrainingData data) {
            long modelBytes = ModelState.bytes(
                    device,
                    step.layout(),
                    blueprint.precision(),
                    blueprint.optimizer(),
                    config.measure().ema() && !config.measure().metrics().isEmpty());
            return new MemoryNeed(modelBytes, ResidentData.bytes(data.train()), step.bytes(device), 0, 0, 0);
        }
    }

    /// What [#open] will allocate, found by planning; whatever is wrong with the configuration for these images and
    /// this device is found here as well.
    ///
    /// @throws IllegalArgumentException as [#open]
    public static MemoryNeed need(Device device, RunConfig config, TrainingData data) {
        return Planned.of(device, config, data).need(device, config, data);
    }

    /// Builds the network, plans the step and allocates everything; parameters are fresh for the configuration's seed.
    ///
    /// @param data stays open for as long as the trainer
    /// @throws IllegalArgumentException if the network does not fit the images, or the device has not the precision
    /// @throws dev.rote.errors.EnvironmentException if less memory is free than is needed; nothing is allocated
    /// @throws dev.rote.errors.DeviceException if the device has too little memory all the same
    public static Trainer open(Device device, RunConfig config, TrainingData data) {
        Planned planned = Planned.of(device, config, data);
        planned.need(device, config, data).require(device);
        return Owned.opening(owned -> new Trainer(owned, device, config, data, planned, Optional.empty()));
    }

    /// A trainer whose updates are part of a program of several; see [Replicas#open].
    static Trainer openReplica(Device device, RunConfig config, TrainingData data, Replicas replicas) {
        Planned planned = Planned.of(device, config, data, true);
        MemoryNeed need = planned.need(device, config, data);
        replicas.require(need);
        Trainer trainer =
                Owned.opening(owned -> new Trainer(owned, device, config, data, planned, Optional.of(replicas)));
        replicas.promise(need.deviceBytes());
        return trainer;
    }

    /// A replica's step.
    Device.Part part() {
        return plan.part(bindings);
    }

    private static void requirePrecision(Device device, RunConfig config) {
        if (config.train().precision() == TrainConfig.Precision.TF32
                && device.kind().equals("cpu")) {
            throw new IllegalArgumentException("train.precision: expected \"f32\" or \"bf16\", because device \""
                    + config.device().word() + "\" is the cpu here, found \"tf32\"");
        }
    }

    public RunConfig config() {
        return config;
    }

    public TrainingData data() {
        return data;
    }

    public Blueprint blueprint() {
        return blueprint;
    }

    public Device device() {
        return device;
    }

    public ModelState model() {
        return model;
    }

    /// Images per update.
    public int imagesPerStep() {
        return batch * config.train().accumulate();
    }

    /// Lanes that share a batch.
    public int lanes() {
        return plan.lanes();
    }

    /// Arithmetic and traffic of one update.
    public Cost cost() {
        return plan.cost();
    }

    /// Bytes of the step's memory and of the model's buffers.
    public long memoryBytes() {
        long buffers =
                model.bindings().values().stream().mapToLong(Buffer::bytes).sum();
        return program.map(Program::memoryBytes).orElse(plan.arenaBytes())
                + buffers
                + resident.bindings().values().stream().mapToLong(Buffer::bytes).sum();
    }

    /// The first lane's graph.
    public Graph graph() {
        return plan.graph();
    }

    /// Number of updates done.
    public int step() {
        return model.step();
    }

    /// Asks [#train] to return after the update at hand; every later call returns at once, until [#resume].
    public void cancel() {
        cancelled = true;
    }

    public boolean isCancelled() {
        return cancelled;
    }

    /// Takes a cancellation back.
    public void resume() {
        cancelled = false;
    }

    /// Trains until `untilStep` updates are done or training is cancelled.
    ///
    /// @return number of updates done
    /// @throws NonFiniteException if the loss is not finite, naming the step and the first bad tensor
    public int train(int untilStep, TrainingListener listener) {
        int step = step();
        reported = step;
        int every = Math.min(config.train().logEvery(), ModelState.RING);
        long since = System.nanoTime();
        while (step < untilStep && !cancelled) {
            step += advance(Math.min(untilStep, step - step % every + every) - step);
            if (step > reported && (step % every == 0 || step == untilStep || cancelled)) {
                long now = System.nanoTime();
                report(step, (now - since) * 1e-9, listener);
                since = now;
            }
        }
        return step;
    }

    /// At most so many updates.
    ///
    /// @return how many
    private int advance(int updates) {
        if (replicas.isPresent()) {
            return replicas.get().advance(this, updates);
        }
        Program own = program.orElseThrow();
        int done = 0;
        while (done < updates && !cancelled) {
            own.run();
            done++;
        }
        return done;
    }

    private void report(int step, double seconds, TrainingListener listener) {
        float[] losses = model.losses(reported, step);
        for (int i = 0; i < losses.length; i++) {
            if (!Float.isFinite(losses[i])) {
                throw notFinite(reported + i + 1, losses[i]);
            }
        }
        double images = (double) losses.length * imagesPerStep();
        reported = step;
        listener.onLosses(step, losses, images / seconds);
    }

    private NonFiniteException notFinite(int step, float loss) {
        String what = "the loss of step " + step + " is " + loss;
        try {
            Checkpoint.FiniteCheck.require(
                    model.layout(), model.buffer(Parameters.PARAMETERS).readFloats(), "", step());
        } catch (NonFiniteException e) {
            return new NonFiniteException(what + "; " + e.getMessage());
        }
        return new NonFiniteException(what + "; all parameters are still finite");
    }

    /// Runs updates for about `seconds` to learn how long one takes; the model changes.
    ///
    /// @return seconds of the median of the last half of them: the first ones run before the code is compiled
    public double rehearse(double seconds) {
        return Rehearsal.typical(seconds, () -> advance(1));
    }

    /// Writes a checkpoint from which [#load] goes on with the same bits; whole or not at all.
    ///
    /// @throws NonFiniteException if a parameter is not finite; nothing is written
    /// @throws dev.rote.errors.EnvironmentException if the disk refuses
    public void save(Path path) {
        Checkpoint.write(path, model, blueprint.network(), config, dataHash);
    }

    /// Reads a checkpoint of the same configuration and data.
    ///
    /// @throws dev.rote.errors.DataException if it is damaged or another run's; the model is as before
    public void load(Path path) {
        Checkpoint.read(path, model, config, dataHash);
    }

    /// Writes the weights alone, under their names and in PyTorch's shapes.
    ///
    /// @param average the averaged weights, if there are any
    public void saveWeights(Path path, boolean average) {
        String name = average && model.hasAverage() ? Optimizer.EMA : Parameters.PARAMETERS;
        boolean tables = model.layout().frozenSize() > 0;
        UNetFiles.write(
                path,
                blueprint.network(),
                model.buffer(name).readFloats(),
                tables ? model.buffer(Parameters.FROZEN).readFloats() : new float[0]);
    }

    /// A generator of images for this model as it is at each call; close it before the trainer.
    ///
    /// @param batch images drawn at a time
    /// @param average uses the averaged parameters, if there are any
    public Generator generator(int batch, boolean average) {
        return generator(batch, average, false);
    }

    /// @param entropy also collects each image's entropy production, see [Generator#draw]
    public Generator generator(int batch, boolean average, boolean entropy) {
        Extent extent = data.train().extent();
        return Generator.open(
                device, blueprint, model, new Generator.Subject(extent, batch, average, entropy, config.seed()));
    }

    @Override
    public void close() {
        replicas.ifPresent(group -> group.leave(this));
        owned.close();
    }
}
