package dev.rote.measure;

import dev.rote.config.StopConfig;
import dev.rote.metrics.Interval;
import dev.rote.metrics.MemorizationOnset;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/// Decides from the checks so far whether training stops, and which model is kept. A function of its arguments, so that
/// a run that goes on decides as one that never stopped, and recorded runs can be judged afterwards.
///
/// Copies come after the losses have parted (Bonnaire et al. 2025, arXiv:2505.17638, sec. 2: the overfitting time is
/// earlier than tau_mem at every n), so no image is generated before. From then on few images a check are looked at;
/// [MemorizationOnset] puts them together. Training stops when the fraction has been passed with high probability: by
/// then it has gone too far on purpose, because only copies tell when they began. The kept model is the newest one that
/// was most probably earlier.
public final class StopRule {
    private final StopConfig config;

    /// What was seen after an update.
    ///
    /// @param step updates done
    /// @param gap (test loss - train loss) / test loss; empty without held-out images
    /// @param copies generated images with d1 / d2 below the first of `measure.k`; empty if none were generated
    /// @param samples how many images were generated
    public record Check(int step, OptionalDouble gap, OptionalInt copies, int samples) {}

    /// What follows.
    ///
    /// @param onset of the fraction with a 90 % interval; empty before images are generated
    /// @param passed probability that it has been passed
    /// @param stop whether training stops
    /// @param kept the step whose model is kept if training ends now; empty if every one may be too late
    public record Decision(Optional<Interval> onset, double passed, boolean stop, OptionalInt kept) {
        /// What was decided at a run's end, in one sentence.
        String why(int step, StopConfig config) {
            String fraction = percent(config.fraction());
            String seen = onset.map(tau -> String.format(
                            Locale.ROOT,
                            "a memorized fraction of %s was passed near step %.0f (90 %% interval %.0f to %.0f)",
                            fraction,
                            tau.value(),
                            tau.low(),
                            tau.high()))
                    .orElse("the losses of training and held-out images never parted");
            String chosen = kept.isPresent()
                    ? "kept the model of step " + kept.getAsInt()
                    : "kept none, because every model may have passed it: begin earlier (stop.from)";
            return (stop
                            ? "stopped at step " + step + ": " + seen
                            : "trained to the last step " + step + ": "
                                    + (onset.isPresent() ? "no sure sign that " + fraction + " is memorized" : seen))
                    + "; " + chosen;
        }

        private static String percent(double fraction) {
            return new BigDecimal(100 * fraction)
                            .round(new MathContext(3))
                            .stripTrailingZeros()
                            .toPlainString() + " %";
        }
    }

    public StopRule(StopConfig config) {
        this.config = config;
    }

    /// Whether a check generates images, given those before and its own gap.
    public boolean generates(List<Check> before, OptionalDouble gap) {
        return parted(gap) || before.stream().anyMatch(check -> check.copies().isPresent());
    }

    private boolean parted(OptionalDouble gap) {
        return gap.isEmpty() || gap.getAsDouble() >= config.split();
    }

    /// @param checks in growing order of steps, 1 or more
    public Decision decide(List<Check> checks) {
        List<MemorizationOnset.Count> counts = new ArrayList<>();
        for (Check check : checks) {
            check.copies()
                    .ifPresent(
                            copies -> counts.add(new MemorizationOnset.Count(check.step(), copies, check.samples())));
        }
        if (counts.isEmpty()) {
            return new Decision(
                    Optional.empty(), 0, false, OptionalInt.of(checks.getLast().step()));
        }
        MemorizationOnset onset = MemorizationOnset.of(counts, config.fraction());
        double passed = onset.passed(checks.getLast().step());
        OptionalInt kept = OptionalInt.empty();
        for (Check check : checks) {
            if (onset.passed(check.step()) <= config.risk()) {
                kept = OptionalInt.of(check.step());
            }
        }
        return new Decision(Optional.of(onset.interval()), passed, passed >= config.confidence(), kept);
    }
}
