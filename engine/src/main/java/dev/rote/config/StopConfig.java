package dev.rote.config;

import java.util.List;

/// When training stops by itself, from signals that are cheap enough to be looked at often.
///
/// @param rule what it stops for
/// @param from update of the first check; the others follow evenly in its logarithm
/// @param perDecade checks per factor of 10 in updates
/// @param fraction memorized fraction that the kept model must not have reached
/// @param confidence probability that the fraction has been passed, from which on training stops
/// @param risk highest probability that the kept model had passed it already
/// @param samples images generated at a check
/// @param lossTime diffusion time of the two losses
/// @param lossImages most images of each set that a loss is taken over
/// @param split relative gap of the losses before which no images are generated
public record StopConfig(
        Rule rule,
        int from,
        int perDecade,
        double fraction,
        double confidence,
        double risk,
        int samples,
        double lossTime,
        int lossImages,
        double split) {

    /// What training stops for.
    public enum Rule implements Named {
        /// Nothing: it ends with its last update.
        NONE("none"),
        /// Copies of training images; the newest model from before them is kept.
        BEFORE_MEMORIZATION("before-memorization");

        private final String word;

        Rule(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    static final List<String> KEYS = List.of(
            "rule",
            "from",
            "per_decade",
            "fraction",
            "confidence",
            "risk",
            "samples",
            "loss_time",
            "loss_images",
            "split");

    /// Nothing stops; the rest as it is for a rule.
    public static final StopConfig STANDARD = new StopConfig(Rule.NONE, 50, 16, 0.01, 0.9, 0.1, 128, 0.01, 128, 0.05);

    /// @throws IllegalArgumentException when a value is out of range; the message names the dotted key
    public StopConfig {
        Check.atLeast(1, "stop.from", from);
        Check.between(1, 1000, "stop.per_decade", perDecade);
        Check.that(fraction >= 0.001 && fraction <= 0.5, "stop.fraction", "a number from 0.001 to 0.5", fraction);
        Check.that(
                confidence >= 0.5 && confidence < 1,
                "stop.confidence",
                "a number from 0.5 up to, but not, 1",
                confidence);
        Check.that(risk > 0 && risk <= 0.5, "stop.risk", "a number above 0, at most 0.5", risk);
        Check.between(8, 1_000_000, "stop.samples", samples);
        Check.positive("stop.loss_time", lossTime);
        Check.between(1, 10_000_000, "stop.loss_images", lossImages);
        Check.fraction("stop.split", split);
    }

    static StopConfig of(Section s) {
        return new StopConfig(
                s.choice("rule", Rule.values(), STANDARD.rule),
                s.integer("from", STANDARD.from),
                s.integer("per_decade", STANDARD.perDecade),
                s.real("fraction", STANDARD.fraction),
                s.real("confidence", STANDARD.confidence),
                s.real("risk", STANDARD.risk),
                s.integer("samples", STANDARD.samples),
                s.real("loss_time", STANDARD.lossTime),
                s.integer("loss_images", STANDARD.lossImages),
                s.real("split", STANDARD.split));
    }

    /// Whether training may stop before its last update.
    public boolean stops() {
        return rule != Rule.NONE;
    }

    /// The updates after which the signals are looked at: in growing order, none above `last`, which is one of them.
    public List<Integer> checks(int last) {
        return stops() ? new Steps.LogSpaced(from, 0, perDecade).upTo(last) : List.of();
    }

    /// Left out where it is the standard, so that runs from before there was this table are still the same runs.
    void write(TomlText toml) {
        if (!equals(STANDARD)) {
            toml.table("stop")
                    .put("rule", rule)
                    .put("from", from)
                    .put("per_decade", perDecade)
                    .put("fraction", fraction)
                    .put("confidence", confidence)
                    .put("risk", risk)
                    .put("samples", samples)
                    .put("loss_time", lossTime)
                    .put("loss_images", lossImages)
                    .put("split", split);
        }
    }
}
