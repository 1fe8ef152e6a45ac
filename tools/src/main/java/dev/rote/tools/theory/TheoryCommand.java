package dev.rote.tools.theory;

import dev.rote.config.ConfigTree;
import dev.rote.config.RunConfig;
import dev.rote.config.TrainConfig;
import dev.rote.device.Device;
import dev.rote.device.linalg.Lapack;
import dev.rote.errors.DataException;
import dev.rote.tools.cli.Build;
import dev.rote.tools.cli.Console;
import dev.rote.tools.cli.Devices;
import dev.rote.tools.report.Provenance;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `rote theory NAME|FILE`: the random-features model of memorization, by theory and by simulation.
@Command(
        name = "theory",
        description =
                "Compute the random-features model of memorization: spectra, training in closed form or step by step, and"
                        + " maps over the numbers of training points and features; write a report.",
        mixinStandardHelpOptions = true)
public final class TheoryCommand implements Callable<Integer> {
    private final Console console;

    @Parameters(
            paramLabel = "NAME|FILE",
            description =
                    "a bundled computation (spectrum, covariances, dynamics, times, variance, minimum, descent, adam,"
                            + " map, tails; each also as NAME-full, the paper's size) or a TOML file")
    private String wanted;

    @Option(names = "--out", paramLabel = "FOLDER", description = "default: theory-out/NAME")
    private Path out;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "change a key, e.g. model.d=50")
    private List<String> changes = new ArrayList<>();

    @Option(
            names = "--device",
            converter = Devices.Converter.class,
            description = "what trains step by step, and multiplies features: cpu, cuda or auto, instead of the file's")
    private RunConfig.Device device;

    @Option(names = "--threads", paramLabel = "N", description = "CPU threads (default: all cores)")
    private Integer threads;

    @Option(names = "--dry-run", description = "print what the computation will take, and stop")
    private boolean dryRun;

    public TheoryCommand(Console console) {
        this.console = console;
    }

    /// A device that is opened when it is first asked for.
    private static final class Lazy implements Experiment.OnDemand, AutoCloseable {
        private final Devices.Wanted wanted;
        private final Console console;
        private Device opened;

        Lazy(Devices.Wanted wanted, Console console) {
            this.wanted = wanted;
            this.console = console;
        }

        @Override
        public Device get() {
            if (opened == null) {
                Devices.announce(wanted.device(), console.err());
                opened = Devices.open(wanted, notice -> console.err().println("rote: " + notice));
            }
            return opened;
        }

        @Override
        public Optional<Device> accelerator() {
            return Devices.resolved(wanted.device()) == RunConfig.Device.CUDA ? Optional.of(get()) : Optional.empty();
        }

        String describe() {
            return opened == null ? "the CPU" : opened.describe();
        }

        @Override
        public void close() {
            if (opened != null) {
                opened.close();
            }
        }
    }

    @Override
    public Integer call() throws InterruptedException {
        TheoryFile file = TheoryFile.of(tree());
        Path folder = out != null ? out : Path.of("theory-out").resolve(file.name());
        TheoryFiles.requireFree(folder);
        if (threads != null && threads < 1) {
            throw new DataException("--threads: expected 1 or more, found " + threads);
        }
        int used = threads == null ? Runtime.getRuntime().availableProcessors() : threads;
        Lapack lapack = new Lapack(used);
        Devices.Wanted opened =
                new Devices.Wanted(file.device(), RunConfig.Kernels.OWN, used, TrainConfig.Precision.F32);
        try (Lazy lazy = new Lazy(opened, console)) {
            if (dryRun) {
                CostEstimate cost = CostEstimate.of(file);
                console.out()
                        .println(file.name() + ": " + file.cases().size() + " models, "
                                + CostEstimate.words(cost.seconds(lapack, lazy), cost.bytes()) + " on " + used
                                + " threads");
                return 0;
            }
            compute(file, folder, lapack, lazy);
        }
        return 0;
    }

    private void compute(TheoryFile file, Path folder, Lapack lapack, Lazy lazy) throws InterruptedException {
        if (file.kind() == TheoryFile.Kind.DESCENT || file.features().draws() > 0) {
            lazy.accelerator(); // a GPU that is not there is said at once
        }
        Experiment experiment = Experiment.of(file);
        Experiment.Result result;
        long begin = System.nanoTime();
        try (TheoryProgress progress = new TheoryProgress(console, experiment.parts())) {
            result = experiment.run(new Experiment.Tools(lapack, lazy, progress));
        }
        Map<String, String> environment = Build.recorded();
        environment.put("seconds", String.format(Locale.ROOT, "%.1f", (System.nanoTime() - begin) * 1e-9));
        environment.put("linear algebra", "OpenBLAS, f64, " + lapack.threads() + " threads");
        String version = environment.remove("version");
        Provenance made =
                new Provenance(version, environment.remove("commit"), lazy.describe(), Instant.now(), environment);
        Path report = TheoryFiles.write(folder, file, TheoryText.of(file), result, made);
        console.out().println(result.verdict());
        result.facts().forEach(fact -> console.out().println("- " + fact));
        console.out().println("report: " + report);
    }

    private ConfigTree tree() {
        ConfigTree tree = BundledTheory.tree(wanted);
        for (String change : changes) {
            int equals = change.indexOf('=');
            if (equals < 1) {
                throw new DataException("--set: expected KEY=VALUE, found " + change);
            }
            tree = tree.with(change.substring(0, equals).strip(), change.substring(equals + 1));
        }
        return device == null ? tree : tree.with("device", '"' + device.word() + '"');
    }
}
