package dev.rote.tools.window;

import dev.rote.config.StopConfig;
import dev.rote.measure.StopRule;
import dev.rote.tools.study.RunRecord.Measured;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.ToDoubleFunction;

/// A rule for stopping, applied to a recorded run.
sealed interface Rule {
    /// Measurements without an improvement after which a rule with patience stops.
    int PATIENCE = 3;

    /// Relative improvements in percent below which a training loss is said to be on a plateau, as `min_delta` of
    /// Keras' EarlyStopping and `threshold` of PyTorch's ReduceLROnPlateau. Measurements a fixed factor in steps apart
    /// leave time for an improvement, so a small one is hardly ever missed.
    List<Integer> PLATEAUS = List.of(1, 5, 10);

    /// What came of it.
    ///
    /// @param stopped step at which training ended
    /// @param kept step of the model that was kept; empty if none
    record Outcome(int stopped, OptionalInt kept) {}

    String name();

    /// @return empty if the run was over before the rule stopped it
    Optional<Outcome> apply(RecordedRun run);

    /// Rote's.
    record BeforeMemorization(StopConfig stop) implements Rule {
        @Override
        public String name() {
            return "before-memorization";
        }

        @Override
        public Optional<Outcome> apply(RecordedRun run) {
            StopRule rule = new StopRule(stop);
            List<StopRule.Check> checks = run.checks(stop);
            for (int i = 1; i <= checks.size(); i++) {
                StopRule.Decision decision = rule.decide(checks.subList(0, i));
                if (decision.stop()) {
                    return Optional.of(new Outcome(checks.get(i - 1).step(), decision.kept()));
                }
            }
            return Optional.empty();
        }
    }

    /// The last measurement before a number of passes over the images.
    record Epochs(int epochs) implements Rule {
        @Override
        public String name() {
            return epochs + " epochs";
        }

        @Override
        public Optional<Outcome> apply(RecordedRun run) {
            double limit = (double) epochs * run.n() / run.config().train().effectiveBatch(run.n());
            int last = run.measured().getLast().step();
            if (limit > last) {
                return Optional.empty();
            }
            OptionalInt step = run.measured().stream()
                    .mapToInt(Measured::step)
                    .filter(at -> at <= limit)
                    .max();
            return Optional.of(new Outcome((int) limit, step));
        }
    }

    /// Keeps the best model by a quantity that should fall, once [#PATIENCE] measurements have brought nothing better.
    ///
    /// @param margin share by which a value must be lower to count as better
    record Minimum(String name, ToDoubleFunction<Measured> value, double margin) implements Rule {
        @Override
        public Optional<Outcome> apply(RecordedRun run) {
            double best = Double.POSITIVE_INFINITY;
            int kept = -1;
            int since = 0;
            for (Measured at : run.measured()) {
                double now = value.applyAsDouble(at);
                if (now < best * (1 - margin)) {
                    best = now;
                    kept = at.step();
                    since = 0;
                } else if (++since == PATIENCE) {
                    return Optional.of(new Outcome(at.step(), OptionalInt.of(kept)));
                }
            }
            return Optional.empty();
        }
    }

    /// All of them, Rote's first.
    static List<Rule> all(StopConfig stop) {
        double t = stop.lossTime();
        List<Rule> rules = new ArrayList<>(
                List.of(new BeforeMemorization(stop), new Epochs(100), new Epochs(300), new Epochs(1000)));
        for (int percent : PLATEAUS) {
            rules.add(new Minimum(
                    "train loss plateau, " + percent + " %",
                    at -> at.train().get(t).value(),
                    percent / 100.0));
        }
        rules.add(new Minimum("held-out loss minimum", at -> at.test().get(t).value(), 0));
        rules.add(new Minimum("Fréchet minimum", at -> at.frechet().get().value(), 0));
        return rules;
    }
}
