package dev.rote.tools.study;

import dev.rote.config.ConfigTree;
import dev.rote.config.Named;
import dev.rote.config.Nearest;
import dev.rote.config.RunConfig;
import dev.rote.config.Section;
import dev.rote.errors.DataException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;

/// A study: the keys of a run, and beside them
///
/// | key | meaning |
/// |---|---|
/// | `description` | one sentence for people |
/// | `[grid]` | dotted keys with lists; the study is their product, the last key fastest |
/// | `[zip]` | dotted keys with lists of one length that advance together |
/// | `[analysis]` | what the report computes; see [Analysis] |
///
/// @param name the top-level `name`, which a study must have
/// @param description one sentence, or empty
/// @param analysis what the report computes
/// @param grid what varies
/// @param runs every run of the study, in order
public record StudyFile(String name, String description, Analysis analysis, Grid grid, List<Grid.Run> runs) {
    private static final String COMMAND_LINE = "command line";
    private static final List<String> OWN = List.of("description", "grid", "zip", "analysis");

    /// What the report computes.
    ///
    /// @param thresholds memorized fractions whose crossing times are given
    /// @param fit dotted key whose scaling is fitted
    /// @param k distance ratio of the memorized fraction; one of `measure.k`
    /// @param multiples of tau_gen at which the phase diagram is cut, growing
    /// @param largeTime updates of the phase diagram's last line; 0 for the last measurement of each run
    /// @param generation tau_gen of a width in the phase diagram
    /// @param paper what the study is compared with: `bonnaire-2025` or nothing
    public record Analysis(
            List<Double> thresholds,
            String fit,
            double k,
            List<Double> multiples,
            double largeTime,
            Generation generation,
            String paper) {
        static final List<String> KEYS =
                List.of("thresholds", "fit", "k", "multiples", "large_time", "generation_time", "paper");

        /// Bonnaire, Urfin, Biroli, Mezard 2025, arXiv:2505.17638.
        static final String BONNAIRE = "bonnaire-2025";

        /// Where the phase diagram takes tau_gen of a width from.
        public enum Generation implements Named {
            /// The mean over the runs of that width; C / W where none of them knows its own.
            MEASURED("measured"),
            /// C / W for every width, C the mean over all runs: the paper's collapse over W tau.
            FITTED("fitted");

            private final String word;

            Generation(String word) {
                this.word = word;
            }

            @Override
            public String word() {
                return word;
            }
        }

        public Analysis {
            thresholds = List.copyOf(thresholds);
            multiples = List.copyOf(multiples);
        }
    }

    public StudyFile {
        runs = List.copyOf(runs);
    }

    /// The study of a file, or a bundled one. A bundled name wins; `./quickstart` is the file of that name.
    ///
    /// @throws DataException when there is neither (the nearest bundled name is given), or the study has a mistake
    public static StudyFile find(String nameOrPath) {
        return of(tree(nameOrPath));
    }

    /// The text of a study that is not expanded yet, for those who change keys ([#with]) before they call [#of].
    ///
    /// @throws DataException when there is no such study, or it is not TOML
    public static ConfigTree tree(String nameOrPath) {
        Optional<String> bundled = BundledStudies.text(nameOrPath);
        if (bundled.isPresent()) {
            return ConfigTree.parse(bundled.get(), "study " + nameOrPath);
        }
        if (isFile(nameOrPath)) {
            return ConfigTree.read(Path.of(nameOrPath));
        }
        List<String> names = BundledStudies.names();
        String nearest = Nearest.to(nameOrPath, names)
                .map(n -> " (did you mean " + n + "?)")
                .orElse("");
        throw new DataException(nameOrPath + ": expected a study file or a bundled study" + nearest
                + ", found neither; bundled are " + BundledStudies.summary(names) + " (rote study --help names them)");
    }

    /// Changes one key for all runs, its value given as TOML text. A key that the study varies takes the new value, or
    /// each of the new list's values, in place of the file's; for a key whose values are lists, give a list of lists.
    /// One value for a key under `[zip]` stands in every row.
    ///
    /// @throws DataException when a part of the key before the last is not a table
    public static ConfigTree with(ConfigTree study, String key, String value) {
        for (String table : List.of("grid", "zip")) {
            JsonNode given = ConfigTree.value(value);
            Optional<JsonNode> entry = study.find(table).map(node -> node.get(key));
            Optional<JsonNode> dotted = study.find(table + "." + key);
            if (entry.isPresent()) {
                return study.withEntry(table, key, list(table, entry.get(), given), COMMAND_LINE);
            }
            if (dotted.isPresent()) {
                return study.with(table + "." + key, list(table, dotted.get(), given), COMMAND_LINE);
            }
        }
        return study.with(key, value);
    }

