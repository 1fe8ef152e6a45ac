package dev.rote.tools.window;

import dev.rote.config.RunConfig;
import dev.rote.config.StopConfig;
import dev.rote.measure.StopRule;
import dev.rote.metrics.GapCurve;
import dev.rote.metrics.MemorizationOnset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/// Recorded runs of which the small ones forecast the large ones. A forecast takes runs of one setting and seed.
final class RecordedForecasts {
    /// What a forecast is made from.
    enum Source {
        /// As many recorded sizes as the cost allows, largest first.
        ALL("small runs, all that fit"),
        /// What a user gets: the size that `rote predict-window` makes, as nearly as the recorded ones allow.
        COMMAND("one small run, as predict-window"),
        /// As [#COMMAND] for a part of the cost alone; the rest goes to the large run's first updates.
        BEGUN("one small run and the run's beginning");

        private final String words;

        Source(String words) {
            this.words = words;
        }

        /// For a table.
        String words() {
            return words;
        }
    }

    private static final double SURE = 0.99; // as in Pilot

    /// Of the cost, when the rest goes to the run's own beginning.
    private static final double SMALL = 0.4;

    /// @param small what the run would have said as a small one; empty if it never was sure of its copies
    private record Recording(RecordedRun run, Optional<RecordedRun.Truth> truth, Optional<SmallRun> small) {}

    private final StopConfig stop;
    private final TreeMap<String, List<Recording>> settings = new TreeMap<>();

    /// @param runs of one study folder or several
    RecordedForecasts(List<RecordedRun> runs, StopConfig stop) {
        this.stop = stop;
        for (RecordedRun run : runs) {
            settings.computeIfAbsent(setting(run.config()), key -> new ArrayList<>())
                    .add(new Recording(run, run.truth(stop.fraction(), stop.samples()), pilot(run, stop)));
        }
    }

    /// Every forecast of a run whose window is known, from runs that together cost at most `budget`.
    ///
    /// @param budget share of the large run's updates up to twice its tau_mem
    List<PredictionTrial> of(double budget, Source source) {
        List<PredictionTrial> trials = new ArrayList<>();
        for (List<Recording> alike : settings.values()) {
            for (Recording large : alike) {
                large.truth()
                        .flatMap(truth -> trial(large.run(), truth, alike, budget, source))
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

    private Optional<PredictionTrial> trial(
            RecordedRun large, RecordedRun.Truth truth, List<Recording> alike, double budget, Source source) {
        List<SmallRun> smaller = alike.stream()
                .filter(recording -> recording.run().n() < large.n())
                .flatMap(recording -> recording.small().stream())
                .sorted(Comparator.comparingInt(SmallRun::n))
                .toList();
        double allowed = budget * 2 * truth.tauMem();
        List<SmallRun> chosen =
                switch (source) {
                    case ALL -> largest(smaller, allowed);
                    case COMMAND -> nearest(smaller, large.n(), budget, allowed);
                    case BEGUN -> nearest(smaller, large.n(), SMALL * budget, SMALL * allowed);
                };
        if (chosen.isEmpty()) {
            return Optional.empty();
        }
        Optional<GapCurve> own =
                source == Source.BEGUN ? Optional.of(gap(large, stop, allowed - updates(chosen))) : Optional.empty();
        return Optional.of(new PredictionTrial(large, Forecast.of(large.n(), chosen, own), truth));
    }

    /// The largest sizes say most.
    private static List<SmallRun> largest(List<SmallRun> growing, double allowed) {
        List<SmallRun> chosen = new ArrayList<>();
        for (SmallRun run : growing.reversed()) {
            if (updates(chosen) + run.steps() <= allowed) {
                chosen.add(run);
            }
        }
        return chosen;
    }

    /// Of the sizes that are cheap enough, the one nearest in ln n to the command's.
    private static List<SmallRun> nearest(List<SmallRun> growing, int n, double budget, double allowed) {
        if (n <= Pilot.SMALLEST) {
            return List.of();
        }
        int wanted = Pilot.within(n, 1, budget).sizes().getFirst();
        return growing.stream()
                .filter(run -> run.steps() <= allowed)
                .min(Comparator.comparingDouble(run -> Math.abs(Math.log((double) run.n() / wanted))))
                .map(List::of)
                .orElse(List.of());
    }

    private static long updates(List<SmallRun> runs) {
        return runs.stream().mapToLong(SmallRun::steps).sum();
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
