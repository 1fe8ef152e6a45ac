package dev.rote.tools.study;

import dev.rote.data.TrainingData;
import dev.rote.tools.cli.Images;
import dev.rote.tools.report.Figures;
import dev.rote.tools.report.HtmlReport;
import dev.rote.tools.report.Provenance;
import dev.rote.tools.report.RunCurves;
import dev.rote.tools.report.RunStatus;
import dev.rote.tools.report.Sheet;
import dev.rote.tools.report.StudyReport;
import dev.rote.tools.report.Tables;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Writes what is known of a study: `report.html`, `figures/*.png`, `curves.csv`, `summary.csv`, `report.json`.
final class StudyReportWriter {
    private final StudyFile study;
    private final String toml;
    private final Path folder;
    private final Map<String, String> recorded;

    StudyReportWriter(StudyFile study, String toml, Path folder, Map<String, String> recorded) {
        this.study = study;
        this.toml = toml;
        this.folder = folder;
        this.recorded = recorded;
    }

    /// @param status of runs that are at work now; the others are judged by their records
    /// @return the page
    Path write(Function<Grid.Run, Optional<RunStatus>> status) {
        List<RunCurves> runs = new ArrayList<>();
        List<Sheet> sheets = new ArrayList<>();
        List<String> warnings = new ArrayList<>();
        String device = "";
        for (Grid.Run run : study.runs()) {
            Path runFolder = folder.resolve("runs").resolve(run.name());
            RunRecord record = RunRecord.read(runFolder);
            device = record.device().orElse(device);
            runs.add(new RunAnalysis(run, record, study.analysis()).curves(status.apply(run)));
            if (Files.isDirectory(runFolder.resolve("samples"))) {
                try (TrainingData data = Images.load(run.config().data())) {
                    sheets.addAll(StudySheets.draw(
                            runFolder, run, data, study.analysis().k()));
                }
            }
        }
        long open = runs.stream().filter(run -> !run.status().isOver()).count();
        if (open > 0) {
            warnings.add(open + " of " + runs.size() + " runs are not complete; numbers will change.");
        }
        StudyReport report = new StudyReport(
                study.name(),
                study.description(),
                new Provenance(
                        recorded.getOrDefault("version", ""),
                        recorded.getOrDefault("commit", ""),
                        device,
                        Instant.now(),
                        recorded),
                toml,
                runs,
                StudyAnalysis.fits(study, runs),
                sheets,
                warnings);
        Tables.write(report, folder);
        Figures.writePng(report, folder.resolve("figures"));
        return HtmlReport.write(report, folder);
    }
}
