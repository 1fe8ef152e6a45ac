package dev.rote.tools.study;

import dev.rote.config.Attention;
import dev.rote.config.MeasureConfig;
import dev.rote.config.ModelConfig;
import dev.rote.config.RunConfig;
import dev.rote.config.TrainConfig;
import dev.rote.tools.report.Curve;
import dev.rote.tools.report.Quantity;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// The settings of Bonnaire et al. 2025, arXiv:2505.17638, sections 2 and A, and its released code, against which a
/// study's are held. Numbers such as "300 updates per image" only mean something where they are the same; exponents
/// travel farther.
///
/// Two things need more than equal settings. Of the number of DDIM steps the text and the released code disagree, so
/// both count as the paper's. A time read off the FID needs the features of FID's Inception network: whether a file is
/// that network stands in its metadata (`rote.fid`), and so in the records, not in `measure.features`.
final class PaperSettings {
    /// Trained parameters of the paper's network by width, for one channel: what its text rounds to 0.26, 1, 4 and 16
    /// M.
    static final double[][] PARAMETERS = {{8, 255_089}, {16, 1_010_657}, {32, 4_023_233}, {64, 16_054_145}};

    private static final int TEXT_DDIM_STEPS = 200;
    private static final int CODE_DDIM_STEPS = 100;

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
        int steps = run.measure().samplerSteps();
        if (steps != TEXT_DDIM_STEPS && steps != CODE_DDIM_STEPS) {
            found.add("DDIM steps: " + steps + " instead of " + TEXT_DDIM_STEPS + " (the paper’s text) or "
                    + CODE_DDIM_STEPS + " (its code), which disagree");
        }
        return found;
    }

    /// What the paper leaves open about settings that are one of its own.
    static List<String> remarks(RunConfig run) {
        return switch (run.measure().samplerSteps()) {
            case TEXT_DDIM_STEPS -> List.of("DDIM steps: 200, as in the paper’s text; its code has 100");
            case CODE_DDIM_STEPS -> List.of("DDIM steps: 100, as in the paper’s code; its text has 200");
            default -> List.of();
        };
    }

    /// How the features of the Fréchet distance differ from FID's, by the records, or by the name where nothing is
    /// measured yet. Empty if they do not, or a network of the user's has not been loaded so far.
    static Optional<String> features(RunConfig run, List<Member> members) {
        List<Quantity.Frechet> measured = members.stream()
                .flatMap(member -> member.run().curves().stream())
                .map(Curve::quantity)
                .filter(Quantity.Frechet.class::isInstance)
                .map(Quantity.Frechet.class::cast)
                .toList();
        String name = run.measure().features();
        boolean standIn = measured.isEmpty()
                ? List.of(MeasureConfig.RANDOM_CONVOLUTION, MeasureConfig.PIXEL_PCA)
                        .contains(name)
                : measured.stream().anyMatch(Quantity.Frechet::standIn);
        return standIn
                ? Optional.of("features of the Fréchet distance: " + name
                        + " instead of FID’s Inception network (an ONNX file with rote.fid = true)")
                : Optional.empty();
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
