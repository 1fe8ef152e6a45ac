package dev.rote.tools.theory;

import dev.rote.metrics.PowerLawFit;
import dev.rote.theory.Losses;
import dev.rote.tools.report.Plot;
import dev.rote.tools.report.Plot.Axis;
import dev.rote.tools.report.Plot.Line;
import dev.rote.tools.report.Plot.Shade;
import dev.rote.tools.report.Plot.Style;
import dev.rote.tools.report.Point;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/// Figures of trainings: losses and E_score over training time, and how they scale with n.
final class TrajectoryFigures {
    /// What a curve is drawn against.
    ///
    /// @param divisor of the training time
    record Clock(String suffix, String tab, String label, ToDoubleFunction<Trajectory> divisor) {}

    private final TheoryFile file;
    private final List<Clock> clocks;

    /// @param clocks the training time itself, then what it is divided by
    TrajectoryFigures(TheoryFile file, List<Clock> clocks) {
        this.file = file;
        this.clocks = clocks;
    }

    List<Plot> plots(List<Scaling> groups) {
        List<Plot> plots = new ArrayList<>();
        for (Scaling group : groups) {
            String id = Words.fileName(group.group());
            String suffix = id.isEmpty() ? "" : "_" + id;
            for (Clock clock : clocks) {
                plots.add(losses(group, clock, suffix));
            }
            for (Clock clock : clocks) {
                plots.add(gap(group, clock, suffix));
            }
            if (group.all().stream().allMatch(t -> Double.isFinite(t.end().score()))) {
                plots.add(score(group, suffix));
            }
        }
        plots.add(scaling(groups, "l_gen_at_level", "Time at a level of L_gen", group -> group::time));
        plots.add(scaling(groups, "half_l_gen", "Time of half L_gen", group -> Trajectory::half));
        plots.add(scaling(groups, "split", "Loss split", group -> Trajectory::split));
        plots.add(scaling(
                groups,
                "least_e_score",
                "Least E_score",
                group -> one -> one.bestScore().score()));
        return plots;
    }

    private Plot losses(Scaling group, Clock clock, String suffix) {
        List<Line> lines = new ArrayList<>();
        lines.addAll(curves(group, clock, Style.SOLID, Losses::test));
        lines.addAll(curves(group, clock, Style.DASHED, Losses::train));
        return new Plot(
                "losses" + clock.suffix + suffix,
                "losses" + suffix,
                clock.tab,
                Words.titled(group.group(), "train and test loss"),
                "Solid: test. Dashed: train. First draw.",
                new Axis(clock.label, true),
                new Axis("loss per dimension", false),
                lines);
    }

    private Plot gap(Scaling group, Clock clock, String suffix) {
        return new Plot(
                "l_gen" + clock.suffix + suffix,
                "l_gen" + suffix,
                clock.tab,
                Words.titled(group.group(), "test minus train loss"),
                "L_gen. First draw. If the time of memorization is proportional to what τ is divided by, the curves rise"
                        + " together.",
                new Axis(clock.label, true),
                new Axis("L_gen", false),
                curves(group, clock, Style.SOLID, Losses::gap));
    }

    private Plot score(Scaling group, String suffix) {
        return new Plot(
                "e_score" + suffix,
                "e_score" + suffix,
                "E_score",
                Words.titled(group.group(), "distance to the true score"),
                "First draw.",
                new Axis(clocks.getFirst().label, true),
                new Axis("E_score", true),
                curves(group, clocks.getFirst(), Style.SOLID, Losses::score));
    }

    private List<Line> curves(Scaling group, Clock clock, Style style, ToDoubleFunction<Losses> value) {
        List<Line> lines = new ArrayList<>();
        List<Double> psi = file.model().psiN();
        for (Trajectory one : group.all()) {
            if (one.one().seed() != file.seed()) {
                continue;
            }
            double divisor = clock.divisor.applyAsDouble(one);
            List<Point> points = one.losses().stream()
                    .filter(losses -> losses.tau() > 0)
                    .map(losses -> Point.of(losses.tau() / divisor, value.applyAsDouble(losses)))
                    .toList();
            int index = psi.indexOf(one.one().psiN());
            lines.add(new Line("ψn = " + Words.exact(one.one().psiN()), new Shade(index, psi.size()), style, points));
        }
        return lines;
    }

    private static Plot scaling(
            List<Scaling> groups, String id, String title, Function<Scaling, ToDoubleFunction<Trajectory>> quantity) {
        List<Line> lines = new ArrayList<>();
        for (int i = 0; i < groups.size(); i++) {
            Scaling group = groups.get(i);
            ToDoubleFunction<Trajectory> value = quantity.apply(group);
            var fit = group.fit(value);
            List<Point> points = group.all().stream()
                    .filter(t -> value.applyAsDouble(t) > 0 && Double.isFinite(value.applyAsDouble(t)))
                    .map(t -> Point.of(t.one().psiN(), value.applyAsDouble(t)))
                    .toList();
            if (fit.isEmpty()) {
                continue;
            }
            String name = group.group().isEmpty() ? "" : group.group() + ": ";
            lines.add(new Line(
                    name + "n^" + Words.number(fit.get().exponent().value()), new Shade(i, 0), Style.POINTS, points));
            lines.add(new Line(
                    name + "n^" + Words.number(fit.get().exponent().value()),
                    new Shade(i, 0),
                    Style.SOLID,
                    line(fit.get(), points)));
        }
        return new Plot(
                "scaling_" + id,
                "scaling",
                title,
                title + " against the number of training points",
                "Points: single draws. Lines: least squares in log-log, with their exponents.",
                new Axis("ψn = n/d", true),
                new Axis(title, true),
                lines);
    }

    private static List<Point> line(PowerLawFit fit, List<Point> points) {
        double low = points.stream().mapToDouble(Point::x).min().orElseThrow();
        double high = points.stream().mapToDouble(Point::x).max().orElseThrow();
        return List.of(
                Point.of(low, fit.line(low).value()),
                Point.of(high, fit.line(high).value()));
    }
}
