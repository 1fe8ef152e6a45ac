package dev.rote.measure;

import dev.rote.config.RunConfig;
import dev.rote.config.StopConfig;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.Owned;
import dev.rote.metrics.MemorizedFraction;
import dev.rote.metrics.NeighbourSearch;
import dev.rote.metrics.Rows;
import dev.rote.train.Blueprint;
import dev.rote.train.FixedTimeLoss;
import dev.rote.train.Generator;
import dev.rote.train.MemoryNeed;
import dev.rote.train.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;

/// Looks at the signals of [StopRule] while a [Trainer] trains: the losses of few images, and few samples, other ones
/// at each check and other ones than are measured.
final class EarlyStop implements AutoCloseable {
    private final Owned owned;
    private final Trainer trainer;
    private final StopConfig config;
    private final StopRule rule;
    private final NeighbourSearch<Rows> search;
    private final Generator generator;
    private final FixedTimeLoss train;
    private final Optional<FixedTimeLoss> test;
    private final List<Integer> steps;
    private final List<StopRule.Check> checks = new ArrayList<>();

    /// @param search among the training images; stays the caller's
    static EarlyStop open(Trainer trainer, NeighbourSearch<Rows> search) {
        return Owned.opening(owned -> new EarlyStop(owned, trainer, search));
    }

    private EarlyStop(Owned owned, Trainer trainer, NeighbourSearch<Rows> search) {
        this.owned = owned;
        this.trainer = trainer;
        this.search = search;
        RunConfig run = trainer.config();
        config = run.stop();
        rule = new StopRule(config);
        steps = config.checks(run.train().steps());
        generator = owned.add(trainer.generator(batch(run), run.measure().ema()), Generator::close);
        train = loss(run, trainer.data().train());
        test = trainer.data().test().count() > 0
                ? Optional.of(loss(run, trainer.data().test()))
                : Optional.empty();
    }

    private FixedTimeLoss loss(RunConfig run, dev.rote.data.Dataset data) {
        return owned.add(
                FixedTimeLoss.open(trainer.device(), trainer.blueprint(), trainer.model(), subject(run, data)),
                FixedTimeLoss::close);
    }

    private static FixedTimeLoss.Subject subject(RunConfig run, dev.rote.data.Dataset data) {
        StopConfig config = run.stop();
        int images = Math.min(config.lossImages(), data.count());
        int index = Blueprint.schedule(run.diffusion()).nearestIndex(config.lossTime());
        return new FixedTimeLoss.Subject(
                data, images, run.measure().batch(), index, run.measure().ema(), run.seed());
    }

    private static int batch(RunConfig run) {
        return Math.min(run.stop().samples(), run.measure().batch());
    }

    /// `need` with what the checks take; the same where nothing stops.
    static MemoryNeed plusNeed(MemoryNeed need, Device device, RunConfig run, TrainingData data) {
        if (!run.stop().stops()) {
            return need;
        }
        Blueprint blueprint = Blueprint.of(run, data.train());
        MemoryNeed sum = need.plusSampling(
                        Generator.bytes(device, blueprint, data.train().extent(), batch(run), false))
                .plusLoss(FixedTimeLoss.bytes(device, blueprint, subject(run, data.train())));
        return data.test().count() > 0
                ? sum.plusLoss(FixedTimeLoss.bytes(device, blueprint, subject(run, data.test())))
                : sum;
    }

    /// Updates after which there is a check.
    List<Integer> steps() {
        return steps;
    }

    /// Whether that check was made, now or before the run was interrupted.
    boolean isDone(int step) {
        return checks.stream().anyMatch(check -> check.step() == step);
    }

    /// Takes over a check that is on record.
    void recall(StopRule.Check check) {
        checks.add(check);
    }

    List<StopRule.Check> checks() {
        return List.copyOf(checks);
    }

    /// Looks at the model as it is.
    ///
    /// @throws java.util.concurrent.CancellationException if `cancelled` answers true
    /// @throws InterruptedException if the calling thread is interrupted
    StopRule.Check check(BooleanSupplier cancelled) throws InterruptedException {
        int step = trainer.step();
        OptionalDouble gap = gap();
        OptionalInt copies = OptionalInt.empty();
        int samples = 0;
        if (rule.generates(checks, gap)) {
            samples = config.samples();
            copies = OptionalInt.of(copies(samples, cancelled));
        }
        StopRule.Check check = new StopRule.Check(step, gap, copies, samples);
        checks.add(check);
        return check;
    }

    private OptionalDouble gap() {
        if (test.isEmpty()) {
            return OptionalDouble.empty();
        }
        double trained = train.losses(1)[0];
        double held = test.get().losses(1)[0];
        if (!Double.isFinite(trained) || !Double.isFinite(held)) {
            throw Measurer.notFinite(trainer.step(), "the loss at t = " + config.lossTime());
        }
        return OptionalDouble.of((held - trained) / held);
    }

    private int copies(int samples, BooleanSupplier cancelled) throws InterruptedException {
        // Batches of their own: those from 0 on are measured, and no two checks share one.
        int batches = Math.ceilDiv(samples, batch(trainer.config()));
        int measured = Math.ceilDiv(trainer.config().measure().samples(), batch(trainer.config()));
        int first = measured + steps.indexOf(trainer.step()) * batches;
        float[] images = generator.generate(first, samples, cancelled, update -> {});
        Measurer.requireFinite(trainer.step(), "a generated image", images);
        double k = trainer.config().measure().k().getFirst();
        double[] ratios = MemorizedFraction.ratios(
                search.search(Rows.of(images, trainer.data().train().extent().size()), 2));
        return (int) Arrays.stream(ratios).filter(ratio -> ratio < k).count();
    }

    /// What follows from the checks so far, 1 or more.
    StopRule.Decision decide() {
        return rule.decide(checks);
    }

    @Override
    public void close() {
        owned.close();
    }
}
