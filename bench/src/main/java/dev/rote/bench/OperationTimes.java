package dev.rote.bench;

import dev.rote.data.Dataset;
import dev.rote.device.Device;
import dev.rote.device.cuda.CudaDevice;
import dev.rote.errors.DeviceException;
import dev.rote.train.TrainingStep;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Times every different operation of a training step by itself on a GPU, and lays the sum beside the step.
///
/// Not JMH: with a hundred operations and a GPU for minutes, forks and fixed iterations take too long. Each operation
/// runs on random operands larger than the cache, is compared with its definition, and has about `seconds`.
/// Arguments as `KEY=VALUE`, with their defaults in [#DEFAULTS].
public final class OperationTimes {
    private static final Map<String, String> DEFAULTS = Map.ofEntries(
            Map.entry("width", "32"),
            Map.entry("batch", "512"),
            Map.entry("precision", "bf16"),
            Map.entry("optimizer", "sgd"),
            Map.entry("cases", ""), // JSON lines for the peers, to write
            Map.entry("results", ""), // JSON lines of our times, to write
            Map.entry("kernels", "own"), // vendor: cuBLAS and cuDNN in our place, results as those of a peer
            Map.entry("only", ".*"), // regular expression for the benchmark's name
            Map.entry("seconds", "0.1"), // of one operation
            Map.entry("limit", "60"), // seconds of all operations; the costliest by the roofline come first
            Map.entry("steps", "10"), // of the whole step that is timed beside; 0 for none
            Map.entry("cache", "60"), // MB of the device's cache
            Map.entry("bandwidth", "4.3"), // TB/s at most
            Map.entry("check", "true"), // whether results are compared with the definition
            Map.entry("time", "true")); // false only writes the cases

    private final Map<String, String> options;
    private final Study study;
    private final Ceiling ceiling;

    private OperationTimes(Map<String, String> options) {
        this.options = options;
        this.study = new Study(
                Integer.parseInt(options.get("width")),
                options.get("precision"),
                Integer.parseInt(options.get("batch")),
                options.get("optimizer"));
        this.ceiling = new Ceiling(number("bandwidth"));
    }

    private double number(String key) {
        return Double.parseDouble(options.get(key));
    }

    public static void main(String[] arguments) throws IOException {
        Map<String, String> options = new LinkedHashMap<>(DEFAULTS);
        for (String argument : arguments) {
            String[] parts = argument.split("=", 2);
            if (parts.length < 2 || !DEFAULTS.containsKey(parts[0])) {
                Set<String> keys = new java.util.TreeSet<>(DEFAULTS.keySet());
                throw new IllegalArgumentException(
                        "arguments: expected KEY=VALUE, KEY one of " + keys + ", found " + argument);
            }
            options.put(parts[0], parts[1]);
        }
        new OperationTimes(options).run();
    }

    private void run() throws IOException {
        switch (options.get("kernels")) {
            case "own" -> runOwn();
            case "vendor" -> runVendor();
            case String other -> throw new IllegalArgumentException("kernels: expected own or vendor, found " + other);
        }
    }

    /// Products and convolutions of the step by NVIDIA's libraries; what those refuse is left out.
    private void runVendor() throws IOException {
        double stepMs = stepMs("vendor");
        List<String> refused = new ArrayList<>();
        try (Device device = CudaDevice.openWithVendor(0, study.precision().equals("tf32"), refused::add)) {
            VendorTimes vendor = new VendorTimes(device.describe());
            List<String> lines = new ArrayList<>();
            time(
                            device,
                            cases(device).stream()
                                    .filter(one -> VendorTimes.library(one.op()).isPresent())
                                    .toList())
                    .forEach((one, result) -> {
                        String name = one.op().label() + " " + one.inputs();
                        if (refused.stream().noneMatch(sentence -> sentence.contains(name))) {
                            lines.add(vendor.line(one.op(), result));
                            System.out.println(
                                    result.timed() + " " + result.timing().text());
                        }
                    });
            write("results", lines);
        }
        refused.forEach(sentence -> System.err.println("OperationTimes: " + sentence));
        System.out.println(study.shape() + " " + study.precision() + ", step " + stepMs + " ms");
    }

    private void runOwn() throws IOException {
        boolean timed = Boolean.parseBoolean(options.get("time"));
        double stepMs = timed ? stepMs("cuda") : Double.NaN;
        try (Device device = study.open("cuda", 0)) {
            List<OperationCase> cases = cases(device);
            write(
                    "cases",
                    cases.stream()
                            .filter(one -> one.peer().isPresent())
                            .map(OperationCase::peerLine)
                            .toList());
            if (timed) {
                List<OperationResult> results = List.copyOf(time(device, cases).values());
                write("results", results.stream().map(OperationResult::json).toList());
                System.out.println(study.shape() + " " + study.precision() + " | " + device.describe());
                System.out.print(OperationTable.of(results, stepMs));
            }
        }
    }

    private void write(String key, List<String> lines) throws IOException {
        if (!options.get(key).isEmpty()) {
            Files.write(Path.of(options.get(key)), lines);
        }
    }

    /// Milliseconds of a step: the median of three groups after one.
    private double stepMs(String device) {
        int steps = Integer.parseInt(options.get("steps"));
        if (steps == 0) {
            return Double.NaN;
        }
        try (StudyOneStep step = new StudyOneStep(study, device, 0)) {
            double[] samples = new double[4];
            for (int sample = 0; sample < samples.length; sample++) {
                long start = System.nanoTime();
                for (int i = 0; i < steps; i++) {
                    step.run();
                }
                step.await();
                samples[sample] = (System.nanoTime() - start) * 1e-6 / steps;
            }
            step.check();
            return Timing.of(java.util.Arrays.copyOfRange(samples, 1, samples.length))
                    .medianMs();
        }
    }

    private List<OperationCase> cases(Device device) {
        try (Dataset images = Study.images()) {
            TrainingStep step = study.plan(device, images);
            return OperationCase.of(step.graph(), study.precision()).stream()
                    .filter(one -> one.timed().benchmark().matches(options.get("only")))
                    .sorted(Comparator.comparingDouble((OperationCase one) -> -one.count() * one.floorMs(ceiling)))
                    .toList();
        }
    }

    private Map<OperationCase, OperationResult> time(Device device, List<OperationCase> cases) {
        long end = System.nanoTime() + (long) (number("limit") * 1e9);
        Map<OperationCase, OperationResult> results = new LinkedHashMap<>();
        for (OperationCase one : cases) {
            if (System.nanoTime() > end) {
                System.err.println("OperationTimes: left out, the time is over: " + one.timed());
                continue;
            }
            try {
                results.put(one, time(device, one));
            } catch (DeviceException | AssertionError failure) {
                System.err.println("OperationTimes: left out, failed: " + one.timed() + ": " + failure.getMessage());
            }
        }
        return results;
    }

    private OperationResult time(Device device, OperationCase one) {
        try (TimedOperation operation = new TimedOperation(device, one, (long) (number("cache") * 1e6))) {
            Timing timing = operation.time(number("seconds"));
            boolean checked = Boolean.parseBoolean(options.get("check")) && operation.check();
            return new OperationResult(
                    one.timed(),
                    one.count(),
                    operation.launches(),
                    timing,
                    one.cost().flops(),
                    one.cost().bytes(),
                    one.floorMs(ceiling),
                    checked);
        }
    }
}
