package dev.rote.nn;

import dev.rote.graph.Graph;
import dev.rote.graph.Value;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// A U-Net in numbers: the complete description of what [UNet] writes. The factories are the published networks.
///
/// @param naming how its tensors are called
/// @param inChannels channels of the images
/// @param outChannels channels of the prediction; twice `inChannels` for iDDPM's learned variances
/// @param width channels of the finest level
/// @param multipliers channels of each level, finest first, in units of `width`
/// @param blocks residual blocks per level on the way down; the way up has one more
/// @param attentionLevels levels (0 = finest) with self-attention after each residual block, both ways
/// @param middleAttention self-attention after the first of the two residual blocks of the bottleneck
/// @param heads attention heads, used when `headSize` is 0
/// @param headSize channels per head (one head where there are fewer); 0 divides the channels among `heads`
/// @param groups groups of each group normalisation
/// @param eps added to the variance by each group normalisation
/// @param dropout rate before the second convolution of each residual block
/// @param channelDropout drops whole channels instead of single elements
/// @param classes number of class labels; 0 for none
/// @param scaleShift the time embedding scales and shifts after the second normalisation instead of being added before
/// @param zeroInit the last convolution of each residual block, attention and of the network starts at zero
/// @param timeWidth width of the time embedding
/// @param tableRows rows of the frozen table of sinusoids in the files; 0 if they are computed
/// @param cosineFirst iDDPM's sinusoids (cosines first, divisor half) instead of DDPM's (sines first, half - 1)
/// @param gelu GELU between the two layers of the time embedding instead of SiLU
public record UNetConfig(
        Naming naming,
        int inChannels,
        int outChannels,
        int width,
        List<Integer> multipliers,
        int blocks,
        Set<Integer> attentionLevels,
        boolean middleAttention,
        int heads,
        int headSize,
        int groups,
        float eps,
        float dropout,
        boolean channelDropout,
        int classes,
        boolean scaleShift,
        boolean zeroInit,
        int timeWidth,
        int tableRows,
        boolean cosineFirst,
        boolean gelu)
        implements Network {

    /// Whose tensor names are used.
    public enum Naming {
        /// The released code of Bonnaire et al. (arXiv:2505.17638): `encoder_blocks.0.block1.conv.weight`.
        STUDY1,
        /// The released code of Nichol and Dhariwal (arXiv:2102.09672): `input_blocks.1.0.in_layers.2.weight`.
        IDDPM
    }

    /// One step of the way down or up. `in` counts the channels of a skip connection as well.
    record Stage(Kind kind, int in, int out, boolean attention) {
        enum Kind {
            RESIDUAL,
            DOWN,
            UP
        }
    }

    /// @throws IllegalArgumentException if an option is out of range or channels cannot be divided into groups or heads
    public UNetConfig {
        multipliers = List.copyOf(multipliers);
        attentionLevels = java.util.Collections.unmodifiableSet(new TreeSet<>(attentionLevels));
        require(inChannels >= 1 && outChannels >= 1, "image channels", "at least 1", inChannels + ", " + outChannels);
        require(width >= 4 && width % 2 == 0, "width", "an even number of at least 4", width);
        require(
                !multipliers.isEmpty() && multipliers.stream().allMatch(m -> m >= 1),
                "multipliers",
                "one or more, each at least 1",
                multipliers);
        require(blocks >= 1, "blocks", "at least 1", blocks);
        int levels = multipliers.size();
        require(
                attentionLevels.stream().allMatch(level -> level >= 0 && level < levels),
                "attention levels",
                "0 to " + (levels - 1),
                attentionLevels);
        require(heads >= 1 && headSize >= 0, "heads", "heads of at least 1, head size of at least 0", heads);
        require(groups >= 1, "groups", "at least 1", groups);
        require(eps > 0 && Float.isFinite(eps), "eps", "a finite number above 0", eps);
        require(dropout >= 0 && dropout < 1, "dropout", "a rate in [0,1)", dropout);
        require(classes >= 0 && tableRows >= 0, "classes, table rows", "at least 0", classes + ", " + tableRows);
        require(timeWidth >= 1, "time width", "at least 1", timeWidth);
    }

    /// Study 1 (Bonnaire et al. 2025, arXiv:2505.17638) for images of `channels` channels: three levels (1,2,4), two
    /// blocks each, attention with 4 heads on the two coarsest, 8 groups, channel-wise dropout 0.1, default
    /// initialisation.
    public static UNetConfig study1(int width, int channels) {
        return new UNetConfig(
                Naming.STUDY1,
                channels,
                channels,
                width,
                List.of(1, 2, 4),
                2,
                Set.of(1, 2),
                true,
                4,
                0,
                8,
                1e-5f,
                0.1f,
                true,
                0,
                false,
                false,
                4 * width,
                1000,
                false,
                true);
    }

    /// The CIFAR-10 network of iDDPM (Nichol & Dhariwal 2021, arXiv:2102.09672, appendix A and released code): 128
    /// channels, (1,2,2,2), three blocks, 4 heads at 16x16 and 8x8, scale-shift norms, dropout 0.3, zero
    /// initialisation, variances predicted beside the mean.
    public static UNetConfig iddpmCifar() {
        return new UNetConfig(
                Naming.IDDPM,
                3,
                6,
                128,
                List.of(1, 2, 2, 2),
                3,
                Set.of(1, 2),
                true,
                4,
                0,
                32,
                1e-5f,
                0.3f,
                false,
                0,
                true,
                true,
                512,
                0,
                true,
                false);
    }

    /// Study 3 (Marion & Wu 2026, arXiv:2605.06077): multipliers (1,2,4), three blocks, heads of 64 channels,
    /// class and time embeddings 512 wide. Not in the paper and chosen by us: 16 groups, no dropout, iDDPM's
    /// scale-shift norms, sinusoids and zero initialisation. Attention on the two coarsest levels and in the
    /// bottleneck follows from the paper's counts, 5090 W^2 + 68325 W + 530450 for width W: their quadratic part
    /// is that of this network with residual blocks in place of the resampling convolutions; so this one has 5 %
    /// (W = 128) to 16 % (W = 16) fewer parameters.
    public static UNetConfig study3(int width, int channels, int classes) {
        return new UNetConfig(
                Naming.IDDPM,
                channels,
                channels,
                width,
                List.of(1, 2, 4),
                3,
                Set.of(1, 2),
                true,
                4,
                64,
                16,
                1e-5f,
                0,
                false,
                classes,
                true,
                true,
                512,
                0,
                true,
                false);
    }

    @Override
    public Value build(Graph graph, Parameters parameters, Value x, Value t, Optional<Value> labels, Mode mode) {
        return UNet.build(graph, parameters, this, x, t, labels, mode);
    }

    @Override
    public long size() {
        return UNet.size(this);
    }

    @Override
    public ParameterLayout layout() {
        return UNet.layout(this);
    }

    @Override
    public Map<String, String> metadata() {
        return UNetFiles.metadata(this);
    }

    public int levels() {
        return multipliers.size();
    }

    /// Channels at the coarsest level.
    int middleChannels() {
        return width * multipliers.getLast();
    }

    /// Heads of an attention over so many channels.
    ///
    /// @throws IllegalArgumentException if they cannot be divided so
    int headsFor(int channels) {
        int count = headSize > 0 ? Math.max(1, channels / headSize) : heads;
        boolean fits = channels % count == 0 && (headSize == 0 || count == 1 || channels % headSize == 0);
        require(
                fits,
                "attention",
                "channels divisible " + (headSize > 0 ? "by head size " + headSize : "into " + heads + " heads"),
                channels);
        return count;
    }

    /// The way down after the stem, in order.
    List<Stage> encoder() {
        List<Stage> stages = new ArrayList<>();
        int channels = width;
        for (int level = 0; level < levels(); level++) {
            for (int block = 0; block < blocks; block++) {
                int out = width * multipliers.get(level);
                stages.add(new Stage(Stage.Kind.RESIDUAL, channels, out, attentionLevels.contains(level)));
                channels = out;
            }
            if (level < levels() - 1) {
                stages.add(new Stage(Stage.Kind.DOWN, channels, channels, false));
            }
        }
        return stages;
    }

    /// The way up, in order. Each residual stage reads the newest output of stem or encoder that is not yet used.
    List<Stage> decoder() {
        Deque<Integer> skips = new ArrayDeque<>();
        skips.push(width);
        encoder().forEach(stage -> skips.push(stage.out()));
        List<Stage> stages = new ArrayList<>();
        int channels = middleChannels();
        for (int level = levels() - 1; level >= 0; level--) {
            int out = width * multipliers.get(level);
            for (int block = 0; block <= blocks; block++) {
                stages.add(
                        new Stage(Stage.Kind.RESIDUAL, channels + skips.pop(), out, attentionLevels.contains(level)));
                channels = out;
            }
            if (level > 0) {
                stages.add(new Stage(Stage.Kind.UP, channels, channels, false));
            }
        }
        return stages;
    }

    private static void require(boolean holds, String option, String expected, Object found) {
        if (!holds) {
            throw new IllegalArgumentException("U-Net " + option + ": expected " + expected + ", found " + found);
        }
    }
}
