package dev.rote.tools.study;

import dev.rote.metrics.Bootstrap;
import dev.rote.metrics.Crossing;
import dev.rote.metrics.CrossingInterval;
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
                        .map(rate -> new BaseRate(rate.k(), rate.value(), rate.low(), rate.high()))
                        .toList());
    }

    private RunStatus status() {
        int steps = run.config().train().steps();
        RunStatus.State state = record.complete()
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
            at.frechet().ifPresent(value -> frechet.add(Point.of(at.step(), value)));
            features = at.features();
        }
        fractions.forEach((k, points) -> curves.add(new Curve(new Quantity.MemorizedFraction(k), points)));
        train.forEach((t, points) -> curves.add(new Curve(new Quantity.LossAt(t, Quantity.Split.TRAIN), points)));
        test.forEach((t, points) -> curves.add(new Curve(new Quantity.LossAt(t, Quantity.Split.TEST), points)));
        if (!frechet.isEmpty()) {
            curves.add(new Curve(new Quantity.Frechet(features, isStandIn(features)), frechet));
        }
        return curves;
    }

    /// Only an Inception network makes it an FID.
    static boolean isStandIn(String features) {
        return !features.toLowerCase(java.util.Locale.ROOT).contains("inception");
    }

    private static void add(Map<Double, List<Point>> curves, double t, int step, RunRecord.Loss loss) {
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
        generation(sampled).ifPresent(times::add);
        splits(times);
        return times;
    }

    private Reading memorization(List<RunRecord.Measured> sampled, double k, double threshold) {
        CrossingInterval found = TimeScales.memorization(
                steps(sampled), sampled.stream().map(RunRecord.Measured::ratios).toList(), k, threshold, bootstrap);
        return reading(
                found.crossing(), found.interval().low(), found.interval().high(), sampled);
    }

    private Reading firstCopy(List<RunRecord.Measured> sampled, double k) {
        double[] shares = sampled.stream()
                .mapToDouble(at -> java.util.Arrays.stream(at.ratios())
                        .filter(ratio -> ratio < k)
                        .count())
                .toArray();
        Optional<Crossing> first = TimeScales.firstNonZero(dev.rote.metrics.Curve.of(steps(sampled), shares));
        return reading(first, Double.NaN, Double.NaN, sampled);
    }

    private static Reading reading(
            Optional<Crossing> crossing, double low, double high, List<RunRecord.Measured> sampled) {
        if (crossing.isEmpty()) {
            return new Reading.NotReached(sampled.getLast().step());
        }
        if (crossing.get().censored()) {
            return new Reading.BeforeFirst(crossing.get().step());
        }
        return new Reading.Reached(crossing.get().step(), low, high);
    }

    private static double[] steps(List<RunRecord.Measured> measured) {
        return measured.stream().mapToDouble(RunRecord.Measured::step).toArray();
    }

    /// tau_gen: Fréchet distance within 1.1 of its minimum before tau_mem at the lowest threshold.
    private Optional<TimeScale> generation(List<RunRecord.Measured> sampled) {
        List<RunRecord.Measured> with = record.measurements().stream()
                .filter(at -> at.frechet().isPresent())
                .toList();
        if (with.isEmpty()) {
            return Optional.empty();
        }
        double lowest = analysis.thresholds().stream().min(Double::compare).orElseThrow();
        Reading memorized =
                sampled.isEmpty() ? new Reading.Unknown("no samples") : memorization(sampled, analysis.k(), lowest);
        OptionalDouble end =
                switch (memorized) {
                    case Reading.Reached reached -> OptionalDouble.of(reached.value());
                    case Reading.BeforeFirst before -> OptionalDouble.of(before.firstStep());
                    case Reading.NotReached ignored -> OptionalDouble.empty();
                    case Reading.Unknown ignored -> OptionalDouble.empty();
                };
        double[] values = with.stream().mapToDouble(at -> at.frechet().get()).toArray();
        return TimeScales.generation(dev.rote.metrics.Curve.of(steps(with), values), end, TimeScales.GENERATION_FACTOR)
                .filter(found -> found.step() > 0)
                .map(found -> new TimeScale(new Clock.TauGen(), good(found.step(), with.getFirst())));
    }

    /// What was good when it was first looked at was good before, nobody knows how long.
    private static Reading good(double step, RunRecord.Measured first) {
        return step == first.step() ? new Reading.BeforeFirst(step) : new Reading.Reached(step, Double.NaN, Double.NaN);
    }

    private void splits(List<TimeScale> times) {
        TreeSet<Double> diffusionTimes = new TreeSet<>();
        record.measurements().forEach(at -> diffusionTimes.addAll(at.test().keySet()));
        for (double t : diffusionTimes) {
            List<RunRecord.Measured> with = record.measurements().stream()
                    .filter(at -> at.test().containsKey(t))
                    .toList();
            LossSplit split = TimeScales.lossSplit(
                    dev.rote.metrics.Curve.of(
                            steps(with),
                            with.stream()
                                    .mapToDouble(at -> at.train().get(t).value())
                                    .toArray()),
                    dev.rote.metrics.Curve.of(
                            steps(with),
                            with.stream()
                                    .mapToDouble(at -> at.test().get(t).value())
                                    .toArray()),
                    TimeScales.SPLIT_MARGIN);
            times.add(new TimeScale(new Clock.LossSplit(t), reading(split.split(), Double.NaN, Double.NaN, with)));
        }
    }
}
