package dev.rote.config;

import java.util.List;
import java.util.OptionalInt;

/// The forward process and what the network is asked to predict.
///
/// @param schedule shape of beta over the time index
/// @param steps number of time indices T; index 0 has the least noise
/// @param betaStart first beta of the linear schedule
/// @param betaEnd last beta of the linear schedule
/// @param objective what the network predicts
/// @param firstIndex smallest time index that is trained on
/// @param lastIndex largest time index that is trained on
/// @param fixedIndex when present, the only time index that is trained on
public record DiffusionConfig(
        Schedule schedule,
        int steps,
        double betaStart,
        double betaEnd,
        Objective objective,
        int firstIndex,
        int lastIndex,
        OptionalInt fixedIndex) {

    /// Noise schedules.
    public enum Schedule implements Named {
        /// Ho, Jain, Abbeel, arXiv:2006.11239, section 4.
        LINEAR("linear"),
        /// Nichol and Dhariwal, arXiv:2102.09672, eq. 17.
        COSINE("cosine");

        private final String word;

        Schedule(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    /// Training targets.
    public enum Objective implements Named {
        /// The noise that was added.
        NOISE("noise"),
        /// The clean image.
        X0("x0"),
        /// Salimans and Ho, arXiv:2202.00512: `sqrt(alpha_bar) noise - sqrt(1 - alpha_bar) x0`.
        V("v");

        private final String word;

        Objective(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    static final List<String> KEYS = List.of(
            "schedule", "steps", "beta_start", "beta_end", "objective", "first_index", "last_index", "fixed_index");

    /// @throws IllegalArgumentException when a value is out of range; the message names the dotted key
    public DiffusionConfig {
        Check.between(2, 1_000_000, "diffusion.steps", steps);
        Check.that(betaStart > 0 && betaStart < 1, "diffusion.beta_start", "a number above 0 and below 1", betaStart);
        Check.that(
                betaEnd >= betaStart && betaEnd < 1,
                "diffusion.beta_end",
                "a number from beta_start (" + TomlText.number(betaStart) + ") up to, but not, 1",
                betaEnd);
        Check.between(0, steps - 1, "diffusion.first_index", firstIndex);
        Check.that(
                lastIndex >= firstIndex && lastIndex < steps,
                "diffusion.last_index",
                "an integer from first_index (" + firstIndex + ") to steps - 1 (" + (steps - 1) + ")",
                lastIndex);
        if (fixedIndex.isPresent()) {
            Check.between(0, steps - 1, "diffusion.fixed_index", fixedIndex.getAsInt());
        }
    }

    static DiffusionConfig of(Section s) {
        int steps = s.integer("steps", 1000);
        return new DiffusionConfig(
                s.choice("schedule", Schedule.values(), Schedule.LINEAR),
                steps,
                s.real("beta_start", 1e-4),
                s.real("beta_end", 2e-2),
                s.choice("objective", Objective.values(), Objective.NOISE),
                s.integer("first_index", 1),
                s.integer("last_index", steps - 1),
                s.find("fixed_index").isPresent() ? OptionalInt.of(s.integer("fixed_index")) : OptionalInt.empty());
    }

    void write(TomlText toml) {
        toml.table("diffusion")
                .put("schedule", schedule)
                .put("steps", steps)
                .put("beta_start", betaStart)
                .put("beta_end", betaEnd)
                .put("objective", objective)
                .put("first_index", firstIndex)
                .put("last_index", lastIndex);
        fixedIndex.ifPresent(index -> toml.put("fixed_index", index));
    }
}
