package dev.rote.tools.study;

import dev.rote.config.ConfigTree;
import dev.rote.config.TomlText;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The file that runs a study again: `study.toml` in its folder.
///
/// It spells out every key, so that defaults of another version cannot change it. Where defaults depend on a key that
/// the study varies (the family, the optimizer), that is not possible, and the keys are those that were given.
final class StudyText {
    private StudyText() {}

    /// @param tree what `study` was expanded from
    static String of(StudyFile study, ConfigTree tree) {
        String complete = complete(study);
        String text = isSame(study, complete) ? complete : given(tree);
        StringBuilder head = new StringBuilder();
        for (Grid.Run run : study.runs()) {
            head.append("# run ").append(run.name()).append('\n');
        }
        return head.append('\n').append(text).toString();
    }

    private static boolean isSame(StudyFile study, String text) {
        StudyFile read = StudyFile.of(ConfigTree.parse(text, "study.toml"));
        return read.runs().equals(study.runs()) && read.analysis().equals(study.analysis());
    }

    private static String complete(StudyFile study) {
        String run = study.runs().getFirst().config().toml();
        StringBuilder text = new StringBuilder();
        text.append("name = ").append(TomlText.quoted(study.name())).append('\n');
        text.append("description = ")
                .append(TomlText.quoted(study.description()))
                .append('\n');
        text.append(run, run.indexOf('\n') + 1, run.length()); // the first line is the run's name
        axes(text, "zip", study.grid().zipped());
        axes(text, "grid", study.grid().crossed());
        StudyFile.Analysis analysis = study.analysis();
        text.append("\n[analysis]\nthresholds = ")
                .append(analysis.thresholds().stream()
                        .map(TomlText::number)
                        .collect(Collectors.joining(", ", "[", "]")));
        text.append("\nfit = ").append(TomlText.quoted(analysis.fit()));
        text.append("\nk = ").append(TomlText.number(analysis.k()));
        text.append("\nmultiples = ")
                .append(analysis.multiples().stream()
                        .map(TomlText::number)
                        .collect(Collectors.joining(", ", "[", "]")));
        text.append("\nlarge_time = ").append(TomlText.number(analysis.largeTime()));
        text.append("\ngeneration_time = ")
                .append(TomlText.quoted(analysis.generation().word()));
        if (!analysis.paper().isEmpty()) {
            text.append("\npaper = ").append(TomlText.quoted(analysis.paper()));
        }
        return text.append('\n').toString();
    }

    private static void axes(StringBuilder text, String table, List<Axis> axes) {
        if (axes.isEmpty()) {
            return;
        }
        text.append("\n[").append(table).append("]\n");
        for (Axis axis : axes) {
            text.append(TomlText.quoted(axis.key())).append(" = ");
            text.append(axis.values().stream().map(StudyText::spelt).collect(Collectors.joining(", ", "[", "]")));
            text.append('\n');
        }
    }

    /// The keys of a tree, tables after plain values.
    private static String given(ConfigTree tree) {
        StringBuilder text = new StringBuilder();
        StringBuilder tables = new StringBuilder();
        for (Map.Entry<String, JsonNode> entry : tree.find("").orElseThrow().properties()) {
            if (entry.getValue() instanceof ObjectNode table) {
                tables.append("\n[").append(TomlText.quoted(entry.getKey())).append("]\n");
                table.properties().forEach(inner -> put(tables, inner));
            } else {
                put(text, entry);
            }
        }
        return text.append(tables).toString();
    }

    private static void put(StringBuilder text, Map.Entry<String, JsonNode> entry) {
        text.append(TomlText.quoted(entry.getKey()))
                .append(" = ")
                .append(spelt(entry.getValue()))
                .append('\n');
    }

    private static String spelt(JsonNode value) {
        if (value instanceof ArrayNode list) {
            return list.valueStream().map(StudyText::spelt).collect(Collectors.joining(", ", "[", "]"));
        }
        if (value instanceof ObjectNode table) {
            return table.properties().stream()
                    .map(entry -> TomlText.quoted(entry.getKey()) + " = " + spelt(entry.getValue()))
                    .collect(Collectors.joining(", ", "{ ", " }"));
        }
        if (value.isString()) {
            return TomlText.quoted(value.stringValue());
        }
        return value.isNumber() && !value.isIntegralNumber() ? TomlText.number(value.asDouble()) : value.asString();
    }
}
