package dev.rote.tools.study;

import dev.rote.config.ConfigTree;
import dev.rote.config.RunConfig;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.errors.DataException;
import dev.rote.errors.EnvironmentException;
import dev.rote.measure.Estimate;
import dev.rote.measure.MeasuredRun;
import dev.rote.storage.AtomicFile;
import dev.rote.tools.cli.Build;
import dev.rote.tools.cli.Console;
import dev.rote.tools.cli.Devices;
import dev.rote.tools.cli.Images;
import dev.rote.tools.cli.Interruption;
import dev.rote.tools.features.Features;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `rote study NAME|FILE`: trains and measures every run of a study and writes its report. Started again, it goes on.
@Command(
        name = "study",
        description = "Train and measure every run of a study, then write its report. Started again, it goes on.",
        mixinStandardHelpOptions = true)
public final class StudyCommand implements Callable<Integer> {
    @Parameters(paramLabel = "STUDY", description = "a bundled study (quickstart, ...) or a TOML file")
    private String study;

    @Option(names = "--out", paramLabel = "FOLDER", description = "folder of the study; default: studies-out/NAME")
    private Path out;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "change a key for all runs, e.g. train.steps=500")
    private List<String> changes = new ArrayList<>();

    @Option(names = "--jobs", description = "runs side by side; default: one per processor")
    private int jobs;

    @Option(names = "--threads", description = "threads of each run; default: the processors shared out over the jobs")
    private int threads;

    @Option(names = "--dry-run", description = "print what the study will take, and stop")
    private boolean dryRun;

    @Option(names = "--report-only", description = "write the report of what is there, train nothing")
    private boolean reportOnly;

    private final Console console;

    public StudyCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        ConfigTree tree = StudyFile.tree(study);
        for (String change : changes) {
            int equals = change.indexOf('=');
            if (equals < 1) {
                throw new DataException("--set: expected KEY=VALUE, found " + change);
            }
            tree = StudyFile.with(tree, change.substring(0, equals).strip(), change.substring(equals + 1));
        }
        StudyFile file = StudyFile.of(tree);
        int processors = Runtime.getRuntime().availableProcessors();
        int side = Math.min(file.runs().size(), jobs > 0 ? jobs : processors);
        int each = threads > 0 ? threads : Math.max(1, processors / side);
        if (dryRun) {
            estimate(file, side, each);
            return 0;
        }
        Path folder = out != null ? out : Path.of("studies-out").resolve(file.name());
        Map<String, String> recorded = Build.recorded();
        StudyProgress progress = new StudyProgress(file, console);
        StudyRunner runner = new StudyRunner(file, folder, side, each, recorded, progress);
        runner.requireSameRuns();
        createFolder(folder);
        String toml = describe(file);
        AtomicFile.write(folder.resolve("study.toml"), toml.getBytes(StandardCharsets.UTF_8));
        StudyReportWriter report = new StudyReportWriter(file, toml, folder, recorded);
        if (reportOnly) {
            console.out().println("report: " + report.write(run -> Optional.empty()));
            return 0;
        }
        progress.begin(side, each, folder);
        return execute(runner, report, progress);
    }

    private int execute(StudyRunner runner, StudyReportWriter report, StudyProgress progress)
            throws InterruptedException {
        boolean complete;
        try (Interruption interruption = new Interruption(console, runner::cancel)) {
            complete = runner.run();
        }
        progress.end();
        console.out().println("report: " + report.write(runner::status));
        Map<String, Throwable> failures = runner.failures();
        if (!failures.isEmpty()) {
            failures.forEach((run, failure) -> console.err().println("rote: run " + run + ": " + failure.getMessage()));
            Throwable first = failures.values().iterator().next();
            if (first instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) first;
        }
        return complete ? 0 : 130;
    }

    private static void createFolder(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new EnvironmentException("cannot create the folder " + folder + ": " + e, e);
        }
    }

    /// The study as it is run: each run's grid point, and the first run's complete configuration.
    private static String describe(StudyFile file) {
        StringBuilder text = new StringBuilder();
        text.append("# ")
                .append(file.name())
                .append(": ")
                .append(file.description())
                .append('\n');
        for (Grid.Run run : file.runs()) {
            text.append("# run ").append(run.name()).append('\n');
        }
        RunConfig first = file.runs().getFirst().config();
        return text.append("# configuration of the first run:\n")
                .append(first.toml())
                .toString();
    }

    /// Rehearses one run per distinct combination of the keys that decide the cost, and adds up.
    private void estimate(StudyFile file, int side, int each) throws InterruptedException {
        double total = 0;
        Map<String, Estimate> known = new LinkedHashMap<>();
        PrintStream table = console.out();
        table.printf("%-28s %12s %10s %12s %10s %10s%n", "run", "parameters", "memory", "flop/step", "s/step", "total");
        for (Grid.Run run : file.runs()) {
            RunConfig config = run.config().with("threads", Integer.toString(each));
            String key = config.with("seed", "0").with("name", "same").toml();
            Estimate estimate = known.get(key);
            if (estimate == null) {
                try (TrainingData data = Images.load(config.data());
                        Features features = Features.of(config.measure(), data.train(), each);
                        Device device = Devices.open(config.device(), each)) {
                    estimate = MeasuredRun.rehearse(device, config, data, features.extractor());
                }
                known.put(key, estimate);
            }
            total += estimate.totalSeconds();
            table.printf(
                    Locale.ROOT,
                    "%-28s %12d %8.0fMB %12.3g %10.4f %9.0fs%n",
                    run.name(),
                    estimate.parameters(),
                    estimate.memoryBytes() / 1e6,
                    (double) estimate.flopsPerStep(),
                    estimate.secondsPerStep(),
                    estimate.totalSeconds());
        }
        table.printf(
                Locale.ROOT,
                "%d runs, %d side by side: about %.0f s%n",
                file.runs().size(),
                side,
                total / side);
    }
}
