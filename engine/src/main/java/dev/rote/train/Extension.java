package dev.rote.train;

import dev.rote.config.RunConfig;
import dev.rote.config.TrainConfig;
import dev.rote.errors.DataException;

/// Whether a run may go on as a longer one: the same configuration with more `train.steps`, of which no earlier update
/// depends on their number.
final class Extension {
    private static final String STEPS = "train.steps";

    private Extension() {}

    /// True if only the number of updates differs.
    static boolean isOnlyLength(RunConfig known, RunConfig wanted) {
        return withSteps(wanted, known.train().steps()).equals(known.hash());
    }

    /// True if a run whose configuration had this hash and this many updates may go on with `wanted`.
    static boolean allows(RunConfig wanted, String hash, int steps) {
        return steps < wanted.train().steps()
                && wanted.train().lrSchedule() == TrainConfig.LrSchedule.CONSTANT
                && withSteps(wanted, steps).equals(hash);
    }

    /// The hash of the configuration with another number of updates; empty if that is no configuration.
    private static String withSteps(RunConfig config, int steps) {
        try {
            return config.with(STEPS, Integer.toString(steps)).hash();
        } catch (DataException e) {
            return ""; // a measured step lies after the last
        }
    }

    /// Why a run of `known` may not go on as `wanted`, which differs in the number of updates.
    static String refusal(RunConfig known, RunConfig wanted) {
        int steps = known.train().steps();
        return wanted.train().steps() < steps
                ? STEPS + ": expected at least " + steps + ", as in this folder, found "
                        + wanted.train().steps()
                : STEPS + ": expected " + steps
                        + ", as in this folder, because train.lr_schedule = \"cosine\" depends on" + " it, found "
                        + wanted.train().steps();
    }
}
