package dev.rote.tools.report;

import java.util.Objects;

/// How far a run came.
///
/// @param state see [State]
/// @param step optimizer updates done
/// @param steps optimizer updates planned, 0 when unknown
/// @param note a reason ("stopped before memorization", the error of a failed run), may be empty
public record RunStatus(State state, long step, long steps, String note) {
    /// Where a run stands.
    public enum State {
        WAITING("waiting"),
        RUNNING("running"),
        FINISHED("finished"),
        STOPPED("stopped"),
        FAILED("failed");

        private final String word;

        State(String word) {
            this.word = word;
        }

        String word() {
            return word;
        }
    }

    public RunStatus {
        Objects.requireNonNull(state, "state");
        Objects.requireNonNull(note, "note");
        if (step < 0 || steps < 0) {
            throw new IllegalArgumentException("step and steps must not be negative, are " + step + " and " + steps);
        }
    }

    /// True when the run did all its updates: whatever it has not shown by now, it will not show.
    public boolean isComplete() {
        return state == State.FINISHED;
    }

    /// One or two words and the progress: `running, 45 % done`, `stopped at step 1 200 of 5 000`.
    String describe() {
        if (state == State.RUNNING && steps > 0) {
            return "running, " + Math.floorDiv(100 * step, steps) + " % done";
        }
        return switch (state) {
            case STOPPED, FAILED ->
                state.word() + " at step " + Digits.steps((double) step)
                        + (steps > 0 ? " of " + Digits.steps((double) steps) : "");
            case RUNNING -> "running, step " + Digits.steps((double) step);
            case WAITING, FINISHED -> state.word();
        };
    }
}
