package dev.rote.tools.theory;

import dev.rote.metrics.CollapseScore;
import dev.rote.metrics.Curve;
import dev.rote.metrics.PowerLawFit;
import java.util.List;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/// How the trainings of one group depend on the number of training points.
///
/// @param group what the group is
/// @param all its trainings, in the order of psi_n, seeds fastest
record Scaling(String group, List<Trajectory> all) {
    private static final double LEVEL = 0.95;
    private static final double[] LEVELS = {0.1, 0.25, 0.5, 0.75};

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

    /// How well L_gen, as a share of its end, falls on one curve of tau divided by something.
    Optional<CollapseScore> collapse(ToDoubleFunction<Trajectory> clock) {
        List<Trajectory> known = all.stream().filter(one -> one.end().gap() > 0).toList();
        List<Curve> curves = known.stream().map(Trajectory::relativeGap).toList();
        return CollapseScore.of(curves, known.stream().mapToDouble(clock).toArray(), LEVELS);
    }
}
