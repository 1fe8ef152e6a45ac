package dev.rote.tools.study;

import dev.rote.metrics.Bootstrap;
import dev.rote.metrics.CensoredPowerLaw;
import dev.rote.metrics.CensoredPowerLaw.Time;
import dev.rote.metrics.CollapseScore;
import dev.rote.metrics.DivergenceTimes;
import dev.rote.metrics.Interval;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.CollapseTest;
import dev.rote.tools.report.Exponents;
import dev.rote.tools.report.Point;
import dev.rote.tools.report.Reading;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/// Power laws in n and W together, and collapses, with intervals over the runs.
final class ExponentAnalysis {
    /// Fewer runs give hardly more than a few different draws.
    private static final int FEWEST_RUNS_TO_REDRAW = 5;

    /// Draws of the runs for an interval: as many as elsewhere.
    private static final Bootstrap BOOTSTRAP = Bootstrap.standard(0);

    /// How far above the median of the runs' smallest distances the levels lie at which falling curves are compared.
    private static final double[] ABOVE_MINIMUM = {2, 4};

    private ExponentAnalysis() {}

    /// The law of a clock in the axes that vary; empty when no run has been read.
    static Optional<Exponents> exponents(StudyFile study, Clock clock, String where, List<Member> members) {
        boolean sizes =
                LandscapeAnalysis.several(members.stream().map(Member::n).toList());
        boolean widths =
                LandscapeAnalysis.several(members.stream().map(Member::width).toList());
        List<String> variables = new ArrayList<>();
        if (sizes) {
            variables.add("n");
        }
        if (widths) {
            variables.add("W");
        }
        List<Time> times = new ArrayList<>();
        Clock.TauMem memorization = StudyAnalysis.headline(study).tauMem();
        for (Member member : members) {
            double[] x = sizes && widths
                    ? new double[] {member.n(), member.width()}
                    : new double[] {sizes ? member.n() : member.width()};
            member.time(clock, memorization)
                    .flatMap(reading -> time(reading, x))
                    .ifPresent(times::add);
        }
        if (times.isEmpty() || variables.isEmpty()) {
            return Optional.empty();
        }
        int known =
                (int) times.stream().filter(time -> time.low() == time.high()).count();
        List<Exponents.Term> terms = new ArrayList<>();
        double prefactor = Double.NaN;
        Optional<CensoredPowerLaw> law = CensoredPowerLaw.of(times);
        if (law.isPresent()) {
            Optional<List<Interval>> drawn = known < FEWEST_RUNS_TO_REDRAW
                    ? Optional.empty()
                    : CensoredPowerLaw.exponentsByBootstrap(times, BOOTSTRAP);
            prefactor = law.get().prefactor().value();
            for (int j = 0; j < variables.size(); j++) {
                Interval interval = law.get().exponents().get(j);
                int term = j;
                terms.add(new Exponents.Term(
                        variables.get(j),
                        interval.value(),
                        finite(interval.low()),
                        finite(interval.high()),
                        drawn.map(all -> all.get(term).low()).orElse(Double.NaN),
                        drawn.map(all -> all.get(term).high()).orElse(Double.NaN)));
            }
        }
        return Optional.of(new Exponents(clock, where, terms, prefactor, known, times.size() - known));
    }

    /// What a reading says of a time; nothing when it is unknown.
    private static Optional<Time> time(Reading reading, double... x) {
        return switch (reading) {
            case Reading.Reached at -> Optional.of(Time.known(at.value(), x));
            case Reading.NotReached at -> Optional.of(Time.atLeast(at.lastStep(), x));
            case Reading.AtLeast at -> Optional.of(Time.atLeast(at.value(), x));
            case Reading.BeforeFirst at -> Optional.of(Time.atMost(at.firstStep(), x));
            case Reading.Unknown at -> Optional.empty();
        };
    }

