package dev.rote.tools.window;

import dev.rote.config.ConfigTree;
import dev.rote.config.RunConfig;
import dev.rote.data.TrainingData;
import dev.rote.errors.DataException;
import dev.rote.errors.EnvironmentException;
import dev.rote.metrics.GapCurve;
import dev.rote.storage.AtomicFile;
import dev.rote.tools.cli.Build;
import dev.rote.tools.cli.Console;
import dev.rote.tools.cli.Devices;
import dev.rote.tools.cli.Images;
import dev.rote.tools.cli.Interruption;
import dev.rote.tools.study.RunRecord;
import dev.rote.tools.study.StudyFile;
import dev.rote.tools.study.StudyProgress;
import dev.rote.tools.study.StudyRunner;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `rote predict-window CONFIG.toml`: trains on a few small subsets and forecasts tau_gen and tau_mem of the whole.
@Command(
        name = "predict-window",
        description = "Train on small subsets and predict when a run on all images becomes good and when it copies.",
        mixinStandardHelpOptions = true)
public final class PredictWindowCommand implements Callable<Integer> {
    private static final int INTERRUPTED = 130;

    @Parameters(paramLabel = "CONFIG.toml", description = "the configuration of the run to forecast")
    private Path file;

    @Option(names = "--out", paramLabel = "FOLDER", description = "folder of the small runs; default: window-out")
    private Path out = Path.of("window-out");

    @Option(
            names = "--sizes",
            split = ",",
            paramLabel = "N",
            description = "training images of the small runs, e.g. 16,24,36")
    private List<Integer> sizes = new ArrayList<>();

    @Option(
            names = "--budget",
            description = "without --sizes: share of the updates up to 2 tau_mem that the small runs may take (0.05)")
    private double budget = 0.05;

    @Option(names = "--seeds", description = "runs of each size (1)")
    private int seeds = 1;

    @Option(
            names = "--run",
            paramLabel = "FOLDER",
            description =
                    "the run itself, begun with --stop before-memorization: its losses so far sharpen the forecast")
    private Path begun;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "change a key of the configuration")
    private List<String> changes = new ArrayList<>();

    @Option(names = "--device", converter = Devices.Converter.class, description = "cpu, cuda or auto")
    private RunConfig.Device device;

    @Option(names = "--jobs", description = "runs side by side; default: one per processor")
    private Integer jobs;

    @Option(names = "--threads", description = "threads of each run; default: the processors shared out over the jobs")
    private Integer threads;

    private final Console console;

    public PredictWindowCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        if (!(budget > 0 && budget <= 1)) {
            throw new DataException("--budget: expected a share above 0, at most 1, found " + budget);
        }
        ConfigTree tree = tree();
        RunConfig large = RunConfig.of(tree);
        int n;
        try (TrainingData data = Images.load(large.data())) {
            n = data.train().count();
        }
        Optional<GapCurve> own = Optional.ofNullable(begun).map(folder -> beginning(folder, large));
        Pilot pilot = sizes.isEmpty() ? Pilot.within(n, seeds, budget) : new Pilot(n, sizes, seeds);
        StudyFile study = pilot.study(tree);
        int processors = Runtime.getRuntime().availableProcessors();
        int side = Math.min(study.runs().size(), positive("--jobs", jobs, processors));
        int each = positive("--threads", threads, Math.max(1, processors / side));
        StudyProgress progress = new StudyProgress(study, console);
        StudyRunner runner = new StudyRunner(study, out, side, each, Build.recorded(), progress);
        runner.requireSameRuns();
        createFolder();
        progress.begin(side, each, out);
        boolean complete;
        try (Interruption interruption = new Interruption(console, runner::cancel)) {
            complete = runner.run();
        } finally {
            progress.end();
        }
        for (Throwable failure : runner.failures().values()) {
            if (failure instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) failure;
        }
        if (!complete) {
            console.err().println("rote: stopped; the same command goes on from there");
            return INTERRUPTED;
        }
        List<SmallRun> runs = study.runs().stream()
                .map(run -> SmallRun.of(run.config().data().n(), RunRecord.read(runner.runFolder(run))))
                .toList();
        Forecast forecast = Forecast.of(n, runs, own);
        AtomicFile.write(out.resolve("window.json"), ForecastText.json(forecast).getBytes(StandardCharsets.UTF_8));
        ForecastText.lines(forecast, large).forEach(console.out()::println);
        console.out().println("numbers: " + out.resolve("window.json"));
        return 0;
    }

    /// The gap of a run's losses so far.
    private static GapCurve beginning(Path folder, RunConfig large) {
        RunConfig run = RunConfig.read(folder.resolve("run.toml"));
        for (String part : List.of("data", "model", "diffusion", "train")) {
            if (!part(run, part).equals(part(large, part))) {
                throw DataException.expected(
                        folder.resolve("run.toml"), part, "what the forecast is made for", "another [" + part + "]");
            }
        }
        GapCurve gap = SmallRun.gap(RunRecord.read(folder).checks());
        if (gap.end() == 0) {
            throw DataException.expected(
                    folder.resolve("metrics.jsonl"),
                    "check",
                    "records of a run that was begun with --stop before-memorization",
                    "none with the gap of the losses");
        }
        return gap;
    }

    /// What of a configuration decides how training goes; a run may be longer or shorter.
    private static Object part(RunConfig config, String name) {
        return switch (name) {
            case "data" -> config.data();
            case "model" -> config.model();
            case "diffusion" -> config.diffusion();
            default ->
                config.with("train.steps", Integer.toString(Integer.MAX_VALUE)).train();
        };
    }

    private ConfigTree tree() {
        ConfigTree tree = ConfigTree.read(file);
        for (String change : changes) {
            int equals = change.indexOf('=');
            if (equals < 1) {
                throw new DataException("--set: expected KEY=VALUE, found " + change);
            }
            tree = tree.with(
                    change.substring(0, equals).strip(),
                    change.substring(equals + 1).strip());
        }
        return device == null ? tree : tree.with("device", device.word());
    }

    private static int positive(String option, Integer given, int usual) {
        if (given != null && given < 1) {
            throw new DataException(option + ": expected 1 or more, found " + given);
        }
        return given == null ? usual : given;
    }

    private void createFolder() {
        try {
            Files.createDirectories(out);
        } catch (IOException e) {
            throw new EnvironmentException("cannot create the folder " + out + ": " + e, e);
        }
    }
}
