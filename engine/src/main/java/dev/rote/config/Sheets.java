package dev.rote.config;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Which measured steps get a sheet of pictures, samples beside their nearest training images. In TOML `"all"`,
/// `"last"`,
/// a count, or a list of steps.
public sealed interface Sheets extends TomlText.Spelt {
    /// Chooses among the measured steps, which are in growing order.
    List<Integer> of(List<Integer> measured);

    /// Every measured step.
    record All() implements Sheets {
        @Override
        public List<Integer> of(List<Integer> measured) {
            return List.copyOf(measured);
        }

        @Override
        public String toml() {
            return "\"all\"";
        }
    }

    /// The last measured step.
    record Last() implements Sheets {
        @Override
        public List<Integer> of(List<Integer> measured) {
            return measured.isEmpty() ? List.of() : List.of(measured.getLast());
        }

        @Override
        public String toml() {
            return "\"last\"";
        }
    }

    /// So many, evenly spread over the measured steps, the last one among them.
    record Count(int count) implements Sheets {
        public Count {
            Check.atLeast(0, "measure.sheets", count);
        }

        @Override
        public List<Integer> of(List<Integer> measured) {
            int size = Math.min(count, measured.size());
            var chosen = new ArrayList<Integer>();
            for (long i = 1; i <= size; i++) {
                chosen.add(measured.get((int) (i * measured.size() / size) - 1));
            }
            return chosen;
        }

        @Override
        public String toml() {
            return Integer.toString(count);
        }
    }

    /// These steps, each of which must be measured.
    record Listed(List<Integer> steps) implements Sheets {
        public Listed {
            steps = List.copyOf(steps);
            Check.distinct("measure.sheets", steps);
        }

        @Override
        public List<Integer> of(List<Integer> measured) {
            return measured.stream().filter(steps::contains).toList();
        }

        @Override
        public String toml() {
            return steps.toString();
        }
    }

    static Sheets of(Section measure) {
        JsonNode node = measure.find("sheets").orElse(null);
        if (node == null || node.isString() && node.stringValue().equals("all")) {
            return new All();
        }
        if (node.isString() && node.stringValue().equals("last")) {
            return new Last();
        }
        if (node.isIntegralNumber()) {
            return new Count(measure.integer("sheets", 0));
        }
        if (!node.isArray()) {
            throw measure.wrong("sheets", "\"all\", \"last\", a count or a list of steps", node);
        }
        return new Listed(measure.integers("sheets", List.of()));
    }
}
