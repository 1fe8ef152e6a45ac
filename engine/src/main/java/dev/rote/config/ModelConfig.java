package dev.rote.config;

import java.util.List;

/// The network. The family gives the defaults of everything else, so a file names the family and what differs. The
/// families are those of `nn.UNetConfig` and `nn.ResidualMlpConfig`, which this package may not import:
/// `BlueprintTest` holds them together. [Family#MLP_MIXTURE] has the keys of [#MLP_KEYS] only; the other fields of such
/// a configuration mean nothing.
///
/// @param family where the defaults come from
/// @param width channels of the finest level, or of the hidden layers
/// @param multipliers channels of each level, finest first, in units of `width`
/// @param blocks residual blocks of each level on the way down; the way up has one more
/// @param attention levels with self-attention after each residual block
/// @param middleAttention whether the bottleneck has self-attention between its two residual blocks
/// @param heads attention heads, used when `headSize` is 0
/// @param headSize channels of a head, of the only one where a level has fewer; 0 divides the channels among
///     `heads`
/// @param groups groups of each group normalisation
/// @param eps added to the variance by each normalisation
/// @param dropout probability of dropping
/// @param channelDropout whether whole channels are dropped (study 1) or single elements
/// @param classes number of class labels the net is conditioned on; 0 for none
/// @param scaleShift whether the time embedding scales and shifts after the normalisation or is added before it
/// @param zeroInit whether the last convolution of each residual block, attention and the head starts at zero
/// @param outChannels channels that the net predicts; 0 for as many as the data have
/// @param timeWidth width of the time embedding; 0 for `4 * width`
/// @param timeTable layout and frequencies of the sinusoids
/// @param timeActivation activation between the two linear layers of the time embedding
public record ModelConfig(
        Family family,
        int width,
        List<Integer> multipliers,
        int blocks,
        Attention attention,
        boolean middleAttention,
        int heads,
        int headSize,
        int groups,
        double eps,
        double dropout,
        boolean channelDropout,
        int classes,
        boolean scaleShift,
        boolean zeroInit,
        int outChannels,
        int timeWidth,
        TimeTable timeTable,
        Activation timeActivation) {

    /// Network families.
    public enum Family implements Named {
        /// Bonnaire, Urfin, Biroli, Mezard, arXiv:2505.17638, and its released code.
        UNET_STUDY1("unet-study1"),
        /// Nichol and Dhariwal, arXiv:2102.09672: the CIFAR-10 network of its released code, without the predicted
        /// variances, which no objective here trains (with them `out_channels` is 6).
        UNET_IDDPM("unet-iddpm"),
        /// Marion and Wu, arXiv:2605.06077. What that paper leaves open (groups, dropout, time table) is our
        /// choice; attention at the two coarsest levels is what its parameter counts say: their part of second
        /// order in the width W is 5090 W^2; with attention at the coarsest level alone it were 4978 W^2.
        UNET_STUDY3("unet-study3"),
        /// The residual network of fully connected layers of arXiv:2505.17638, appendix B, made for its Gaussian
        /// mixture; it takes any images, as vectors.
        MLP_MIXTURE("mlp-mixture");

        private final String word;

        Family(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    /// Fixed sinusoids of the time index, `h = width / 2` frequencies.
    public enum TimeTable implements Named {
        /// Sines, then cosines, of `index * 10000^(-i / (h - 1))`.
        SIN_COS("sin-cos"),
        /// Cosines, then sines, of `index * 10000^(-i / h)`.
        COS_SIN("cos-sin");

        private final String word;

        TimeTable(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    /// Activations of the time embedding.
    public enum Activation implements Named {
        /// `x * Phi(x)`, exact.
        GELU("gelu"),
        /// `x * sigmoid(x)`.
        SILU("silu");

        private final String word;

        Activation(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    static final List<String> KEYS = List.of(
            "family",
            "width",
            "multipliers",
            "blocks",
            "attention",
            "middle_attention",
            "heads",
            "head_size",
            "groups",
            "eps",
            "dropout",
            "channel_dropout",
            "classes",
            "scale_shift",
            "zero_init",
            "out_channels",
            "time_width",
            "time_table",
            "time_activation");

    /// The keys that [Family#MLP_MIXTURE] has.
    static final List<String> MLP_KEYS = List.of("family", "width", "blocks", "eps", "classes");

    /// @throws IllegalArgumentException when a value is out of range; the message names the dotted key
    public ModelConfig {
        multipliers = List.copyOf(multipliers);
        Check.between(1, 65536, "model.width", width);
        Check.that(width % 2 == 0, "model.width", "an even number (half sines, half cosines)", width);
        Check.between(1, 10, "model.multipliers", multipliers.size());
        Check.between(1, 64, "model.blocks", blocks);
        Check.between(1, 65536, "model.heads", heads);
        Check.between(0, 65536, "model.head_size", headSize);
        Check.between(1, 65536, "model.groups", groups);
        Check.positive("model.eps", eps);
        Check.survivesFloat("model.eps", eps);
        Check.fraction("model.dropout", dropout);
        Check.atLeast(0, "model.classes", classes);
        Check.between(0, 65536, "model.out_channels", outChannels);
        Check.between(0, 1 << 20, "model.time_width", timeWidth);
        for (int multiplier : multipliers) {
            Check.between(1, 64, "model.multipliers", multiplier);
            int channels = width * multiplier;
            Check.that(
                    channels % groups == 0,
                    "model.groups",
                    "a divisor of every level's " + channels + " channels",
                    groups);
        }
        int levels = multipliers.size();
        for (int level = 0; level < levels; level++) {
            boolean coarse = attention instanceof Attention.Coarsest && attention.at(level, levels, 0);
            if (coarse || middleAttention && level == levels - 1) {
                checkHeads(width * multipliers.get(level), heads, headSize);
            }
        }
    }

    private static void checkHeads(int channels, int heads, int headSize) {
        String expected = "a divisor of the " + channels + " channels that attention works on";
        if (headSize > 0) {
            boolean single = channels < headSize;
            Check.that(single || channels % headSize == 0, "model.head_size", expected, headSize);
        } else {
            Check.that(channels % heads == 0, "model.heads", expected, heads);
        }
    }

    /// Number of resolutions.
    public int levels() {
        return multipliers.size();
    }

    /// Channels of a level; 0 is the finest.
    public int channels(int level) {
        return width * multipliers.get(level);
    }

    /// Attention heads of a level with this many channels; one where there are fewer than `headSize`.
    public int heads(int channels) {
        return headSize > 0 ? Math.max(1, channels / headSize) : heads;
    }

    /// Width of the time embedding, resolved.
    public int timeEmbedding() {
        return timeWidth > 0 ? timeWidth : 4 * width;
    }

    /// The network as its family defines it.
    public static ModelConfig of(Family family) {
        return switch (family) {
            case UNET_STUDY1 ->
                new ModelConfig(
                        family,
                        32,
                        List.of(1, 2, 4),
                        2,
                        new Attention.Coarsest(2),
                        true,
                        4,
                        0,
                        8,
                        1e-5,
                        0.1,
                        true,
                        0,
                        false,
                        false,
                        0,
                        0,
                        TimeTable.SIN_COS,
                        Activation.GELU);
            case UNET_IDDPM ->
                new ModelConfig(
                        family,
                        128,
                        List.of(1, 2, 2, 2),
                        3,
                        new Attention.Resolutions(List.of(16, 8)),
                        true,
                        4,
                        0,
                        32,
                        1e-5,
                        0.3,
                        false,
                        0,
                        true,
                        true,
                        0,
                        0,
                        TimeTable.COS_SIN,
                        Activation.SILU);
            case UNET_STUDY3 ->
                new ModelConfig(
                        family,
                        128,
                        List.of(1, 2, 4),
                        3,
                        new Attention.Coarsest(2),
                        true,
                        4,
                        64,
                        16,
                        1e-5,
                        0.0,
                        false,
                        10,
                        true,
                        true,
                        0,
                        512,
                        TimeTable.COS_SIN,
                        Activation.SILU);
            case MLP_MIXTURE -> mlp(128, 3, 1e-5, 0);
        };
    }

    private static ModelConfig mlp(int width, int blocks, double eps, int classes) {
        return new ModelConfig(
                Family.MLP_MIXTURE,
                width,
                List.of(1),
                blocks,
                new Attention.Resolutions(List.of()),
                false,
                1,
                0,
                1,
                eps,
                0.0,
                false,
                classes,
                false,
                false,
                0,
                0,
                TimeTable.COS_SIN,
                Activation.GELU);
    }

    static ModelConfig of(Section s, ConfigTree tree) {
        Family family = s.choice("family", Family.values(), Family.UNET_STUDY1);
        ModelConfig usual = of(family);
        if (family == Family.MLP_MIXTURE) {
            requireMlpKeys(s);
            return mlp(
                    s.integer("width", usual.width),
                    s.integer("blocks", usual.blocks),
                    s.real("eps", usual.eps),
                    s.integer("classes", usual.classes));
        }
        return new ModelConfig(
                family,
                s.integer("width", usual.width),
                s.integers("multipliers", usual.multipliers),
                s.integer("blocks", usual.blocks),
                Attention.of(s, tree, usual.attention),
                s.flag("middle_attention", usual.middleAttention),
                s.integer("heads", usual.heads),
                s.integer("head_size", usual.headSize),
                s.integer("groups", usual.groups),
                s.real("eps", usual.eps),
                s.real("dropout", usual.dropout),
                s.flag("channel_dropout", usual.channelDropout),
                s.integer("classes", usual.classes),
                s.flag("scale_shift", usual.scaleShift),
                s.flag("zero_init", usual.zeroInit),
                s.integer("out_channels", usual.outChannels),
                s.integer("time_width", usual.timeWidth),
                s.choice("time_table", TimeTable.values(), usual.timeTable),
                s.choice("time_activation", Activation.values(), usual.timeActivation));
    }

    private static void requireMlpKeys(Section s) {
        for (String key : KEYS) {
            s.find(key).filter(node -> !MLP_KEYS.contains(key)).ifPresent(node -> {
                throw s.wrong(
                        key,
                        "no such key for family \"" + Family.MLP_MIXTURE.word() + "\", whose keys are "
                                + String.join(", ", MLP_KEYS),
                        node);
            });
        }
    }

    void write(TomlText toml) {
        toml.table("model").put("family", family);
        if (family == Family.MLP_MIXTURE) {
            toml.put("width", width).put("blocks", blocks).put("eps", eps).put("classes", classes);
            return;
        }
        toml.put("width", width)
                .put("multipliers", multipliers)
                .put("blocks", blocks)
                .put("attention", attention)
                .put("middle_attention", middleAttention)
                .put("heads", heads)
                .put("head_size", headSize)
                .put("groups", groups)
                .put("eps", eps)
                .put("dropout", dropout)
                .put("channel_dropout", channelDropout)
                .put("classes", classes)
                .put("scale_shift", scaleShift)
                .put("zero_init", zeroInit)
                .put("out_channels", outChannels)
                .put("time_width", timeWidth)
                .put("time_table", timeTable)
                .put("time_activation", timeActivation);
    }
}
