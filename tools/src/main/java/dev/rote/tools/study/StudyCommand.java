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
import dev.rote.tools.report.RunStatus;
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
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `rote study NAME|FILE`: trains and measures every run of a study and writes its report. Started again, it goes on.
@Command(
        name = "study",
        description = "Train and measure every run of a study, then write its report. Started again, it goes on.",
        mixinStandardHelpOptions = true)
public final class StudyCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "STUDY",
            completionCandidates = BundledStudies.Names.class,
            description = "a TOML file, or a bundled study: ${COMPLETION-CANDIDATES}")
    private String study;

    @Option(names = "--out", paramLabel = "FOLDER", description = "folder of the study; default: studies-out/NAME")
    private Path out;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "change a key for all runs, e.g. train.steps=500")
    private List<String> changes = new ArrayList<>();

    @Option(
            names = "--device",
            converter = Devices.Converter.class,
            description = "cpu, cuda or auto, instead of the study's")
    private RunConfig.Device device;

    @Option(
            names = "--kernels",
            converter = Devices.KernelsConverter.class,
            description = "own, or vendor for cuBLAS and cuDNN on cuda, instead of the study's")
    private RunConfig.Kernels kernels;

    @Option(names = "--jobs", description = "runs side by side; default: one per processor")
    private Integer jobs;

    @Option(names = "--threads", description = "threads of each run; default: the processors shared out over the jobs")
    private Integer threads;

    @Option(
            names = "--replicas",
            description =
                    "most runs of one network that train as one program on one device; default: 16 for U-Nets of up to "
                            + "16 channels on a GPU, else 1")
    private Integer replicas;

    @Option(names = "--dry-run", description = "print what the study will take, and stop")
    private boolean dryRun;

    @Option(names = "--report-only", description = "write the report of what is there, train nothing")
    private boolean reportOnly;

    /// Exit status when files of the study are not what they must be.
    private static final int DAMAGED = 2;

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
        if (device != null) {
            tree = StudyFile.with(tree, "device", '"' + device.word() + '"');
        }
        if (kernels != null) {
            tree = StudyFile.with(tree, "kernels", '"' + kernels.word() + '"');
        }
        StudyFile file = StudyFile.of(tree);
        int processors = Runtime.getRuntime().availableProcessors();
        int side = Math.min(file.runs().size(), positive("--jobs", jobs, processors));
        int each = positive("--threads", threads, Math.max(1, processors / side));
        if (!reportOnly && file.runs().stream().anyMatch(run -> run.config().device() == RunConfig.Device.AUTO)) {
            Devices.announce(RunConfig.Device.AUTO, console.err());
        }
        if (dryRun) {
            estimate(file, side, each);
            return 0;
        }
        Path folder = out != null ? out : Path.of("studies-out").resolve(file.name());
        Map<String, String> recorded = Build.recorded();
        StudyProgress progress = new StudyProgress(file, console);
        StudyRunner runner = new StudyRunner(
                file, folder, side, each, positive("--replicas", replicas, ReplicaGroups.USUAL), recorded, progress);
        runner.requireSameRuns();
        createFolder(folder);
        String toml = StudyText.of(file, tree);
        AtomicFile.write(folder.resolve("study.toml"), toml.getBytes(StandardCharsets.UTF_8));
        StudyReportWriter report = new StudyReportWriter(file, toml, folder, recorded);
        if (reportOnly) {
            return write(report, run -> Optional.empty());
        }
        progress.begin(side, each, folder);
        return execute(runner, report, progress);
    }

    private int execute(StudyRunner runner, StudyReportWriter report, StudyProgress progress)
            throws InterruptedException {
        boolean complete;
        try (Interruption interruption = new Interruption(console, runner::cancel)) {
            complete = runner.run();
        } finally {
            progress.end();
        }
        int written = write(report, runner::status);
        Map<String, Throwable> failures = runner.failures();
        if (!failures.isEmpty()) {
            failures.forEach((run, failure) -> console.err().println("rote: run " + run + ": " + failure.getMessage()));
            Throwable first = failures.values().iterator().next();
            if (first instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) first;
        }
        return complete ? written : 130;
    }

    /// Writes the report and names what it had to leave out.
    private int write(StudyReportWriter report, Function<Grid.Run, Optional<RunStatus>> status) {
        StudyReportWriter.Written written = report.write(status);
        written.problems().forEach(problem -> console.err().println("rote: " + problem));
        written.lettering().ifPresent(sentence -> console.err().println("rote: " + sentence));
        console.out().println("report: " + written.page());
        return written.problems().isEmpty() ? 0 : DAMAGED;
    }

    private static int positive(String option, Integer given, int usual) {
        if (given != null && given < 1) {
            throw new DataException(option + ": expected 1 or more, found " + given);
        }
        return given == null ? usual : given;
    }

    private static void createFolder(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new EnvironmentException("cannot create the folder " + folder + ": " + e, e);
        }
    }

    /// Rehearses one run per distinct combination of the keys that decide the cost, and adds up.
    private void estimate(StudyFile file, int side, int each) throws InterruptedException {
        double total = 0;
        double longest = 0;
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
                        Device device = Devices.open(Devices.Wanted.of(config), notice -> console.err()
                                .println("rote: " + notice))) {
                    estimate = MeasuredRun.rehearse(device, config, data, features.extractor());
                }
                known.put(key, estimate);
            }
            total += estimate.totalSeconds();
            longest = Math.max(longest, estimate.totalSeconds());
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
                seconds(total, longest, side, each, Runtime.getRuntime().availableProcessors()));
    }

    /// How long runs take side by side. Only as many advance at full speed as there are processors for their threads,
    /// and no study is shorter than its longest run.
    ///
    /// @param total seconds of all runs, one after the other
    /// @param longest seconds of the longest run
    static double seconds(double total, double longest, int side, int each, int processors) {
        return Math.max(longest, total / Math.min(side, Math.max(1, (double) processors / each)));
    }
}
