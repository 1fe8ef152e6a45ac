package dev.rote.tools.theory;

import dev.rote.metrics.Curve;
import dev.rote.metrics.TimeScales;
import dev.rote.theory.Bulks;
import dev.rote.theory.Losses;
import java.util.Comparator;
import java.util.List;

/// One model's training.
///
/// @param one the model
/// @param bulks edges and times of Theorem 3.2
/// @param losses over training time
/// @param end losses at infinite time
record Trajectory(TheoryFile.Case one, Bulks bulks, List<Losses> losses, Losses end) {
    /// Train and test loss are apart when their gap exceeds this share of the test loss.
    static final double SPLIT = TimeScales.SPLIT_MARGIN;

    Losses bestScore() {
        return losses.stream().min(Comparator.comparingDouble(Losses::score)).orElseThrow();
    }

    Losses bestTest() {
        return losses.stream().min(Comparator.comparingDouble(Losses::test)).orElseThrow();
    }

    /// When L_gen reaches half of its end; NaN if it does not, or did before the first time.
    double half() {
        return reaches(0.5 * end.gap());
    }

    /// When L_gen reaches a level; NaN if it does not, or did before the first time.
    double reaches(double level) {
        return crossing(losses.stream().mapToDouble(Losses::gap).toArray(), level);
    }

    /// When the test loss is 10 % above the train loss.
    double split() {
        return crossing(losses.stream().mapToDouble(l -> l.gap() / l.test()).toArray(), SPLIT);
    }

    private double crossing(double[] values, double level) {
        return TimeScales.crossing(Curve.of(tau(), values), level)
                .filter(c -> !c.censored())
                .map(c -> c.step())
                .orElse(Double.NaN);
    }

    double[] tau() {
        return losses.stream().mapToDouble(Losses::tau).toArray();
    }

    Curve gap() {
        return Curve.of(tau(), losses.stream().mapToDouble(Losses::gap).toArray());
    }
}
