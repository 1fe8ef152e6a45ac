package dev.rote.nn;

import dev.rote.nn.UNetConfig.Stage;
import java.util.ArrayList;
import java.util.List;

/// The parts of a U-Net with their parameters, declared in the order of weight files.
record UNetBlocks(
        TimeEmbedding time,
        Convolution stem,
        List<Block> encoder,
        ResidualBlock middle1,
        ResidualBlock middle2,
        List<Block> decoder,
        Normalisation norm,
        Convolution head) {

    /// What one [Stage] consists of.
    sealed interface Block {
        record Residual(ResidualBlock block) implements Block {}

        record Down(Convolution convolution) implements Block {}

        record Up(Convolution convolution) implements Block {}
    }

    /// In the order they run.
    List<ResidualBlock> residuals() {
        List<ResidualBlock> all = new ArrayList<>();
        addResiduals(encoder, all);
        all.add(middle1);
        all.add(middle2);
        addResiduals(decoder, all);
        return all;
    }

    private static void addResiduals(List<Block> blocks, List<ResidualBlock> all) {
        for (Block block : blocks) {
            if (block instanceof Block.Residual residual) {
                all.add(residual.block());
            }
        }
    }

    static UNetBlocks declare(Parameters parameters, UNetConfig config) {
        return switch (config.naming()) {
            case STUDY1 -> study1(parameters, config);
            case IDDPM -> iddpm(parameters, config);
        };
    }

    /// Blocks are numbered in the order they run; resampling counts as a block. In files the decoder stands before the
    /// bottleneck and a convolution before its norm.
    private static UNetBlocks study1(Parameters parameters, UNetConfig config) {
        TimeEmbedding time = TimeEmbedding.of(
                parameters,
                config,
                "time_embeddings.time_mlp.0.weight",
                "time_embeddings.time_mlp.1",
                "time_embeddings.time_mlp.3");
        Convolution stem = Convolution.of(parameters, "init_conv", config.inChannels(), config.width(), 3, 1, false);
        List<Block> encoder = study1Blocks(parameters, config, "encoder_blocks.", config.encoder());
        List<Block> decoder = study1Blocks(parameters, config, "decoder_blocks.", config.decoder());
        int channels = config.middleChannels();
        Stage middle = new Stage(Stage.Kind.RESIDUAL, channels, channels, config.middleAttention());
        Stage plain = new Stage(Stage.Kind.RESIDUAL, channels, channels, false);
        ResidualBlock middle1 = ResidualBlock.study1(parameters, config, "bottleneck_blocks.0", middle);
        ResidualBlock middle2 = ResidualBlock.study1(parameters, config, "bottleneck_blocks.1", plain);
        Convolution head = head(parameters, config, "final_block.conv");
        Normalisation norm = Normalisation.of(parameters, config, "final_block.norm", outWidth(config));
        return new UNetBlocks(time, stem, encoder, middle1, middle2, decoder, norm, head);
    }

    private static List<Block> study1Blocks(
            Parameters parameters, UNetConfig config, String prefix, List<Stage> stages) {
        List<Block> blocks = new ArrayList<>();
        for (Stage stage : stages) {
            String name = prefix + blocks.size();
            blocks.add(
                    switch (stage.kind()) {
                        case RESIDUAL -> new Block.Residual(ResidualBlock.study1(parameters, config, name, stage));
                        case DOWN -> down(parameters, name + ".downsample", stage);
                        case UP -> up(parameters, name + ".upsample.1", stage);
                    });
        }
        return blocks;
    }

    /// `input_blocks.0` is the stem, then one for each stage; an output block holds a residual block, its attention and
    /// the upsampling that follows.
    private static UNetBlocks iddpm(Parameters parameters, UNetConfig config) {
        TimeEmbedding time = TimeEmbedding.of(parameters, config, "time_table.weight", "time_embed.0", "time_embed.2");
        Convolution stem =
                Convolution.of(parameters, "input_blocks.0.0", config.inChannels(), config.width(), 3, 1, false);
        List<Block> encoder = new ArrayList<>();
        for (Stage stage : config.encoder()) {
            String name = "input_blocks." + (encoder.size() + 1);
            encoder.add(
                    stage.kind() == Stage.Kind.DOWN
                            ? down(parameters, name + ".0.op", stage)
                            : new Block.Residual(ResidualBlock.iddpm(parameters, config, name, stage)));
        }
        int channels = config.middleChannels();
        Stage plain = new Stage(Stage.Kind.RESIDUAL, channels, channels, false);
        ResidualBlock middle1 = ResidualBlock.iddpmBlock(parameters, config, "middle_block.0", plain);
        if (config.middleAttention()) {
            middle1 = middle1.with(SelfAttention.iddpm(parameters, config, "middle_block.1", channels));
        }
        ResidualBlock middle2 = ResidualBlock.iddpmBlock(
                parameters, config, config.middleAttention() ? "middle_block.2" : "middle_block.1", plain);
        List<Block> decoder = new ArrayList<>();
        int number = -1;
        boolean attention = false;
        for (Stage stage : config.decoder()) {
            if (stage.kind() == Stage.Kind.UP) {
                decoder.add(up(parameters, "output_blocks." + number + (attention ? ".2" : ".1") + ".conv", stage));
            } else {
                number++;
                attention = stage.attention();
                decoder.add(
                        new Block.Residual(ResidualBlock.iddpm(parameters, config, "output_blocks." + number, stage)));
            }
        }
        Normalisation norm = Normalisation.of(parameters, config, "out.0", outWidth(config));
        return new UNetBlocks(time, stem, encoder, middle1, middle2, decoder, norm, head(parameters, config, "out.2"));
    }

    private static int outWidth(UNetConfig config) {
        return config.width() * config.multipliers().getFirst();
    }

    private static Convolution head(Parameters parameters, UNetConfig config, String name) {
        return Convolution.of(parameters, name, outWidth(config), config.outChannels(), 3, 1, config.zeroInit());
    }

    private static Block down(Parameters parameters, String name, Stage stage) {
        return new Block.Down(Convolution.of(parameters, name, stage.in(), stage.out(), 3, 2, false));
    }

    private static Block up(Parameters parameters, String name, Stage stage) {
        return new Block.Up(Convolution.of(parameters, name, stage.in(), stage.out(), 3, 1, false));
    }
}
