package dev.rote.tools.study;

import dev.rote.config.ModelConfig;
import dev.rote.config.RunConfig;
import dev.rote.config.TrainConfig;
import dev.rote.tools.cli.Devices;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Which runs of a study are trained as one program ([dev.rote.train.Replicas]): those whose updates are, by their
/// configuration, the same operations on tensors of the same shapes. They may differ in seed, images and their number,
/// learning rate, length, and in all that is measured. Where images turn out to be of another kind after all, the
/// program has a branch of its own for them.
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

    /// In the place of a number of runs: as many as [#usual] says.
    static final int USUAL = 0;

    private static final int MOST_LAUNCHED = 16; // replicas of a launch
    private static final int NARROW = 16; // channels

    private static final Set<String> FREE_SECTIONS = Set.of("measure", "stop");
    private static final String IMAGES = "data.";

    private ReplicaGroups() {}

    /// Groups of up to `most` runs, or of [#USUAL] many, in the order of the first of each. On a CPU, where a member
    // has
    /// one thread, every job gets its share.
    static List<List<Grid.Run>> of(List<Grid.Run> runs, int most, int jobs) {
        Map<String, List<Grid.Run>> alike = new LinkedHashMap<>();
        for (Grid.Run run : runs) {
            alike.computeIfAbsent(shapes(run.config()), text -> new ArrayList<>())
                    .add(run);
        }
        List<List<Grid.Run>> groups = new ArrayList<>();
        for (List<Grid.Run> same : alike.values()) {
            RunConfig config = same.getFirst().config();
            int wanted = most == USUAL ? usual(config) : most;
            int size = Devices.isGpu(config) ? wanted : Math.min(wanted, Math.ceilDiv(same.size(), jobs));
            for (int first = 0; first < same.size(); first += size) {
                groups.add(same.subList(first, Math.min(same.size(), first + size)));
            }
        }
        return groups;
    }

    /// Narrow U-Nets on a GPU: sixteen as one program take less than side by side (`bench/NOTES.md`, round 15). Others,
    /// which fill a GPU better, have not been measured, and each is waited for by none.
    private static int usual(RunConfig config) {
        ModelConfig model = config.model();
        boolean narrow = model.family() != ModelConfig.Family.MLP_MIXTURE && model.width() <= NARROW;
        return Devices.isGpu(config) && narrow && config.kernels() == RunConfig.Kernels.OWN ? MOST_LAUNCHED : 1;
    }

    /// What decides the shapes: the configuration as text, without what does not. All images that there are may be
    /// fewer than a batch; what is compared with a twin waits for that run, which may be of the group.
    private static String shapes(RunConfig config) {
        if (!config.measure().twin().isEmpty()) {
            return config.toml();
        }
        boolean all = config.data().n() == 0;
        StringBuilder text = new StringBuilder();
        String section = "";
        for (String line : config.toml().lines().toList()) {
            if (line.startsWith("[")) {
                section = line.substring(1, line.indexOf(']'));
            }
            String key = line.split("=", 2)[0].strip();
            String whole = section.isEmpty() ? key : section + "." + key;
            boolean fixed = all && whole.startsWith(IMAGES);
            boolean free = FREE_SECTIONS.contains(section) || FREE.contains(whole) && !fixed;
            if (!free) {
                text.append(line).append('\n');
            }
        }
        TrainConfig train = config.train();
        int images = train.batchLimitN() ? Math.min(train.batch(), config.data().n()) : train.batch();
        return text.append(images).toString();
    }
}
