package dev.rote.tools.study;

import dev.rote.metrics.Bootstrap;
import dev.rote.metrics.Crossing;
import dev.rote.metrics.CrossingInterval;
import dev.rote.metrics.GenerationTime;
import dev.rote.metrics.Interval;
import dev.rote.metrics.LossSplit;
import dev.rote.metrics.TimeScales;
import dev.rote.tools.report.BaseRate;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.Curve;
import dev.rote.tools.report.Point;
import dev.rote.tools.report.Quantity;
import dev.rote.tools.report.Reading;
import dev.rote.tools.report.RunCurves;
import dev.rote.tools.report.RunStatus;
import dev.rote.tools.report.TimeScale;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.DoubleStream;

/// Curves and time scales of one run, from its records.
final class RunAnalysis {
    private final Grid.Run run;
    private final RunRecord record;
    private final StudyFile.Analysis analysis;
    private final Bootstrap bootstrap;

    RunAnalysis(Grid.Run run, RunRecord record, StudyFile.Analysis analysis) {
        this.run = run;
        this.record = record;
        this.analysis = analysis;
        this.bootstrap = Bootstrap.standard(run.config().seed());
    }

    /// @param state from the runner for a run at work; otherwise from the records
    RunCurves curves(Optional<RunStatus> state) {
        return new RunCurves(
                run.name(),
                run.point(),
                run.config().data().n(),
                state.orElseGet(this::status),
                allCurves(),
                times(),
                record.baseRates().stream()
                        .map(rate -> new BaseRate(
                                rate.k(),
                                rate.value(),
                                rate.low(),
                                rate.high(),
                                run.config().data().test()))
                        .toList(),
                record.measurements().stream()
                        .filter(at -> !at.fractions().isEmpty())
                        .mapToInt(RunRecord.Measured::samples)
                        .max()
                        .orElse(0));
    }

    private RunStatus status() {
        int steps = run.config().train().steps();
        RunStatus.State state = record.complete(steps)
                ? RunStatus.State.FINISHED
                : record.step() > 0 ? RunStatus.State.STOPPED : RunStatus.State.WAITING;
        return new RunStatus(state, record.step(), steps, "");
    }

    private List<Curve> allCurves() {
        List<Curve> curves = new ArrayList<>();
        if (!record.losses().isEmpty()) {
            curves.add(new Curve(
                    new Quantity.TrainingLoss(),
                    record.losses().stream()
                            .map(loss -> Point.of(loss[0], loss[1]))
                            .toList()));
        }
        Map<Double, List<Point>> fractions = new TreeMap<>();
        Map<Double, List<Point>> train = new TreeMap<>();
        Map<Double, List<Point>> test = new TreeMap<>();
        Map<String, List<Point>> scores = new TreeMap<>();
        List<Point> frechet = new ArrayList<>();
        String features = "";
        for (RunRecord.Measured at : record.measurements()) {
            for (RunRecord.Fraction fraction : at.fractions()) {
                fractions
                        .computeIfAbsent(fraction.k(), k -> new ArrayList<>())
                        .add(new Point(at.step(), fraction.value(), fraction.low(), fraction.high()));
            }
            at.train().forEach((t, loss) -> add(train, t, at.step(), loss));
            at.test().forEach((t, loss) -> add(test, t, at.step(), loss));
            at.scores().forEach((name, score) -> scores.computeIfAbsent(name, key -> new ArrayList<>())
                    .add(new Point(at.step(), score.value(), score.low(), score.high())));
            at.frechet().ifPresent(d -> frechet.add(new Point(at.step(), d.value(), d.low(), d.high())));
            features = at.frechet().isPresent() ? at.features() : features;
        }
        fractions.forEach((k, points) -> curves.add(new Curve(new Quantity.MemorizedFraction(k), points)));
        train.forEach((t, points) -> curves.add(new Curve(new Quantity.LossAt(t, Quantity.Split.TRAIN), points)));
        test.forEach((t, points) -> curves.add(new Curve(new Quantity.LossAt(t, Quantity.Split.TEST), points)));
        if (!frechet.isEmpty()) {
            curves.add(new Curve(frechetQuantity(features), frechet));
        }
        scores.forEach((name, points) -> curves.add(new Curve(metric(name), points)));
        return curves;
    }

    private static Quantity metric(String name) {
        return name.equals(Quantity.Metric.KL.name()) ? Quantity.Metric.KL : new Quantity.Metric(name, "");
    }

    /// It is an FID where the record says so.
    private Quantity frechetQuantity(String features) {
        boolean toTraining = run.config().data().test() == 0;
        return new Quantity.Frechet(features, !features.startsWith("FID "), toTraining);
    }

    private static void add(Map<Double, List<Point>> curves, double t, int step, RunRecord.Estimate loss) {
        curves.computeIfAbsent(t, key -> new ArrayList<>()).add(new Point(step, loss.value(), loss.low(), loss.high()));
    }

    private List<TimeScale> times() {
        List<TimeScale> times = new ArrayList<>();
        List<RunRecord.Measured> sampled = record.measurements().stream()
                .filter(at -> at.ratios().length > 0)
                .toList();
        if (!sampled.isEmpty()) {
            for (double k : run.config().measure().k()) {
                for (double threshold : new TreeSet<>(analysis.thresholds())) {
                    times.add(new TimeScale(new Clock.TauMem(threshold, k), memorization(sampled, k, threshold)));
                }
                times.add(new TimeScale(new Clock.FirstCopy(k), firstCopy(sampled, k)));
            }
        }
        OptionalDouble end = memorized(sampled);
        generation(end).ifPresent(times::add);
        divergence(end).forEach(times::add);
        splits(times);
        return times;
    }

