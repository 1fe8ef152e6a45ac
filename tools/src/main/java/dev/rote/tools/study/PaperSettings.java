package dev.rote.tools.study;

import dev.rote.config.Attention;
import dev.rote.config.MeasureConfig;
import dev.rote.config.ModelConfig;
import dev.rote.config.RunConfig;
import dev.rote.config.TrainConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// The settings of Bonnaire et al. 2025, arXiv:2505.17638, sections 2 and A, and its released code, against which a
/// study's are held. Numbers such as "300 updates per image" only mean something where they are the same; exponents
/// travel farther.
final class PaperSettings {
    /// Trained parameters of the paper's network by width, for one channel: what its text rounds to 0.26, 1, 4 and 16
    /// M.
    static final double[][] PARAMETERS = {{8, 255_089}, {16, 1_010_657}, {32, 4_023_233}, {64, 16_054_145}};

    private PaperSettings() {}

    /// How a run's settings differ, one short phrase each.
    static List<String> differences(RunConfig run) {
        List<String> found = new ArrayList<>();
        if (!run.data().source().toLowerCase(Locale.ROOT).contains("celeba")) {
            found.add("images: " + run.data().source() + " instead of CelebA (a path with “celeba” in it)");
        }
        check(found, "size", run.data().size(), 32);
        check(found, "gray", run.data().gray(), true);
        boolean range =
                run.data().low() == 0 && run.data().high() == 1 && run.data().center();
        check(found, "centred values of 0 to 1", range, true);
        check(found, "held-out images", run.data().test(), 2048);
        if (!isNetwork(run.model())) {
            found.add("network: not the paper’s U-Net (three levels, two blocks, attention on two)");
        }
        check(found, "dropout", run.model().dropout(), 0.1);
        check(found, "schedule", run.diffusion().schedule().word(), "linear");
        check(found, "objective", run.diffusion().objective().word(), "noise");
        check(found, "time indices", run.diffusion().steps(), 1000);
        training(found, run);
        boolean ddim = run.measure().sampler() == MeasureConfig.Sampler.DDIM
                && run.measure().eta() == 0;
        check(found, "deterministic DDIM", ddim, true);
        if (run.measure().samples() != 10_000) {
            found.add("samples: " + run.measure().samples() + " instead of 10000");
        }
        return found;
    }

    private static void training(List<String> found, RunConfig run) {
        TrainConfig train = run.train();
        if (train.optimizer() == TrainConfig.Optimizer.SGD) {
            check(found, "learning rate", train.lr(), 0.01);
            check(found, "momentum", train.momentum(), 0.95);
        } else {
            check(found, "optimizer", train.optimizer().word(), "adam");
            check(found, "learning rate", train.lr(), 1e-4);
        }
        int n = run.data().n();
        check(found, "batch", train.effectiveBatch(n), Math.min(n, 512));
        check(found, "weight average", train.ema(), 0.0);
    }

    /// The U-Net of the paper at any width.
    static boolean isNetwork(ModelConfig model) {
        return model.family() == ModelConfig.Family.UNET_STUDY1
                && model.multipliers().equals(List.of(1, 2, 4))
                && model.blocks() == 2
                && model.middleAttention()
                && model.attention().equals(new Attention.Coarsest(2))
                && model.classes() == 0;
    }

    private static void check(List<String> found, String what, Object ours, Object theirs) {
        if (!ours.equals(theirs)) {
            found.add(what + ": " + ours + " instead of " + theirs);
        }
    }
}
