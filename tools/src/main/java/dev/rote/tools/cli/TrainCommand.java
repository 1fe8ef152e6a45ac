package dev.rote.tools.cli;

import dev.rote.config.ConfigTree;
import dev.rote.config.RunConfig;
import dev.rote.config.StopConfig;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.measure.Estimate;
import dev.rote.measure.MeasuredRun;
import dev.rote.tools.features.Features;
import dev.rote.tools.report.Lettering;
import dev.rote.tools.study.RunSheets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.JsonNodeFactory;

/// Trains one run in its folder, measuring on the way; a run that is there already goes on.
@Command(
        name = "train",
        description = "Trains and measures one run; started again with the same folder it goes on.",
        mixinStandardHelpOptions = true)
public final class TrainCommand implements Callable<Integer> {
    private static final int INTERRUPTED = 130;

    private final Console console;

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "CONFIG.toml",
            arity = "0..1",
            description = "The configuration of the run; without it, --data and a usual one.")
    private Path file;

    @Option(
            names = "--data",
            paramLabel = "SOURCE",
            description = "The images, instead of data.source. Without a configuration a tenth of them is held out.")
    private String source;

    @Option(
            names = "--stop",
            paramLabel = "RULE",
            converter = Devices.StopConverter.class,
            description = "before-memorization: stop when copies of training images appear, keep the newest model from"
                    + " before. none: train to the last step.")
    private StopConfig.Rule stop;

    @Option(names = "--out", paramLabel = "FOLDER", description = "The run's folder, new or to go on with.")
    private Path folder;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Change a dotted key of the configuration, such as train.lr=1e-4; may be repeated.")
    private List<String> changes = new ArrayList<>();

    @Option(names = "--dry-run", description = "Print what the run would take, and write nothing.")
    private boolean dryRun;

    @Option(
            names = "--device",
            converter = Devices.Converter.class,
            description = "cpu, cuda or auto, instead of the configuration's.")
    private RunConfig.Device device;

    @Option(
            names = "--kernels",
            converter = Devices.KernelsConverter.class,
            description = "own, or vendor for cuBLAS and cuDNN on cuda, instead of the configuration's.")
    private RunConfig.Kernels kernels;

    @Option(names = "--threads", paramLabel = "N", description = "CPU threads, instead of the configuration's.")
    private Integer threads;

    public TrainCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        if (folder == null && !dryRun) {
            throw new ParameterException(spec.commandLine(), "expected --out FOLDER or --dry-run, found neither");
        }
        RunConfig config = config();
        Devices.announce(config.device(), console.err());
        try (Device opened = Devices.open(Devices.Wanted.of(config), this::say);
                TrainingData data = Images.load(config.data());
                Features features = Features.of(config.measure(), data.train(), config.threads())) {
            console.err().println(opened.describe());
            if (data.skipped() > 0) {
                console.err().println("left out " + data.skipped() + " images that cannot be read");
            }
            if (dryRun) {
                print(MeasuredRun.rehearse(opened, config, data, features.extractor()));
                return 0;
            }
            return train(opened, config, data, features);
        }
    }

    private void say(String notice) {
        console.err().println("rote: " + notice);
    }

    private RunConfig config() {
        if (file == null && source == null) {
            throw new ParameterException(spec.commandLine(), "expected CONFIG.toml or --data SOURCE, found neither");
        }
        ConfigTree tree = file == null ? UsualRun.tree() : ConfigTree.read(file);
        if (source != null) {
            tree = tree.with("data.source", JsonNodeFactory.instance.stringNode(source), "--data");
        }
        if (stop != null) {
            tree = tree.with("stop.rule", stop.word());
        }
        boolean splits = file == null && changes.stream().noneMatch(change -> change.startsWith("data.test="));
        for (String change : changes) {
            int equals = change.indexOf('=');
            if (equals < 1) {
                throw new ParameterException(spec.commandLine(), "--set: expected KEY=VALUE, found " + change);
            }
            tree = tree.with(
                    change.substring(0, equals).strip(),
                    change.substring(equals + 1).strip());
        }
        if (device != null) {
            tree = tree.with("device", device.word());
        }
        if (kernels != null) {
            tree = tree.with("kernels", kernels.word());
        }
        if (threads != null) {
            tree = tree.with("threads", threads.toString());
        }
        return RunConfig.of(splits ? UsualRun.heldOut(tree) : tree);
    }

    private int train(Device opened, RunConfig config, TrainingData data, Features features)
            throws InterruptedException {
        Lettering.missing().ifPresent(sentence -> console.err().println("rote: " + sentence));
        try (ProgressListener progress = new ProgressListener(
                        console, config.name(), config.train().steps());
                MeasuredRun run = MeasuredRun.open(
                        opened,
                        config,
                        data,
                        features.extractor(),
                        folder,
                        recorded(opened),
                        new DrawingListener(progress, () -> RunSheets.draw(folder, config, data)));
                Interruption interruption = new Interruption(console, run::cancel)) {
            boolean complete = run.run();
            progress.close();
            if (complete) {
                run.why().ifPresent(console.out()::println);
                console.out().println("done: " + Units.count(run.step()) + " steps in " + folder);
                return 0;
            }
            console.err().println("rote: stopped at step " + run.step() + "; the same command goes on from there");
            return INTERRUPTED;
        }
    }

    private static Map<String, String> recorded(Device opened) {
        Map<String, String> recorded = Build.recorded();
        recorded.put("device", opened.describe());
        return recorded;
    }

    private void print(Estimate estimate) {
        row("parameters", Units.count(estimate.parameters()));
        row("memory needed", Units.bytes(estimate.memoryBytes()));
        row(
                "memory free",
                estimate.freeBytes().isPresent()
                        ? Units.bytes(estimate.freeBytes().getAsLong())
                        : "unknown");
        row("one step", Units.flops(estimate.flopsPerStep()) + ", " + Units.time(estimate.secondsPerStep()));
        row("steps", Units.count(estimate.steps()));
        row("one measurement", Units.time(estimate.secondsPerMeasurement()));
        row("measurements", Units.count(estimate.measurements()));
        row("predicted time", Units.time(estimate.totalSeconds()));
    }

    private void row(String name, String value) {
        console.out().println(name + " ".repeat(18 - name.length()) + value);
    }
}