    private Reading memorization(List<RunRecord.Measured> sampled, double k, double threshold) {
        CrossingInterval found = TimeScales.memorization(
                steps(sampled), sampled.stream().map(RunRecord.Measured::ratios).toList(), k, threshold, bootstrap);
        return reading(found.crossing(), found.interval(), sampled);
    }

    private Reading firstCopy(List<RunRecord.Measured> sampled, double k) {
        CrossingInterval found = TimeScales.firstCopy(
                steps(sampled), sampled.stream().map(RunRecord.Measured::ratios).toList(), k, bootstrap);
        return reading(found.crossing(), found.interval(), sampled);
    }

    private static Reading reading(Optional<Crossing> crossing, Interval interval, List<RunRecord.Measured> sampled) {
        if (crossing.isEmpty()) {
            return new Reading.NotReached(sampled.getLast().step());
        }
        if (crossing.get().censored()) {
            return new Reading.BeforeFirst(crossing.get().step());
        }
        return new Reading.Reached(crossing.get().step(), interval.low(), interval.high());
    }

    private static double[] steps(List<RunRecord.Measured> measured) {
        return measured.stream().mapToDouble(RunRecord.Measured::step).toArray();
    }

    /// tau_mem at the lowest threshold; empty while it is not known.
    private OptionalDouble memorized(List<RunRecord.Measured> sampled) {
        double lowest = analysis.thresholds().stream().min(Double::compare).orElseThrow();
        Reading memorized =
                sampled.isEmpty() ? new Reading.Unknown("no samples") : memorization(sampled, analysis.k(), lowest);
        return switch (memorized) {
            case Reading.Reached reached -> OptionalDouble.of(reached.value());
            case Reading.BeforeFirst before -> OptionalDouble.of(before.firstStep());
            case Reading.AtLeast ignored -> OptionalDouble.empty();
            case Reading.NotReached ignored -> OptionalDouble.empty();
            case Reading.Unknown ignored -> OptionalDouble.empty();
        };
    }

    /// The clocks of `kl`, where it was measured.
    private List<TimeScale> divergence(OptionalDouble end) {
        String name = Quantity.Metric.KL.name();
        List<RunRecord.Measured> with = record.measurements().stream()
                .filter(at -> at.scores().containsKey(name))
                .toList();
        return with.isEmpty()
                ? List.of()
                : new DivergenceReadings(curve(with, at -> at.scores().get(name)), end, bootstrap).all();
    }

    /// tau_gen: Fréchet distance within 1.1 of its minimum before tau_mem at the lowest threshold.
    private Optional<TimeScale> generation(OptionalDouble end) {
        List<RunRecord.Measured> with = record.measurements().stream()
                .filter(at -> at.frechet().isPresent())
                .toList();
        if (with.isEmpty()) {
            return Optional.empty();
        }
        dev.rote.metrics.Curve distances = curve(with, at -> at.frechet().orElseThrow());
        return TimeScales.generation(distances, end, TimeScales.GENERATION_FACTOR)
                .filter(found -> found.step() > 0)
                .map(found -> new TimeScale(new Clock.TauGen(), good(found, distances, end)));
    }

    /// What was good when it was first looked at was good before, nobody knows how long; and what may still fall may
    /// become good later.
    private Reading good(GenerationTime found, dev.rote.metrics.Curve distances, OptionalDouble end) {
        boolean first = found.step() == distances.steps()[0];
        if (found.minimumIsLast()) {
            return first ? new Reading.Unknown("hardly falls") : new Reading.AtLeast(found.step(), "still falling");
        }
        if (first) {
            return new Reading.BeforeFirst(found.step());
        }
        boolean known = !java.util.Arrays.equals(distances.lows(), distances.highs());
        return TimeScales.generationInterval(distances, end, TimeScales.GENERATION_FACTOR, bootstrap)
                .filter(interval -> known)
                .map(interval -> new Reading.Reached(found.step(), interval.low(), interval.high()))
                .orElseGet(() -> new Reading.Reached(found.step(), Double.NaN, Double.NaN));
    }

    /// With intervals where every point has one, otherwise without.
    private static dev.rote.metrics.Curve curve(
            List<RunRecord.Measured> measured, Function<RunRecord.Measured, RunRecord.Estimate> value) {
        List<RunRecord.Estimate> values = measured.stream().map(value).toList();
        double[] middle = values.stream().mapToDouble(RunRecord.Estimate::value).toArray();
        double[] low = values.stream().mapToDouble(RunRecord.Estimate::low).toArray();
        double[] high = values.stream().mapToDouble(RunRecord.Estimate::high).toArray();
        boolean known =
                DoubleStream.concat(DoubleStream.of(low), DoubleStream.of(high)).noneMatch(Double::isNaN);
        return known
                ? new dev.rote.metrics.Curve(steps(measured), middle, low, high)
                : dev.rote.metrics.Curve.of(steps(measured), middle);
    }

    private void splits(List<TimeScale> times) {
        TreeSet<Double> diffusionTimes = new TreeSet<>();
        record.measurements().forEach(at -> diffusionTimes.addAll(at.test().keySet()));
        for (double t : diffusionTimes) {
            List<RunRecord.Measured> with = record.measurements().stream()
                    .filter(at -> at.test().containsKey(t))
                    .toList();
            LossSplit split = TimeScales.lossSplit(
                    curve(with, at -> at.train().get(t)),
                    curve(with, at -> at.test().get(t)),
                    TimeScales.SPLIT_MARGIN);
            times.add(new TimeScale(new Clock.LossSplit(t), reading(split.split(), split.interval(), with)));
        }
    }
}
