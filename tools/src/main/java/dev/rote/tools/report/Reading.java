package dev.rote.tools.report;

import java.util.Objects;

/// What a [Clock] says about one run.
public sealed interface Reading {
    /// The event happened at `value` (optimizer updates), 95 % interval `[low, high]`: NaN means no interval,
    /// an infinite `high` an interval that is open above.
    record Reached(double value, double low, double high) implements Reading {
        public Reached {
            if (!(value > 0) || Double.isInfinite(value)) {
                throw new IllegalArgumentException("a reached time must be positive and finite, is " + value);
            }
        }
    }

    /// The event had not happened at the last measured step: right-censored.
    record NotReached(double lastStep) implements Reading {}

    /// The event had already happened at the first measured step: left-censored.
    record BeforeFirst(double firstStep) implements Reading {}

    /// `value` is what the rule gives so far, but it may still grow: a lower bound.
    ///
    /// @param reason why, in a few words
    record AtLeast(double value, String reason) implements Reading {
        public AtLeast {
            Objects.requireNonNull(reason, "reason");
        }
    }

    /// No statement is possible.
    record Unknown(String reason) implements Reading {
        public Unknown {
            Objects.requireNonNull(reason, "reason");
        }
    }
}
