package dev.rote.nn;

import dev.rote.errors.DataException;
import dev.rote.storage.SafeTensorsFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/// Reads the architecture of a U-Net off the tensors of a file.
final class UNetDetection {
    /// One level of the way down.
    private static final class Level {
        private int channels;
        private int blocks;
        private int attentions;
    }

    /// The tensors that tell each part of the architecture, by naming.
    private record Names(
            String stem, String head, String time, String table, String middleAttention, String firstProjection) {
        static Names of(UNetConfig.Naming naming) {
            return switch (naming) {
                case STUDY1 ->
                    new Names(
                            "init_conv.weight",
                            "final_block.conv.weight",
                            "time_embeddings.time_mlp.1.weight",
                            "time_embeddings.time_mlp.0.weight",
                            "bottleneck_blocks.0.attention.group_norm.weight",
                            "encoder_blocks.0.dense.weight");
                case IDDPM ->
                    new Names(
                            "input_blocks.0.0.weight",
                            "out.2.weight",
                            "time_embed.0.weight",
                            "time_table.weight",
                            "middle_block.1.norm.weight",
                            "input_blocks.1.0.emb_layers.1.weight");
            };
        }
    }

    private final Path path;
    private final SafeTensorsFile file;
    private final List<String> lines = new ArrayList<>();

    UNetDetection(Path path, SafeTensorsFile file) {
        this.path = path;
        this.file = file;
    }

    UNetFiles.Found run() {
        UNetConfig.Naming naming = naming();
        Names names = Names.of(naming);
        int width = extent(names.stem(), 0);
        int inChannels = extent(names.stem(), 1);
        List<Level> levels = levels(naming);
        List<Integer> multipliers = new ArrayList<>();
        Set<Integer> attention = new TreeSet<>();
        for (Level level : levels) {
            check(level, levels.getFirst().blocks, width);
            if (level.attentions > 0) {
                attention.add(multipliers.size());
            }
            multipliers.add(level.channels / width);
        }
        boolean scaleShift = extent(names.firstProjection(), 0) == 2 * levels.getFirst().channels;
        UNetConfig usual =
                naming == UNetConfig.Naming.STUDY1 ? UNetConfig.study1(width, inChannels) : UNetConfig.iddpmCifar();
        lines.add("names: those of " + (naming == UNetConfig.Naming.STUDY1 ? "study 1" : "iDDPM"));
        try {
            UNetConfig config = new UNetConfig(
                    naming,
                    inChannels,
                    extent(names.head(), 0),
                    width,
                    multipliers,
                    levels.getFirst().blocks,
                    attention,
                    has(names.middleAttention()),
                    option("heads", usual.heads(), Integer::valueOf),
                    option("head_size", usual.headSize(), Integer::valueOf),
                    option("groups", usual.groups(), Integer::valueOf),
                    option("eps", usual.eps(), Float::valueOf),
                    option("dropout", usual.dropout(), Float::valueOf),
                    option("channel_dropout", usual.channelDropout(), UNetDetection::flag),
                    has("label_emb.weight") ? extent("label_emb.weight", 0) : 0,
                    scaleShift,
                    option("zero_init", usual.zeroInit(), UNetDetection::flag),
                    extent(names.time(), 0),
                    has(names.table()) ? extent(names.table(), 0) : 0,
                    option("cosine_first", usual.cosineFirst(), UNetDetection::flag),
                    option("gelu", usual.gelu(), UNetDetection::flag));
            UNet.layout(config);
            lines.add(1, shapesTell(config));
            return new UNetFiles.Found(config, lines);
        } catch (IllegalArgumentException refused) {
            throw new DataException(path + ": " + refused.getMessage(), refused);
        }
    }

    private static String shapesTell(UNetConfig config) {
        return "shapes: " + config.inChannels() + " channels in, " + config.outChannels() + " out, width "
                + config.width() + ", multipliers " + config.multipliers() + ", " + config.blocks()
                + " blocks per level, attention at levels " + config.attentionLevels()
                + (config.middleAttention() ? " and in the middle" : "") + ", time embedding " + config.timeWidth()
                + " wide, " + config.classes() + " classes"
                + (config.scaleShift() ? ", scale-shift norms" : "");
    }

    private UNetConfig.Naming naming() {
        for (UNetConfig.Naming naming : UNetConfig.Naming.values()) {
            if (has(Names.of(naming).stem())) {
                return naming;
            }
        }
        throw DataException.expected(
                path,
                "header",
                "a U-Net with a tensor init_conv.weight (study 1) or input_blocks.0.0.weight (iDDPM)",
                file.entries().size() + " tensors, neither of them");
    }

    private List<Level> levels(UNetConfig.Naming naming) {
        boolean study1 = naming == UNetConfig.Naming.STUDY1;
        String block = study1 ? ".block2.conv.weight" : ".0.out_layers.3.weight";
        String down = study1 ? ".downsample.weight" : ".0.op.weight";
        String attention = study1 ? ".attention.group_norm.weight" : ".1.norm.weight";
        List<Level> levels = new ArrayList<>(List.of(new Level()));
        for (int number = 0; ; number++) {
            String name = study1 ? "encoder_blocks." + number : "input_blocks." + (number + 1);
            if (has(name + down)) {
                levels.add(new Level());
            } else if (has(name + block)) {
                Level level = levels.getLast();
                level.channels = extent(name + block, 0);
                level.blocks++;
                level.attentions += has(name + attention) ? 1 : 0;
            } else {
                return levels;
            }
        }
    }

    private void check(Level level, int blocks, int width) {
        if (level.blocks == 0 || level.blocks != blocks) {
            throw DataException.expected(
                    path, "way down", "the same number of blocks at each level", level.blocks + " and " + blocks);
        }
        if (level.attentions != 0 && level.attentions != blocks) {
            throw DataException.expected(
                    path, "way down", "attention after all or none of a level's blocks", "" + level.attentions);
        }
        if (level.channels % width != 0) {
            throw DataException.expected(
                    path, "way down", "channels that are a multiple of the width " + width, "" + level.channels);
        }
    }

    private <T> T option(String key, T usual, Function<String, T> parse) {
        String text = file.metadata().get("unet." + key);
        if (text == null) {
            lines.add(key + " " + usual + ": default of the published network, shapes do not tell");
            return usual;
        }
        try {
            T value = parse.apply(text);
            lines.add(key + " " + value + ": metadata of the file");
            return value;
        } catch (IllegalArgumentException malformed) {
            throw new DataException(
                    path + ": metadata unet." + key + ": expected a value like " + usual + ", found " + text,
                    malformed);
        }
    }

    private static boolean flag(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException(text);
        };
    }

    private boolean has(String name) {
        return file.entries().containsKey(name);
    }

    private int extent(String name, int axis) {
        long[] shape = file.entry(name).shape();
        if (axis >= shape.length || shape[axis] < 1 || shape[axis] > Integer.MAX_VALUE) {
            throw DataException.expected(
                    path,
                    "tensor " + name,
                    "at least " + (axis + 1) + " dimensions of at least 1",
                    Arrays.toString(shape));
        }
        return (int) shape[axis];
    }
}
