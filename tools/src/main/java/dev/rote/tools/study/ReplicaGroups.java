package dev.rote.tools.study;

import dev.rote.config.RunConfig;
import dev.rote.config.TrainConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Which runs of a study are trained as one program ([dev.rote.train.Replicas]): those whose updates are the same
/// operations on tensors of the same shapes. They may differ in seed, images and their number, learning rate, length,
/// and in all that is measured.
final class ReplicaGroups {
    /// What an update takes as numbers and addresses, or does not see.
    private static final Set<String> FREE = Set.of(
            "name",
            "seed",
            "data.n",
            "data.index",
            "data.test",
            "data.shuffle_seed",
            "train.lr",
            "train.steps",
            "train.log_every",
            "train.checkpoint_every",
            "train.keep");

    private static final Set<String> FREE_SECTIONS = Set.of("measure", "stop");

    private ReplicaGroups() {}

    /// Groups of up to `most` runs, in the order of the first of each.
    static List<List<Grid.Run>> of(List<Grid.Run> runs, int most) {
        Map<String, List<Grid.Run>> alike = new LinkedHashMap<>();
        for (Grid.Run run : runs) {
            alike.computeIfAbsent(shapes(run.config()), text -> new ArrayList<>())
                    .add(run);
        }
        List<List<Grid.Run>> groups = new ArrayList<>();
        for (List<Grid.Run> same : alike.values()) {
            for (int first = 0; first < same.size(); first += most) {
                groups.add(same.subList(first, Math.min(same.size(), first + most)));
            }
        }
        return groups;
    }

    /// What decides the shapes: the configuration as text, without what does not.
    private static String shapes(RunConfig config) {
        StringBuilder text = new StringBuilder();
        String section = "";
        for (String line : config.toml().lines().toList()) {
            if (line.startsWith("[")) {
                section = line.substring(1, line.indexOf(']'));
            }
            String key = line.split("=", 2)[0].strip();
            boolean free =
                    FREE_SECTIONS.contains(section) || FREE.contains(section.isEmpty() ? key : section + "." + key);
            if (!free) {
                text.append(line).append('\n');
            }
        }
        TrainConfig train = config.train();
        int images = train.batchLimitN() ? Math.min(train.batch(), config.data().n()) : train.batch();
        return text.append(images).toString();
    }
}