    private static JsonNode list(String table, JsonNode before, JsonNode given) {
        if (given.isArray()) {
            return given;
        }
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        int rows = table.equals("zip") ? Math.max(1, before.size()) : 1;
        for (int i = 0; i < rows; i++) {
            list.add(given);
        }
        return list;
    }

    /// Expands a study.
    ///
    /// @throws DataException with file, line and key: an unknown key, a value of the wrong type or out of range, a
    ///     list that is empty or repeats a value
    public static StudyFile of(ConfigTree tree) {
        Section top = Section.of(
                tree,
                "",
                Stream.concat(OWN.stream(), RunConfig.topLevelKeys().stream()).toList());
        String name = top.text("name");
        String description = top.text("description", "");
        Grid grid = Grid.of(tree);
        ConfigTree base = tree;
        for (String own : OWN) {
            base = base.without(own);
        }
        List<Grid.Run> runs = grid.runs(base);
        RunConfig first = runs.getFirst().config();
        checkName(tree, name);
        return new StudyFile(name, description, analysis(tree, first), grid, runs);
    }

    private static void checkName(ConfigTree tree, String name) {
        String part = "[A-Za-z0-9][A-Za-z0-9._+=,-]*";
        if (!name.matches(part + "(/" + part + ")*") || name.length() > 200) {
            throw tree.wrong(
                    "name",
                    "letters, digits and . _ - + = , beginning with a letter or digit; / between folders",
                    name);
        }
    }

    private static Analysis analysis(ConfigTree tree, RunConfig first) {
        Section s = Section.of(tree, "analysis", Analysis.KEYS);
        List<Double> thresholds = s.reals("thresholds", List.of(0.01, 0.1, 0.5));
        for (double threshold : thresholds) {
            if (!(threshold > 0 && threshold < 1)) {
                throw tree.wrong("analysis.thresholds", "fractions above 0 and below 1", String.valueOf(threshold));
            }
        }
        if (thresholds.isEmpty() || thresholds.stream().distinct().count() < thresholds.size()) {
            throw tree.wrong("analysis.thresholds", "one or more different fractions", thresholds.toString());
        }
        String fit = s.text("fit", "data.n");
        if (!RunConfig.keys().contains(fit)) {
            throw new DataException(tree.place("analysis.fit") + ": analysis.fit: " + RunConfig.unknownKey(fit));
        }
        double k = s.real("k", first.measure().k().getFirst());
        double measured = first.measure().k().stream()
                .filter(each -> Math.abs(each - k) < 1e-3)
                .findFirst()
                .orElseThrow(() -> tree.wrong(
                        "analysis.k", "one of measure.k " + first.measure().k(), String.valueOf(k)));
        List<Double> multiples = s.reals("multiples", List.of(1.0, 3.0, 8.0));
        for (int i = 0; i < multiples.size(); i++) {
            if (!(multiples.get(i) > (i == 0 ? 0 : multiples.get(i - 1)))) {
                throw tree.wrong("analysis.multiples", "growing numbers above 0", multiples.toString());
            }
        }
        double largeTime = s.real("large_time", 0);
        if (!(largeTime >= 0) || Double.isInfinite(largeTime)) {
            throw tree.wrong("analysis.large_time", "0 or a number of updates", String.valueOf(largeTime));
        }
        Analysis.Generation generation =
                s.choice("generation_time", Analysis.Generation.values(), Analysis.Generation.MEASURED);
        String paper = s.text("paper", "");
        if (!paper.isEmpty() && !paper.equals(Analysis.BONNAIRE)) {
            throw tree.wrong("analysis.paper", '"' + Analysis.BONNAIRE + "\" or nothing", '"' + paper + '"');
        }
        return new Analysis(thresholds, fit, measured, multiples, largeTime, generation, paper);
    }

    private static boolean isFile(String path) {
        try {
            return Files.exists(Path.of(path));
        } catch (InvalidPathException e) {
            return false;
        }
    }
}
