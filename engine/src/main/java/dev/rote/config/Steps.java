package dev.rote.config;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;

/// At which optimizer updates a run is measured: a list, or steps evenly spaced in the logarithm. In TOML
/// `[100, 1000]` or `{ from = 100, to = 8000, per_decade = 8 }`, where `to` is `train.steps` when absent or 0.
public sealed interface Steps extends TomlText.Spelt {
    /// The steps in growing order, each once.
    ///
    /// @param last the run's last step
    List<Integer> upTo(int last);

    /// The largest step that was asked for by number, or 0.
    int largest();

    /// These steps; step 0 is the untrained network.
    record Listed(List<Integer> steps) implements Steps {
        public Listed {
            steps = List.copyOf(steps);
            Check.distinct("measure.steps", steps);
            for (int step : steps) {
                Check.atLeast(0, "measure.steps", step);
            }
        }

        @Override
        public List<Integer> upTo(int last) {
            return steps.stream().sorted().toList();
        }

        @Override
        public int largest() {
            return steps.stream().max(Integer::compare).orElse(0);
        }

        @Override
        public String toml() {
            return steps.toString();
        }
    }

    /// The rounded values of `from * 10^(i / perDecade)`, i = 0, 1, ..., below `to`, and `to` itself.
    record LogSpaced(int from, int to, int perDecade) implements Steps {
        public LogSpaced {
            Check.atLeast(1, "measure.steps.from", from);
            Check.atLeast(0, "measure.steps.to", to);
            Check.that(
                    to == 0 || to >= from, "measure.steps.to", "0 (the last step) or at least from (" + from + ")", to);
            Check.between(1, 1000, "measure.steps.per_decade", perDecade);
        }

        @Override
        public List<Integer> upTo(int last) {
            int end = to == 0 ? last : to;
            var steps = new TreeSet<Integer>();
            steps.add(end);
            for (int i = 0; ; i++) {
                long step = Math.round(from * StrictMath.pow(10, (double) i / perDecade));
                if (step >= end) {
                    return new ArrayList<>(steps);
                }
                steps.add((int) step);
            }
        }

        @Override
        public int largest() {
            return to;
        }

        @Override
        public String toml() {
            return "{ from = " + from + ", to = " + to + ", per_decade = " + perDecade + " }";
        }
    }

    static Steps of(Section measure, ConfigTree tree) {
        JsonNode node = measure.find("steps").orElse(null);
        if (node != null && node.isObject()) {
            var s = Section.of(tree, "measure.steps", List.of("from", "to", "per_decade"));
            return new LogSpaced(s.integer("from"), s.integer("to", 0), s.integer("per_decade", 8));
        }
        if (node != null && !node.isArray()) {
            throw measure.wrong("steps", "a list of integers or { from, to, per_decade }", node);
        }
        return new Listed(measure.integers("steps", List.of()));
    }
}
