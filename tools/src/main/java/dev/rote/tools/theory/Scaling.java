package dev.rote.tools.theory;

import dev.rote.metrics.CollapseScore;
import dev.rote.metrics.Curve;
import dev.rote.metrics.PowerLawFit;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/// How the trainings of one group depend on the number of training points.
///
/// @param group what the group is
/// @param all its trainings, in the order of psi_n, seeds fastest
record Scaling(String group, List<Trajectory> all) {
    private static final double LEVEL = 0.95;

    /// Levels at which curves are compared, shares of [#leastEnd].
    private static final double[] LEVELS = {0.25, 0.5, 0.75};

    /// The least L_gen at infinite time of the group: a level that all of its curves pass.
    private double leastEnd() {
        return all.stream().mapToDouble(one -> one.end().gap()).min().orElseThrow();
    }

    /// L_gen at which times of different n are compared, the same for all: half of the least end. A share of each
    /// curve's own end would mix the height of the end, which depends on n, into the time.
    double level() {
        return 0.5 * leastEnd();
    }

    /// When a training reaches [#level].
    double time(Trajectory one) {
        return one.reaches(level());
    }

    /// value = C psi_n^a over all seeds; empty with fewer than two psi_n at which there is a value.
    Optional<PowerLawFit> fit(ToDoubleFunction<Trajectory> value) {
        List<Trajectory> known = all.stream()
                .filter(one -> value.applyAsDouble(one) > 0 && Double.isFinite(value.applyAsDouble(one)))
                .toList();
        if (known.stream().map(one -> one.one().psiN()).distinct().count() < 2) {
            return Optional.empty();
        }
        return Optional.of(PowerLawFit.of(
                known.stream().mapToDouble(one -> one.one().psiN()).toArray(),
                known.stream().mapToDouble(value).toArray(),
                LEVEL));
    }

    /// How well L_gen falls on one curve of tau divided by something; empty if it never grows.
    Optional<CollapseScore> collapse(ToDoubleFunction<Trajectory> clock) {
        if (!(leastEnd() > 0)) {
            return Optional.empty();
        }
        List<Curve> curves = all.stream().map(Trajectory::gap).toList();
        double[] levels = Arrays.stream(LEVELS).map(share -> share * leastEnd()).toArray();
        return CollapseScore.of(curves, all.stream().mapToDouble(clock).toArray(), levels);
    }
}
