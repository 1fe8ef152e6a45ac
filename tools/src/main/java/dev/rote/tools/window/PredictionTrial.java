package dev.rote.tools.window;

import dev.rote.config.RunConfig;
import dev.rote.config.StopConfig;
import dev.rote.measure.StopRule;
import dev.rote.metrics.GapCurve;
import dev.rote.metrics.Interval;
import dev.rote.metrics.MemorizationOnset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/// A forecast of tau_mem from small recorded runs, with or without the beginning of the large one, beside what that
/// did.
///
/// @param n training images of the large run
/// @param sizes of the small ones
/// @param cost share of the updates up to twice the large run's tau_mem that the small runs would have taken
/// @param predicted with a 95 % interval
/// @param truth tau_mem of the large run
record PredictionTrial(int n, List<Integer> sizes, double cost, Interval predicted, double truth) {
    private static final double SURE = 0.99; // as in Pilot

    /// Of the budget, when the rest goes to the run's own beginning.
    private static final double SMALL = 0.4;

    /// |predicted / truth - 1|.
    double error() {
        return Math.abs(predicted.value() / truth - 1);
    }

    /// Every forecast that runs of one setting and seed allow: of each n, from all sizes whose runs together cost at
    /// most `budget`.
    ///
    /// @param runs of one study folder or several
    /// @param begun whether the small runs take a part of the budget alone, and the large run's first updates the rest
    static List<PredictionTrial> all(List<RecordedRun> runs, StopConfig stop, double budget, boolean begun) {
        TreeMap<String, List<RecordedRun>> settings = new TreeMap<>();
        for (RecordedRun run : runs) {
            settings.computeIfAbsent(setting(run.config()), key -> new ArrayList<>())
                    .add(run);
        }
        List<PredictionTrial> trials = new ArrayList<>();
        for (List<RecordedRun> alike : settings.values()) {
            for (RecordedRun large : alike) {
                large.truth(stop.fraction(), stop.samples())
                        .flatMap(truth -> of(large, truth.tauMem(), alike, stop, budget, begun))
                        .ifPresent(trials::add);
            }
        }
        return trials;
    }

    /// Everything but n and the number of steps.
    private static String setting(RunConfig config) {
        return config.with("data.n", "2")
                .with("train.steps", Integer.toString(Integer.MAX_VALUE))
                .with("name", "same")
                .hash();
    }

    private static Optional<PredictionTrial> of(
            RecordedRun large, double truth, List<RecordedRun> alike, StopConfig stop, double budget, boolean begun) {
        double allowed = budget * 2 * truth;
        // The largest sizes that the budget allows say most.
        List<SmallRun> small = alike.stream()
                .filter(run -> run.n() < large.n())
                .flatMap(run -> pilot(run, stop).stream())
                .sorted((a, b) -> Integer.compare(b.n(), a.n()))
                .toList();
        List<SmallRun> chosen = new ArrayList<>();
        double updates = 0;
        for (SmallRun run : small) {
            if (updates + run.steps() <= (begun ? SMALL : 1) * allowed) {
                updates += run.steps();
                chosen.add(run);
            }
        }
        if (chosen.isEmpty()) {
            return Optional.empty();
        }
        Optional<GapCurve> own = begun ? Optional.of(gap(large, stop, allowed - updates)) : Optional.empty();
        Forecast forecast = Forecast.of(large.n(), chosen, own);
        double beginning = own.map(GapCurve::end).orElse(0.0);
        return Optional.of(new PredictionTrial(
                large.n(),
                chosen.stream().map(SmallRun::n).toList(),
                (updates + beginning) / (2 * truth),
                forecast.tauMem().orElseThrow(),
                truth));
    }

    /// What a small run would have said, had it stopped when it was sure.
    private static Optional<SmallRun> pilot(RecordedRun run, StopConfig stop) {
        List<MemorizationOnset.Count> counts = new ArrayList<>();
        for (StopRule.Check check : run.checks(stop)) {
            if (check.copies().isPresent()) {
                counts.add(
                        new MemorizationOnset.Count(check.step(), check.copies().getAsInt(), check.samples()));
                MemorizationOnset onset = MemorizationOnset.of(counts, stop.fraction());
                if (onset.passed(check.step()) >= SURE) {
                    return Optional.of(SmallRun.of(
                            run.n(),
                            check.step(),
                            Optional.of(onset.interval()),
                            run.measured(),
                            gap(run, stop, check.step())));
                }
            }
        }
        return Optional.empty();
    }

    /// Of its losses, up to an update.
    private static GapCurve gap(RecordedRun run, StopConfig stop, double last) {
        return GapCurve.of(run.checks(stop).stream()
                .filter(check -> check.step() <= last && check.gap().isPresent())
                .map(check -> SmallRun.look(check.step(), check.gap().getAsDouble()))
                .toList());
    }
}
