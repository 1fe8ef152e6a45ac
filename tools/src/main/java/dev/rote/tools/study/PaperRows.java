package dev.rote.tools.study;

import dev.rote.config.RunConfig;
import dev.rote.config.TrainConfig;
import dev.rote.tools.report.Landscape;
import dev.rote.tools.report.PaperComparison;
import dev.rote.tools.report.PaperComparison.Figure;
import dev.rote.tools.report.PaperComparison.Row;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A study beside Bonnaire et al. 2025, arXiv:2505.17638: one row for each claim, with the number that this study
/// gives, and the runs that belong to the figures 2, 3 and 7.
///
/// Bands are what we take for agreement; the paper gives none. A number of the paper is judged only where the settings
/// are the paper's, and one that is read off the FID only with FID's features; a shape (an exponent, an order) wherever
/// there are runs for it.
final class PaperRows {
    private static final double REFERENCE_WIDTH = 32;

    private final Map<String, List<Member>> settings;
    private final PaperNumbers numbers;
    private final PaperReadings readings;
    private final PaperWidths widths;
    private final String main;
    private final List<Member> fullBatch;
    private final Optional<String> adam;
    private final List<String> differences;
    private final List<String> remarks;
    private final Optional<String> features;

    PaperRows(StudyFile study, Map<String, List<Member>> settings, Landscape landscape) {
        this.settings = settings;
        readings = new PaperReadings(
                settings, landscape, StudyAnalysis.headline(study).tauMem());
        numbers = new PaperNumbers(study, readings);
        widths = new PaperWidths(readings);
        adam = first(members -> optimizer(members, TrainConfig.Optimizer.ADAM));
        main = first(members -> optimizer(members, TrainConfig.Optimizer.SGD) && !isFullBatch(members))
                .or(() -> first(members -> optimizer(members, TrainConfig.Optimizer.SGD)))
                .orElseGet(() -> settings.keySet().iterator().next());
        fullBatch = fullBatch();
        RunConfig lead = settings.get(main).stream()
                .filter(member -> member.width() == width())
                .findFirst()
                .orElseThrow()
                .config();
        differences = PaperSettings.differences(lead);
        remarks = PaperSettings.remarks(lead);
        features = PaperSettings.features(lead, settings.get(main));
    }

    private Optional<String> first(java.util.function.Predicate<List<Member>> wanted) {
        return settings.entrySet().stream()
                .filter(entry -> wanted.test(entry.getValue()))
                .map(Map.Entry::getKey)
                .findFirst();
    }

    private static boolean optimizer(List<Member> members, TrainConfig.Optimizer optimizer) {
        return members.stream().allMatch(member -> member.config().train().optimizer() == optimizer);
    }

    private static boolean isFullBatch(List<Member> members) {
        return members.stream()
                .allMatch(member -> member.config().train().effectiveBatch((int) member.n()) == (int) member.n());
    }

    /// The runs that see every image in every update: a setting of its own, or those of the main setting whose n is no
    /// larger than the batch.
    private List<Member> fullBatch() {
        Optional<String> own = first(members -> optimizer(members, TrainConfig.Optimizer.SGD) && isFullBatch(members));
        List<Member> members = settings.get(own.orElse(main)).stream()
                .filter(member -> isFullBatch(List.of(member)))
                .toList();
        return LandscapeAnalysis.several(members.stream().map(Member::n).toList()) ? members : List.of();
    }

    /// The paper's 32, or the width in the middle of the main setting's.
    private double width() {
        List<Double> widths = settings.get(main).stream()
                .map(Member::width)
                .distinct()
                .sorted()
                .toList();
        return widths.contains(REFERENCE_WIDTH) ? REFERENCE_WIDTH : widths.get(widths.size() / 2);
    }

    PaperComparison comparison() {
        List<Row> rows = new ArrayList<>();
        Standing same = new Standing(differences.isEmpty() ? "" : "the settings are not the paper’s");
        Standing reference = differences.isEmpty() && width() != REFERENCE_WIDTH
                ? new Standing("no run has the paper’s W = 32")
                : same;
        rows.add(numbers.generation(main, width()));
        rows.add(numbers.generationTime(main, width(), quality(reference)));
        rows.add(numbers.slope(main, numbers.tauMem(), "Fig. 2 left", "τ_mem grows as n", "∝ n"));
        rows.add(numbers.rise(main, width(), reference));
        readings.split().ifPresent(split -> {
            rows.add(numbers.slope(main, split, "Fig. 2 middle", "loss split grows as n", "∝ n"));
            rows.add(numbers.splitFirst(main, split));
        });
        rows.add(numbers.largest(main, width(), reference));
        rows.addAll(numbers.showcase(main, width(), reference, quality(reference)));
        rows.add(widths.widthLaw(main, differences.isEmpty()));
        rows.add(widths.widthConstant(main, quality(same)));
        rows.add(widths.collapse(main));
        rows.add(widths.phase(main));
        rows.add(numbers.slope(fullBatch, "Fig. 7 left", "τ_mem grows as n with the full batch", "∝ n"));
        rows.add(adam.map(where ->
                        numbers.slope(where, numbers.tauMem(), "Fig. 7 right", "τ_mem grows as n with Adam", "∝ n"))
                .orElseGet(
                        () -> PaperReadings.missing("Fig. 7 right", "τ_mem grows as n with Adam", "∝ n", "1 ± 0.15")));
        rows.add(numbers.ratio(adam, main));
        rows.add(widths.parameters());
        rows.addAll(numbers.ratios(main));
        List<String> differing = new ArrayList<>(differences);
        features.ifPresent(differing::add);
        return new PaperComparison(differing, remarks, rows, figures());
    }

    /// Of what is read off the FID.
    private Standing quality(Standing standing) {
        return features.isPresent() ? new Standing("the Fréchet distance is not FID") : standing;
    }

    private List<Figure> figures() {
        List<Figure> figures = new ArrayList<>();
        List<Member> members = settings.get(main);
        figures.add(new Figure(
                "fig2",
                "Figure 2, W = " + Math.round(width()),
                names(members.stream().filter(m -> m.width() == width()).toList()),
                false));
        if (LandscapeAnalysis.several(members.stream().map(Member::width).toList())) {
            figures.add(new Figure("fig3", "Figure 3, all widths", names(members), true));
        }
        if (!fullBatch.isEmpty()) {
            figures.add(new Figure("fig7_full_batch", "Figure 7 left, full batch", names(fullBatch), false));
        }
        adam.ifPresent(where ->
                figures.add(new Figure("fig7_adam", "Figure 7 right, Adam", names(settings.get(where)), false)));
        return figures;
    }

    private static List<String> names(List<Member> members) {
        return members.stream().map(member -> member.run().name()).toList();
    }
}
