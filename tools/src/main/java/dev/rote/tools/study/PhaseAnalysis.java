package dev.rote.tools.study;

import dev.rote.metrics.Bootstrap;
import dev.rote.metrics.PhaseBoundary;
import dev.rote.metrics.PhaseBoundary.Copies;
import dev.rote.metrics.PhaseBoundary.Size;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.PhaseDiagram;
import dev.rote.tools.report.PhaseDiagram.Cell;
import dev.rote.tools.report.PhaseDiagram.Edge;
import dev.rote.tools.report.PhaseDiagram.Line;
import dev.rote.tools.report.PhaseDiagram.Moment;
import dev.rote.tools.report.Point;
import dev.rote.tools.report.Reading;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// The (n, p) phase diagram of one setting: Bonnaire et al. 2025, arXiv:2505.17638, Fig. 3 right. At c times tau_gen(W)
/// the memorized fraction of each run is interpolated in log tau, and the boundary in log n ([PhaseBoundary]).
final class PhaseAnalysis {
    private static final Bootstrap BOOTSTRAP = Bootstrap.standard(0);

    private final StudyFile.Analysis analysis;
    private final double threshold;
    private final TreeMap<Double, List<Member>> widths;

    private PhaseAnalysis(StudyFile study, List<Member> members) {
        analysis = study.analysis();
        threshold = StudyAnalysis.headline(study).thresholds().getFirst();
        widths = members.stream()
                .filter(member -> member.fractions(analysis.k()).isPresent()
                        && member.run().samples() > 0)
                .collect(Collectors.groupingBy(Member::width, TreeMap::new, Collectors.toList()));
    }

    /// Empty unless two widths and two n have been measured.
    static Optional<PhaseDiagram> of(StudyFile study, String where, List<Member> members) {
        var phases = new PhaseAnalysis(study, members);
        List<Member> measured =
                phases.widths.values().stream().flatMap(List::stream).toList();
        if (LandscapeAnalysis.vary(measured) < 2) {
            return Optional.empty();
        }
        List<Moment> moments = phases.moments(StudyAnalysis.headline(study).tauMem());
        return Optional.of(new PhaseDiagram(
                where,
                phases.analysis.k(),
                phases.threshold,
                moments,
                phases.lines(moments, phases.threshold),
                phases.lines(moments, 0),
                phases.cells()));
    }

    /// tau_gen of each width: the geometric mean over its runs, or C / W where no run of it knows its own or the study
    /// wants it so (`analysis.generation_time`), with C the geometric mean of W tau_gen over all runs that do.
    private List<Moment> moments(Clock.TauMem memorization) {
        TreeMap<Double, double[]> logs = new TreeMap<>();
        widths.forEach((width, members) -> logs.put(
                width,
                members.stream()
                        .map(member -> member.time(new Clock.Plateau(), memorization))
                        .flatMap(Optional::stream)
                        .filter(Reading.Reached.class::isInstance)
                        .mapToDouble(reading -> Math.log(((Reading.Reached) reading).value()))
                        .toArray()));
        double constant = logs.entrySet().stream()
                .flatMapToDouble(entry -> Arrays.stream(entry.getValue()).map(log -> log + Math.log(entry.getKey())))
                .average()
                .orElse(Double.NaN);
        boolean fitted = analysis.generation() == StudyFile.Analysis.Generation.FITTED;
        List<Moment> moments = new ArrayList<>();
        logs.forEach((width, known) -> {
            double[] own = fitted ? new double[0] : known;
            double log = Arrays.stream(own).average().orElse(constant - Math.log(width));
            moments.add(new Moment(width, parameters(width), Math.exp(log), own.length));
        });
        return moments;
    }

    private List<Line> lines(List<Moment> moments, double at) {
        List<Line> lines = new ArrayList<>();
        for (double multiple : analysis.multiples()) {
            List<Edge> edges = new ArrayList<>();
            for (Moment moment : moments) {
                if (moment.tau() > 0) {
                    edges.add(edge(moment, multiple * moment.tau(), at));
                }
            }
            lines.add(new Line(multiple == 1 ? "τ_gen" : plain(multiple) + " τ_gen", multiple, edges));
        }
        double end = analysis.largeTime() > 0 ? analysis.largeTime() : Double.POSITIVE_INFINITY;
        lines.add(new Line(
                Double.isInfinite(end) ? "end of the runs" : plain(end) + " updates",
                Double.POSITIVE_INFINITY,
                moments.stream().map(moment -> edge(moment, end, at)).toList()));
        return lines;
    }

    private Edge edge(Moment moment, double tau, double at) {
        List<Size> sizes = new ArrayList<>();
        bySize(widths.get(moment.width()))
                .forEach((n, members) ->
                        sizes.add(new Size(n, members.stream().map(this::copies).toList())));
        return new Edge(moment.width(), moment.parameters(), tau, PhaseBoundary.at(sizes, tau, at, BOOTSTRAP));
    }

    private static Map<Double, List<Member>> bySize(List<Member> members) {
        return members.stream().collect(Collectors.groupingBy(Member::n, TreeMap::new, Collectors.toList()));
    }

    private Copies copies(Member member) {
        List<Point> points = member.fractions(analysis.k()).orElseThrow();
        int samples = member.run().samples();
        int[] counts = new int[points.size()];
        Arrays.fill(counts, samples);
        return new Copies(
                points.stream().mapToDouble(Point::x).toArray(),
                points.stream()
                        .mapToInt(point -> (int) Math.round(point.y() * samples))
                        .toArray(),
                counts);
    }

    private List<Cell> cells() {
        List<Cell> cells = new ArrayList<>();
        widths.forEach((width, members) -> bySize(members).forEach((n, runs) -> {
            double last = runs.stream()
                    .mapToDouble(run ->
                            run.fractions(analysis.k()).orElseThrow().getLast().y())
                    .average()
                    .orElseThrow();
            cells.add(new Cell(width, parameters(width), n, runs.size(), last, last > threshold));
        }));
        return cells;
    }

    /// Of any run of this width whose records say it.
    private double parameters(double width) {
        return widths.get(width).stream()
                .mapToDouble(Member::parameters)
                .filter(Double::isFinite)
                .findFirst()
                .orElse(Double.NaN);
    }

    private static String plain(double value) {
        return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
    }
}
