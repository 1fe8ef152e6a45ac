package dev.rote.tools.study;

import dev.rote.tools.report.Digits;
import dev.rote.tools.report.PaperComparison.Row;
import dev.rote.tools.report.Point;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// The run that Bonnaire et al. 2025, arXiv:2505.17638, show pictures of: n = 1024, W = 32, SGD. Its supplement and its
/// Fig. 2 give different numbers, so the bands are wide.
///
/// @param members runs of one setting and width
/// @param k distance ratio of the memorized fraction
record PaperShowcase(List<Member> members, double k) {
    private static final Claim EARLY_COPIES = new Claim("f_mem", 190_000, "0 %", "at most 1 %", 0, 0.01);
    private static final Claim EARLY_QUALITY = new Claim("FID", 190_000, "35.1", "35 within ×1.5", 35 / 1.5, 35 * 1.5);
    private static final Claim LATE_COPIES =
            new Claim("f_mem", 1_620_000, "47 % (supplement), 34 % (figure)", "30 % to 50 %", 0.3, 0.5);

    /// A number of the paper at one moment.
    ///
    /// @param low, high the band
    private record Claim(String what, double step, String paper, String band, double low, double high) {
        private static final String WHERE = "supp. A.1";

        Row row(Optional<Point> found, Function<Double, String> text, Standing standing) {
            String claim = "n = 1024, W = 32: " + what + " at " + Digits.steps(step) + " updates";
            return found.map(point -> new Row(
                            WHERE,
                            claim,
                            paper,
                            text.apply(point.y()),
                            band,
                            standing.outcome(point.y() >= low && point.y() <= high),
                            standing.note("nearest measurement, at " + Digits.steps(point.x()) + " updates")))
                    .orElseGet(() -> PaperReadings.missing(WHERE, claim, paper, band));
        }
    }

    /// @param copies whether f_mem may be judged
    /// @param quality whether the FID may be
    List<Row> rows(Standing copies, Standing quality) {
        return List.of(
                EARLY_COPIES.row(nearest(m -> m.fractions(k), EARLY_COPIES.step()), Digits::percent, copies),
                EARLY_QUALITY.row(nearest(Member::frechet, EARLY_QUALITY.step()), Digits::compact, quality),
                LATE_COPIES.row(nearest(m -> m.fractions(k), LATE_COPIES.step()), Digits::percent, copies));
    }

    /// The measurement nearest in log tau of a run that went so far.
    private Optional<Point> nearest(Function<Member, Optional<List<Point>>> curve, double step) {
        return members.stream()
                .filter(member -> member.n() == 1024 && member.width() == 32)
                .flatMap(member -> curve.apply(member).stream())
                .filter(points -> points.getLast().x() >= step)
                .findFirst()
                .flatMap(points ->
                        points.stream().min(Comparator.comparingDouble(p -> Math.abs(Math.log(p.x() / step)))));
    }
}
