package dev.rote.tools.study;

import dev.rote.tools.report.RunCurves;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// Which runs of a study differ in nothing but some axes, the seed and the block of images.
///
/// A key that advances with an axis under `[zip]` is no setting of its own as long as the axes and the settings before
/// it decide its value: the learning rate that comes with an optimizer is not, the optimizer itself is.
/// `train.steps` never is: how long runs are says nothing about what they are.
final class Settings {
    private static final String LENGTH = "train.steps";

    /// Keys whose values stand for nothing: runs that differ in them alone are the same experiment once more.
    static final Set<String> REPLICATES = Set.of("seed", "data.index");

    private Settings() {}

    /// The keys that tell settings apart, in the study's order.
    ///
    /// @param axes dotted keys
    static List<String> keys(StudyFile study, Set<String> axes) {
        Set<String> together = axes.stream()
                .flatMap(axis -> study.grid().together(axis).stream())
                .collect(Collectors.toSet());
        List<Map<String, String>> points =
                study.runs().stream().map(Grid.Run::point).toList();
        List<String> kept = new ArrayList<>();
        for (String key : study.grid().keys()) {
            if (axes.contains(key) || REPLICATES.contains(key)) {
                continue;
            }
            List<String> before = new ArrayList<>(axes);
            before.addAll(kept);
            boolean fellow = together.contains(key);
            if (!fellow || (!key.equals(LENGTH) && !decided(points, before, key))) {
                kept.add(key);
            }
        }
        return kept;
    }

    /// The runs by setting, `train.optimizer = adam, model.width = 32`, in order of appearance.
    static Map<String, List<RunCurves>> of(StudyFile study, Set<String> axes, List<RunCurves> runs) {
        List<String> keys = keys(study, axes);
        Map<String, List<RunCurves>> settings = new LinkedHashMap<>();
        for (RunCurves run : runs) {
            String where = keys.stream()
                    .filter(run.keys()::containsKey)
                    .map(key -> key + " = " + run.keys().get(key))
                    .collect(Collectors.joining(", "));
            settings.computeIfAbsent(where, text -> new ArrayList<>()).add(run);
        }
        return settings;
    }

    /// Whether equal values of `keys` always come with one value of `other`.
    private static boolean decided(List<Map<String, String>> points, List<String> keys, String other) {
        Map<List<String>, String> seen = new HashMap<>();
        for (Map<String, String> point : points) {
            List<String> at =
                    keys.stream().map(key -> point.getOrDefault(key, "")).toList();
            String value = point.getOrDefault(other, "");
            if (!value.equals(seen.computeIfAbsent(at, first -> value))) {
                return false;
            }
        }
        return true;
    }
}
