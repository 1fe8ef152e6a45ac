package dev.rote.tools.window;

import dev.rote.config.StopConfig;
import dev.rote.metrics.Share;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// How a rule did over many recorded runs.
///
/// @param rule its name
/// @param runs how many have a known window
/// @param unstopped of these, how many were over before the rule stopped them; they count as missed
/// @param inside kept models inside the window
/// @param early kept models from before it
/// @param late kept models from after it, or none at all
/// @param loss median of FD(kept) / smallest FD before tau_mem - 1
/// @param copies mean share of copies that the kept models make
/// @param position median of kept / tau_mem
/// @param overshoot median of the steps trained / tau_mem
record Judgement(
        String rule,
        int runs,
        int unstopped,
        Share inside,
        int early,
        int late,
        OptionalDouble loss,
        OptionalDouble copies,
        OptionalDouble position,
        OptionalDouble overshoot) {

    /// @param runs with a known window; others are left out
    static Judgement of(Rule rule, List<RecordedRun> runs, StopConfig stop) {
        List<double[]> kept = new ArrayList<>(); // loss, copies, position
        List<Double> overshoots = new ArrayList<>();
        int known = 0;
        int unstopped = 0;
        int inside = 0;
        int early = 0;
        int late = 0;
        for (RecordedRun run : runs) {
            Optional<RecordedRun.Truth> found = run.truth(stop.fraction(), stop.samples());
            if (found.isEmpty()) {
                continue;
            }
            RecordedRun.Truth truth = found.get();
            known++;
            Optional<Rule.Outcome> outcome = rule.apply(run);
            if (outcome.isEmpty()) {
                unstopped++;
                continue;
            }
            overshoots.add(outcome.get().stopped() / truth.tauMem());
            if (outcome.get().kept().isEmpty()) {
                late++;
                continue;
            }
            int step = outcome.get().kept().getAsInt();
            early += step < truth.tauGen() ? 1 : 0;
            late += step > truth.tauMem() ? 1 : 0;
            inside += step >= truth.tauGen() && step <= truth.tauMem() ? 1 : 0;
            kept.add(new double[] {
                run.frechet(step) / truth.best() - 1, run.copies(step, stop.samples()), step / truth.tauMem()
            });
        }
        return new Judgement(
                rule.name(),
                known,
                unstopped,
                new Share(Math.max(known, 1), inside),
                early,
                late,
                median(kept.stream().mapToDouble(k -> k[0]).toArray()),
                kept.stream().mapToDouble(k -> k[1]).average(),
                median(kept.stream().mapToDouble(k -> k[2]).toArray()),
                median(overshoots.stream().mapToDouble(x -> x).toArray()));
    }

    /// Margins of one rule that did the same are one row, such as "train loss plateau, 1 %, 5 %".
    static List<Judgement> merged(List<Judgement> judgements) {
        List<Judgement> merged = new ArrayList<>();
        for (Judgement next : judgements) {
            Judgement last = merged.isEmpty() ? null : merged.getLast();
            int comma = next.rule.indexOf(", ");
            if (last != null
                    && comma > 0
                    && last.rule.startsWith(next.rule.substring(0, comma + 2))
                    && last.named("").equals(next.named(""))) {
                merged.set(merged.size() - 1, last.named(last.rule + next.rule.substring(comma)));
            } else {
                merged.add(next);
            }
        }
        return merged;
    }

    private Judgement named(String name) {
        return new Judgement(name, runs, unstopped, inside, early, late, loss, copies, position, overshoot);
    }

    static OptionalDouble median(double[] values) {
        if (values.length == 0) {
            return OptionalDouble.empty();
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int half = sorted.length / 2;
        return OptionalDouble.of(sorted.length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2);
    }
}