    /// f_mem as it is and divided by its last value over tau / n and W tau / n, the Fréchet distance or
    /// `kl` over W tau.
    static List<CollapseTest> collapses(StudyFile study, String where, List<Member> members) {
        double k = study.analysis().k();
        double[] levels = study.analysis().thresholds().stream()
                .mapToDouble(Double::doubleValue)
                .toArray();
        double[] shares = {0.1, 0.5};
        boolean sizes =
                LandscapeAnalysis.several(members.stream().map(Member::n).toList());
        boolean widths =
                LandscapeAnalysis.several(members.stream().map(Member::width).toList());
        List<CollapseTest> found = new ArrayList<>();
        String fractions = "f_mem at " + percent(levels);
        String normalized = "f_mem / last f_mem at " + percent(shares);
        if (sizes) {
            test(where, fractions, "n", members, m -> m.fractions(k), Member::n, levels)
                    .ifPresent(found::add);
            test(where, normalized, "n", members, m -> m.normalized(k), Member::n, shares)
                    .ifPresent(found::add);
        }
        if (widths) {
            ToDoubleFunction<Member> overWidth = m -> m.n() / m.width();
            test(where, fractions, "n/W", members, m -> m.fractions(k), overWidth, levels)
                    .ifPresent(found::add);
            test(where, normalized, "n/W", members, m -> m.normalized(k), overWidth, shares)
                    .ifPresent(found::add);
            frechet(where, members).ifPresent(found::add);
            divergence(where, members).ifPresent(found::add);
        }
        return found;
    }

    /// Falling curves become rising ones with their signs turned.
    private static Optional<CollapseTest> frechet(String where, List<Member> members) {
        double[] minima = members.stream()
                .map(Member::frechet)
                .flatMap(Optional::stream)
                .mapToDouble(
                        points -> points.stream().mapToDouble(Point::y).min().orElseThrow())
                .sorted()
                .toArray();
        if (minima.length == 0) {
            return Optional.empty();
        }
        double middle = minima[minima.length / 2];
        double[] levels =
                DoubleStream.of(ABOVE_MINIMUM).map(times -> -times * middle).toArray();
        return test(
                where,
                "Fréchet distance at 2 and 4 times its typical minimum",
                "1/W",
                members,
                m -> m.frechet().map(ExponentAnalysis::turned),
                m -> 1 / m.width(),
                levels);
    }

    /// At the level where its clock is read and, for want of a typical minimum above 0, at ten times that.
    private static Optional<CollapseTest> divergence(String where, List<Member> members) {
        double[] levels = {-DivergenceTimes.LEVEL, -10 * DivergenceTimes.LEVEL};
        return test(
                where,
                "KL at 1 and 10 nats",
                "1/W",
                members,
                m -> m.kl().map(points -> {
                    dev.rote.metrics.Curve smooth = DivergenceTimes.smooth(Member.curve(points));
                    return IntStream.range(0, points.size())
                            .mapToObj(i -> Point.of(smooth.steps()[i], -smooth.values()[i]))
                            .toList();
                }),
                m -> 1 / m.width(),
                levels);
    }

    private static List<Point> turned(List<Point> points) {
        return points.stream().map(p -> Point.of(p.x(), -p.y())).toList();
    }

    private static Optional<CollapseTest> test(
            String where,
            String what,
            String variable,
            List<Member> members,
            Function<Member, Optional<List<Point>>> curve,
            ToDoubleFunction<Member> scale,
            double[] levels) {
        List<Member> with =
                members.stream().filter(m -> curve.apply(m).isPresent()).toList();
        List<dev.rote.metrics.Curve> curves = with.stream()
                .map(m -> Member.curve(curve.apply(m).orElseThrow()))
                .toList();
        double[] scales = with.stream().mapToDouble(scale).toArray();
        return CollapseScore.of(curves, scales, levels).map(score -> {
            Interval exponent = CollapseScore.exponentByBootstrap(curves, scales, levels, BOOTSTRAP)
                    .orElseThrow();
            boolean redrawn = with.size() >= FEWEST_RUNS_TO_REDRAW;
            return new CollapseTest(
                    what,
                    where,
                    variable,
                    factor(score.raw()),
                    factor(score.collapsed()),
                    score.bestExponent(),
                    redrawn ? exponent.low() : Double.NaN,
                    redrawn ? exponent.high() : Double.NaN,
                    score.crossings());
        });
    }

    private static String percent(double[] levels) {
        StringBuilder text = new StringBuilder();
        for (double level : levels) {
            text.append(text.isEmpty() ? "" : ", ").append(Math.round(1000 * level) / 10.0);
        }
        return text.toString().replaceAll("\\.0\\b", "") + " %";
    }

    private static double factor(double score) {
        return Math.exp(Math.sqrt(score));
    }

    private static double finite(double value) {
        return Double.isFinite(value) ? value : Double.NaN;
    }
}
