package dev.rote.tools.study;

import dev.rote.tools.report.Clock;
import dev.rote.tools.report.Exponents;
import dev.rote.tools.report.Landscape;
import dev.rote.tools.report.PaperComparison;
import dev.rote.tools.report.RunCurves;
import dev.rote.tools.report.TimeRatio;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// What the runs say over several axes: n and the width together, settings beside each other, a paper beside the study.
/// A study with one axis and no `analysis.paper` has nothing of it.
final class LandscapeAnalysis {
    static final Set<String> AXES = Set.of("data.n", "model.width");

    private LandscapeAnalysis() {}

    /// @param parameters of the network, by run name
    static Landscape of(StudyFile study, List<RunCurves> runs, Map<String, Long> parameters) {
        Map<String, Grid.Run> planned = new HashMap<>();
        study.runs().forEach(run -> planned.put(run.name(), run));
        Map<String, List<Member>> settings = new LinkedHashMap<>();
        Settings.of(study, AXES, runs).forEach((where, members) -> {
            List<Member> known = members.stream()
                    .map(run -> new Member(run, planned.get(run.name()).config(), parameters(run, parameters)))
                    .filter(member -> member.n() > 0)
                    .toList();
            if (!known.isEmpty()) {
                settings.put(where, known);
            }
        });
        boolean compared = !study.analysis().paper().isEmpty();
        boolean widths = settings.values().stream().anyMatch(members -> vary(members) == 2);
        if (settings.isEmpty() || (!compared && !widths)) {
            return Landscape.NONE;
        }
        List<Exponents> exponents = new ArrayList<>();
        List<dev.rote.tools.report.CollapseTest> collapses = new ArrayList<>();
        List<dev.rote.tools.report.PhaseDiagram> phases = new ArrayList<>();
        settings.forEach((where, members) -> {
            for (Clock clock : clocks(study, members)) {
                ExponentAnalysis.exponents(study, clock, where, members).ifPresent(exponents::add);
            }
            collapses.addAll(ExponentAnalysis.collapses(study, where, members));
            PhaseAnalysis.of(study, where, members).ifPresent(phases::add);
        });
        List<TimeRatio> ratios = RatioAnalysis.of(study, settings);
        Landscape found = new Landscape(phases, exponents, collapses, ratios, Optional.empty());
        if (!compared) {
            return found;
        }
        PaperComparison paper = new PaperRows(study, settings, found).comparison();
        return new Landscape(phases, exponents, collapses, ratios, Optional.of(paper));
    }

    /// The recorded number; of a run that has not begun, that of another run with the same network is not guessed.
    private static double parameters(RunCurves run, Map<String, Long> parameters) {
        Long known = parameters.get(run.name());
        return known == null ? Double.NaN : known;
    }

    /// How many of the two axes vary.
    static int vary(List<Member> members) {
        return (several(members.stream().map(Member::n).toList()) ? 1 : 0)
                + (several(members.stream().map(Member::width).toList()) ? 1 : 0);
    }

    static boolean several(List<Double> values) {
        return values.stream().distinct().count() > 1;
    }

    /// tau_mem at every threshold at the headline's ratio and at the lowest for the other ratios, the first copy, the
    /// normalised rise, both readings of tau_gen, fall and rise of `kl`, the splits of the losses.
    static List<Clock> clocks(StudyFile study, List<Member> members) {
        StudyFile.Analysis analysis = study.analysis();
        Set<Clock> clocks = new LinkedHashSet<>();
        double k = analysis.k();
        clocks.add(new Clock.FirstCopy(k));
        for (double threshold : StudyAnalysis.headline(study).thresholds()) {
            clocks.add(new Clock.TauMem(threshold, k));
        }
        clocks.add(new Clock.NormalizedRise(0.1, k));
        double lowest = StudyAnalysis.headline(study).thresholds().getFirst();
        members.stream()
                .flatMap(member -> member.config().measure().k().stream())
                .distinct()
                .sorted()
                .forEach(ratio -> clocks.add(new Clock.TauMem(lowest, ratio)));
        clocks.add(new Clock.Plateau());
        clocks.add(new Clock.TauGen());
        members.stream()
                .flatMap(member -> member.run().times().stream())
                .map(time -> time.clock())
                .filter(clock -> clock instanceof Clock.LossSplit
                        || clock instanceof Clock.TauKl
                        || clock instanceof Clock.KlRise)
                .distinct()
                .forEach(clocks::add);
        return List.copyOf(clocks);
    }
}
