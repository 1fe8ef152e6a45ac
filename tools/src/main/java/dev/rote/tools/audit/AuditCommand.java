package dev.rote.tools.audit;

import dev.rote.config.RunConfig;
import dev.rote.config.TrainConfig;
import dev.rote.device.Device;
import dev.rote.errors.DataException;
import dev.rote.metrics.CalibratedL2;
import dev.rote.metrics.SampleMetrics;
import dev.rote.tools.cli.Build;
import dev.rote.tools.cli.Console;
import dev.rote.tools.cli.Devices;
import dev.rote.tools.features.Features;
import dev.rote.tools.report.Provenance;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `rote audit`: looks for copies of training images among samples of any model, and writes a report.
@Command(
        name = "audit",
        description =
                "Look for copies of training images among the images of any model, and write a report. Images may be a"
                        + " folder, a zip, npy, npz, IDX or CIFAR files; #FROM:TO after a source takes a part of it.",
        mixinStandardHelpOptions = true)
public final class AuditCommand implements Callable<Integer> {
    private final Console console;

    @Option(names = "--samples", required = true, paramLabel = "SOURCE", description = "images to be audited")
    private String samples;

    @Option(
            names = "--training",
            required = true,
            paramLabel = "SOURCE",
            description = "images the model was trained on")
    private String training;

    @Option(
            names = "--heldout",
            paramLabel = "SOURCE",
            description = "real images it was not trained on: they say how often real images would pass for copies")
    private String heldOut;

    @Option(
            names = "--out",
            paramLabel = "FOLDER",
            defaultValue = "audit-out",
            description = "default: ${DEFAULT-VALUE}")
    private Path out;

    @Option(names = "--size", paramLabel = "N", description = "resize the short side to N and crop the center")
    private int size;

    @Option(names = "--gray", description = "make colour gray")
    private boolean gray;

    @Option(names = "--skip-unreadable", description = "leave out damaged pictures and count them")
    private boolean skipUnreadable;

    @Option(
            names = "--k",
            split = ",",
            paramLabel = "RATIO",
            description = "a sample with d1/d2 below is memorized; the first is the headline (default: 1/3, 1/2, 1/4)")
    private List<String> k = List.of("1/3", "1/2", "1/4");

    @Option(
            names = "--alpha",
            defaultValue = "0.5",
            description = "of the calibrated l2 test (default: ${DEFAULT-VALUE})")
    private double alpha;

    @Option(
            names = "--neighbours",
            defaultValue = "50",
            paramLabel = "N",
            description = "of the calibrated l2 test (default: ${DEFAULT-VALUE})")
    private int neighbours;

    @Option(names = "--cells", defaultValue = "3", description = "of k-means for C_T (default: ${DEFAULT-VALUE})")
    private int cells;

    @Option(
            names = "--prdc-neighbours",
            defaultValue = "5",
            paramLabel = "N",
            description = "k of precision, recall, density and coverage (default: ${DEFAULT-VALUE})")
    private int ballNeighbours;

    @Option(
            names = "--features",
            defaultValue = "random-convolution",
            description =
                    "random-convolution, pixel-pca, pixels or the path of an ONNX network (default: ${DEFAULT-VALUE})")
    private String features;

    @Option(names = "--seed", defaultValue = "0", description = "of every random choice (default: ${DEFAULT-VALUE})")
    private long seed;

    @Option(names = "--threads", paramLabel = "N", description = "CPU threads (default: all cores)")
    private Integer threads;

    @Option(
            names = "--device",
            defaultValue = "auto",
            converter = Devices.Converter.class,
            description = "what searches neighbours: cpu, cuda or auto (default: ${DEFAULT-VALUE})")
    private RunConfig.Device device;

    public AuditCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws InterruptedException {
        AuditOptions options = options();
        AuditFiles.requireFree(out);
        long begun = System.nanoTime();
        Devices.announce(device, console.err());
        Devices.Wanted wanted =
                new Devices.Wanted(device, RunConfig.Kernels.OWN, options.threads(), TrainConfig.Precision.F32);
        try (Device searching = Devices.open(wanted, notice -> console.err().println("rote: " + notice))) {
            console.err().println(searching.describe());
            audit(options, searching, begun);
        }
        return 0;
    }

