package dev.rote.tools.report;

import dev.rote.tools.report.ChartSpec.Role;
import dev.rote.tools.report.ChartSpec.Series;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/// The curves of a report's runs, or of some of them, as series of a figure: each in the colours of its run.
final class RunSeries {
    private final List<RunCurves> runs;
    private final List<Integer> shown;
    private final RunStyles styles;

    private RunSeries(List<RunCurves> runs, List<Integer> shown) {
        this.runs = runs;
        this.shown = shown;
        styles = new RunStyles(runs);
    }

    static RunSeries all(List<RunCurves> runs) {
        return new RunSeries(runs, IntStream.range(0, runs.size()).boxed().toList());
    }

    /// @param names of the runs that are drawn
    static RunSeries of(List<RunCurves> runs, Collection<String> names) {
        List<Integer> shown = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            if (names.contains(runs.get(i).name())) {
                shown.add(i);
            }
        }
        return new RunSeries(runs, shown);
    }

    List<Series> curves(Quantity quantity, Role role) {
        return curves(quantity, role, points -> points);
    }

    List<Series> curves(Quantity quantity, Role role, UnaryOperator<List<Point>> change) {
        List<Series> series = new ArrayList<>();
        for (int index : shown) {
            runs.get(index)
                    .curve(quantity)
                    .ifPresent(c -> series.add(
                            new Series(styles.label(index), index, styles.of(index), role, change.apply(c.points()))));
        }
        return series;
    }

    List<Series> against(Abscissa x, List<Series> series) {
        List<Series> moved = new ArrayList<>();
        for (Series s : series) {
            double divisor = x.divisor().applyAsDouble(runs.get(s.run()));
            if (divisor > 0) {
                List<Point> points =
                        s.points().stream().map(p -> p.dividedBy(divisor)).toList();
                moved.add(new Series(s.label(), s.run(), s.ink(), s.role(), points));
            }
        }
        return moved;
    }

    <Q extends Quantity> List<Q> quantities(Class<Q> kind, Comparator<Q> order) {
        return shown.stream()
                .map(runs::get)
                .flatMap(r -> r.curves().stream())
                .map(Curve::quantity)
                .filter(kind::isInstance)
                .map(kind::cast)
                .distinct()
                .sorted(order)
                .toList();
    }
}
