package dev.rote.tools.report;

import dev.rote.tools.report.NeighbourSheet.Matches;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// Writes the report of [SyntheticStudy] with everything beside it, to be looked at after a change of the drawing:
/// `java -cp ... dev.rote.tools.report.ReportPreview FOLDER`
final class ReportPreview {
    private ReportPreview() {}

    public static void main(String[] arguments) {
        Path folder = Path.of(arguments.length > 0 ? arguments[0] : "target/report-preview");
        write(folder);
    }

    static void write(Path folder) {
        StudyReport report = SyntheticStudy.of(false, sheets(folder.resolve("sheets")));
        HtmlReport.write(report, folder);
        Figures.writePng(report, folder.resolve("figures"));
        Tables.write(report, folder);
    }

    private static List<Sheet> sheets(Path folder) {
        SheetHeader early = new SheetHeader("n = 64, seed 0", 700, 0.004);
        SheetHeader late = new SheetHeader("n = 64, seed 0", 7_100, 0.71);
        Path samples = folder.resolve("samples_700.png");
        SampleSheet.writePng(samples, early, SyntheticStudy.images(32, 16, 1, 1), List.of(), 8);
        List<Double> ratios =
                IntStream.range(0, 18).mapToObj(i -> (i * 7 % 18) / 18.0 + 0.04).toList();
        Matches matches = new Matches(
                SyntheticStudy.images(18, 16, 1, 2),
                SyntheticStudy.images(18, 16, 1, 2),
                Optional.of(SyntheticStudy.images(18, 16, 1, 3)),
                ratios,
                1.0 / 3);
        Path neighbours = folder.resolve("neighbours_7100.png");
        NeighbourSheet.writePng(neighbours, late, matches, 3);
        Path colour = folder.resolve("pairs_7100.png");
        Matches pairs = new Matches(
                SyntheticStudy.images(12, 32, 3, 4),
                SyntheticStudy.images(12, 32, 3, 5),
                Optional.empty(),
                ratios.subList(0, 12),
                1.0 / 3);
        NeighbourSheet.writePng(colour, late, pairs, 4);
        return List.of(
                new Sheet("Samples at τ_gen (step 700)", "The first 32 samples of run n = 64, seed 0.", samples),
                new Sheet(
                        "Nearest neighbours at step 7 100",
                        "18 of 256 samples with their nearest and second nearest training images, most alike first.",
                        neighbours),
                new Sheet("Pairs in colour", "Twelve samples and their nearest training images.", colour),
                new Sheet("Samples at the last step", "Not there yet.", folder.resolve("samples_20000.png")));
    }
}