    private void audit(AuditOptions options, Device searching, long begun) throws InterruptedException {
        ImageSet.Reading reading = new ImageSet.Reading(size, gray, skipUnreadable);
        List<ImageSet> opened = new ArrayList<>();
        try {
            opened.add(read("--samples", samples, reading));
            opened.add(read("--training", training, reading));
            if (heldOut != null) {
                opened.add(read("--heldout", heldOut, reading));
            }
            int channels = opened.stream()
                    .mapToInt(set -> set.extent().channels())
                    .max()
                    .orElseThrow();
            opened.replaceAll(set -> set.like(opened.get(1), channels));
            audit(
                    new Audit.Sets(
                            opened.get(0),
                            opened.get(1),
                            heldOut == null ? Optional.empty() : Optional.of(opened.get(2))),
                    options,
                    searching,
                    begun);
        } finally {
            opened.forEach(ImageSet::close);
        }
    }

    private ImageSet read(String role, String source, ImageSet.Reading reading) {
        console.err().println("reading " + source);
        ImageSet set = ImageSet.read(role, source, reading);
        List<String> skipped = new ArrayList<>();
        AuditFiles.skipped(set, "pictures of " + role, skipped);
        skipped.forEach(console.err()::println);
        return set;
    }

    private void audit(Audit.Sets sets, AuditOptions options, Device searching, long begun)
            throws InterruptedException {
        Audit audit;
        Path report;
        try (Features opened = Features.of(
                        "--features",
                        options.features(),
                        sets.training().rows(),
                        sets.training().extent(),
                        options.threads());
                AuditProgress progress = new AuditProgress(console, sets.searches(), begun)) {
            audit = Audit.of(sets, options, opened.extractor(), searching, progress);
            progress.part("writing the report");
            Map<String, String> environment = Build.recorded();
            String version = environment.remove("version");
            report = new AuditFiles(out, sets, audit, options, searching.describe())
                    .write(new Provenance(
                            version, environment.remove("commit"), searching.describe(), Instant.now(), environment));
        }
        print(new AuditText(audit, options), audit);
        console.out().println("neighbours searched on " + searching.describe());
        console.out().println("report: " + report);
    }

    private void print(AuditText text, Audit audit) {
        console.out().println(text.verdict());
        text.facts().forEach(fact -> console.out().println("- " + fact));
        console.out().println();
        text.copyTests().forEach(this::row);
        console.out().println("in pixels");
        text.scores(audit.pixels(), false).forEach(this::row);
        console.out().println("in features: " + audit.space());
        text.scores(audit.features(), true).forEach(this::row);
    }

    private void row(List<String> cells) {
        StringBuilder line = new StringBuilder("  " + cells.getFirst());
        line.append(" ".repeat(Math.max(1, 50 - line.length()))).append(cells.get(1));
        for (String cell : cells.subList(2, cells.size())) {
            line.append(cell.isEmpty() ? "" : "   " + cell);
        }
        console.out().println(line);
    }

    private AuditOptions options() {
        var calibrated = new CalibratedL2(alpha, neighbours);
        var parameters = new SampleMetrics.Parameters(calibrated, positive("--cells", cells), ballNeighbours, seed);
        if (ballNeighbours < 1 || ballNeighbours > 64) {
            throw new DataException("--prdc-neighbours: expected 1 to 64, found " + ballNeighbours);
        }
        if (size < 0) {
            throw new DataException("--size: expected 0 or more, found " + size);
        }
        int used = threads == null ? Runtime.getRuntime().availableProcessors() : positive("--threads", threads);
        return new AuditOptions(k.stream().map(AuditCommand::ratio).toList(), parameters, features, used);
    }

    private static int positive(String option, int value) {
        if (value < 1) {
            throw new DataException(option + ": expected 1 or more, found " + value);
        }
        return value;
    }

    /// `1/3` or `0.3`.
    private static double ratio(String text) {
        String[] parts = text.strip().split("/", -1);
        try {
            if (parts.length <= 2) {
                return Double.parseDouble(parts[0]) / (parts.length == 2 ? Double.parseDouble(parts[1]) : 1);
            }
        } catch (NumberFormatException e) {
            throw new DataException("--k: expected ratios such as 1/3 or 0.3, found " + text, e);
        }
        throw new DataException("--k: expected ratios such as 1/3 or 0.3, found " + text);
    }
}
