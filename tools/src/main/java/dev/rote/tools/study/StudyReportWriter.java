package dev.rote.tools.study;

import dev.rote.errors.DataException;
import dev.rote.tools.report.Figures;
import dev.rote.tools.report.HtmlReport;
import dev.rote.tools.report.Lettering;
import dev.rote.tools.report.Provenance;
import dev.rote.tools.report.RunCurves;
import dev.rote.tools.report.RunStatus;
import dev.rote.tools.report.Sheet;
import dev.rote.tools.report.StudyReport;
import dev.rote.tools.report.Tables;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/// Writes what is known of a study: `report.html`, `figures/*.png`, `curves.csv`, `summary.csv`, `figures.csv`,
/// `report.json`.
final class StudyReportWriter {
    private final StudyFile study;
    private final String toml;
    private final Path folder;
    private final Map<String, String> recorded;

    /// @param page the report
    /// @param problems files that are not what they must be and were left out, one sentence each
    /// @param lettering why pictures with text were left out, one sentence; empty if they were not
    record Written(Path page, List<String> problems, Optional<String> lettering) {}

    StudyReportWriter(StudyFile study, String toml, Path folder, Map<String, String> recorded) {
        this.study = study;
        this.toml = toml;
        this.folder = folder;
        this.recorded = recorded;
    }

    /// A run whose records are damaged is left out and named, on the page too.
    ///
    /// @param status of runs that are at work now; the others are judged by their records
    Written write(Function<Grid.Run, Optional<RunStatus>> status) {
        List<RunCurves> runs = new ArrayList<>();
        List<Sheet> sheets = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        StudySheets drawing = new StudySheets(study.analysis().k());
        String device = "";
        Map<String, Long> parameters = new HashMap<>();
        for (Grid.Run run : study.runs()) {
            Path runFolder = folder.resolve("runs").resolve(run.name());
            try {
                RunRecord record = RunRecord.read(runFolder);
                device = record.device().orElse(device);
                record.parameters().ifPresent(count -> parameters.put(run.name(), count));
                runs.add(new RunAnalysis(run, record, study.analysis()).curves(status.apply(run)));
                sheets.addAll(drawing.of(runFolder, run));
            } catch (DataException e) {
                problems.add("Run " + run.name() + " is left out: " + e.getMessage()
                        + ". Repair the file, or remove the run’s folder to train it again.");
                runs.add(leftOut(run, e.getMessage()));
            }
        }
        problems.addAll(drawing.problems());
        TwinSimilarity twins = new TwinSimilarity(folder);
        List<RunCurves> all = twins.added(study, runs);
        problems.addAll(twins.problems());
        List<String> warnings = new ArrayList<>(problems);
        Lettering.missing().ifPresent(sentence -> warnings.add(sentence + "."));
        long open = runs.stream().filter(run -> !run.status().isComplete()).count();
        if (open > 0) {
            warnings.add(open + " of " + runs.size() + " runs " + (open == 1 ? "is" : "are")
                    + " not complete; numbers will change.");
        }
        if (study.runs().stream().anyMatch(run -> run.config().data().test() == 0)) {
            warnings.add(
                    "There are no held-out images (data.test = 0): Fréchet distances are to the training images, to"
                            + " which copies come close, and there is neither a base rate nor a test loss.");
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
                all,
                StudyAnalysis.findings(study, all, parameters),
                sheets,
                warnings);
        Tables.write(report, folder);
        Figures.writePng(report, folder.resolve("figures"));
        return new Written(HtmlReport.write(report, folder), List.copyOf(problems), Lettering.missing());
    }

    private static RunCurves leftOut(Grid.Run run, String reason) {
        RunStatus status =
                new RunStatus(RunStatus.State.FAILED, 0, run.config().train().steps(), "left out: " + reason);
        int n = run.config().data().n();
        return new RunCurves(run.name(), run.point(), n, status, List.of(), List.of(), List.of(), 0);
    }
}
