package dev.rote.tools.report;

import dev.rote.tools.report.Clock.FirstCopy;
import dev.rote.tools.report.Clock.LossSplit;
import dev.rote.tools.report.Clock.TauGen;
import dev.rote.tools.report.Clock.TauMem;
import dev.rote.tools.report.Quantity.Frechet;
import dev.rote.tools.report.Quantity.LossAt;
import dev.rote.tools.report.Quantity.MemorizedFraction;
import dev.rote.tools.report.Quantity.Split;
import dev.rote.tools.report.Quantity.TrainingLoss;
import dev.rote.tools.report.Reading.NotReached;
import dev.rote.tools.report.Reading.Reached;
import dev.rote.tools.report.RunStatus.State;
import dev.rote.tools.report.ScalingFit.FitPoint;
import dev.rote.tools.report.ScalingFit.PowerLaw;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.DoubleStream;

/// A made-up study that looks like a real one: f_mem is a sigmoid in log tau centered at 90 n, the losses part at
/// 15 n, the Fréchet distance falls until step 700 for every n.
final class SyntheticStudy {
    static final Frechet FEATURES = new Frechet("random-conv-64", true);
    private static final int SAMPLES = 256;
    private static final int STEPS = 20_000;
    private static final double[] RATIOS = {1.0 / 3, 1.0 / 2, 1.0 / 4};

    private SyntheticStudy() {}

    /// Four values of n, two seeds; the last run is at 45 % unless `finished`.
    static StudyReport of(boolean finished, List<Sheet> sheets) {
        List<RunCurves> runs = new ArrayList<>();
        for (int n : new int[] {32, 64, 128, 256}) {
            for (int seed = 0; seed < 2; seed++) {
                boolean running = !finished && n == 256 && seed == 1;
                runs.add(run(n, seed, running ? 9_000 : STEPS));
            }
        }
        List<String> warnings = List.of(
                "Fréchet distances use stand-in features, not the Inception network: compare them within this report only.",
                "f_mem is measured on 256 samples: zero means below 1.2 % at 95 % confidence.");
        return new StudyReport(
                "n-sweep <fashion & 16px>",
                "How the onset of copying moves with the size of the training set: 16 x 16 gray Fashion-MNIST, U-Net of"
                        + " width 16, Adam.",
                provenance(),
                configuration(),
                runs,
                Findings.of(fits(runs)),
                sheets,
                warnings);
    }

    static Provenance provenance() {
        Map<String, String> environment = new LinkedHashMap<>();
        environment.put("Java", "25.0.1 (Temurin)");
        environment.put("system", "Linux 6.1, x86-64, 16 threads");
        environment.put("precision", "f32");
        return new Provenance(
                "0.1.0",
                "0886fad",
                "cpu (oneDNN 3.11, 16 threads)",
                Instant.parse("2026-01-15T14:05:00Z"),
                environment);
    }

    static String configuration() {
        return """
                name = "n-sweep"
                [data]
                source = "builtin:fashion-mnist"
                size = 16
                gray = true
                [model]
                family = "unet-study1"
                width = 16
                [train]
                optimizer = "adam"
                lr = 1e-3
                steps = 20000
                [grid]
                "data.n" = [32, 64, 128, 256]
                seed = [0, 1]
                """;
    }

    static RunCurves run(int n, int seed, int last) {
        Random random = new Random(1000L * n + seed);
        double drift = Math.exp(0.12 * random.nextGaussian());
        double mem = 90 * n * drift;
        List<Curve> curves = new ArrayList<>();
        double[] dense = steps(1, last, 160);
        double[] measured = steps(50, last, 10);
        curves.add(curve(new TrainingLoss(), dense, random, 0.06, tau -> loss(tau, 15.0 * n, 0.35), false));
        for (double t : new double[] {0.01, 0.1}) {
            double level = t < 0.05 ? 1 : 0.4;
            curves.add(curve(
                    new LossAt(t, Split.TEST), measured, random, 0.01, tau -> level * testLoss(tau, 15.0 * n), true));
            curves.add(curve(
                    new LossAt(t, Split.TRAIN), measured, random, 0.01, tau -> level * loss(tau, 15.0 * n, 0.6), true));
        }
        curves.add(
                curve(FEATURES, measured, random, 0.03, tau -> 4.2 + 60 * Math.exp(-Math.pow(tau / 160, 0.9)), true));
        List<BaseRate> bases = new ArrayList<>();
        for (double k : RATIOS) {
            curves.add(fractions(k, measured, mem, random));
            bases.add(new BaseRate(k, 0.004 * k * 3, 0, 0.022, 250));
        }
        Map<String, String> keys = new LinkedHashMap<>();
        keys.put("data.n", Integer.toString(n));
        keys.put("seed", Integer.toString(seed));
        RunStatus status = new RunStatus(last < STEPS ? State.RUNNING : State.FINISHED, last, STEPS, "");
        return new RunCurves(
                "n" + n + "_seed" + seed, keys, n, status, curves, times(mem, n, drift, last), bases, SAMPLES);
    }

    private static List<TimeScale> times(double mem, int n, double drift, double last) {
        List<TimeScale> times = new ArrayList<>();
        times.add(new TimeScale(new TauGen(), new Reached(690 * Math.pow(drift, 0.3), 560, 840)));
        times.add(new TimeScale(new LossSplit(0.01), reading(15 * n * drift, last)));
        times.add(new TimeScale(new FirstCopy(RATIOS[0]), reading(mem * Math.exp(-1.35), last)));
        for (double k : RATIOS) {
            for (double threshold : new double[] {0.01, 0.1, 0.5}) {
                double at = mem * Math.exp(Math.log(threshold / (0.97 - threshold)) / 4) * Math.pow(3 * k, -0.4);
                times.add(new TimeScale(new TauMem(threshold, k), reading(at, last)));
            }
        }
        return times;
    }

    private static Reading reading(double at, double last) {
        return at > last ? new NotReached(last) : new Reached(at, at * 0.86, at * 1.17);
    }

    private static List<ScalingFit> fits(List<RunCurves> runs) {
        return List.of(
                fit(new TauMem(0.01, Clock.PAPER_K), runs, new PowerLaw(32.6, 0.97, 0.85, 1.10, 0.987)),
                fit(new TauMem(0.5, Clock.PAPER_K), runs, new PowerLaw(88, 1.01, 0.89, 1.13, 0.989)),
                fit(new LossSplit(0.01), runs, new PowerLaw(15.1, 1.00, 0.92, 1.08, 0.994)),
                fit(new TauGen(), runs, new PowerLaw(680, 0.01, -0.04, 0.06, 0.02)));
    }

    private static ScalingFit fit(Clock clock, List<RunCurves> runs, PowerLaw law) {
        List<FitPoint> points = runs.stream()
                .map(r -> new FitPoint(r.n(), r.name(), r.time(clock).orElseThrow()))
                .toList();
        return new ScalingFit(clock, "n", "", points, Optional.of(law));
    }

    private static double loss(double tau, double split, double depth) {
        double falling = 0.04 + 0.96 / (1 + Math.pow(tau / 12, 0.9));
        return falling * (1 - depth * 0.5 * (1 + Math.tanh(0.9 * Math.log(tau / (3 * split)))));
    }

    private static double testLoss(double tau, double split) {
        double falling = 0.04 + 0.96 / (1 + Math.pow(tau / 12, 0.9));
        return falling * (1 + 0.5 * Math.log1p(Math.pow(tau / (2.2 * split), 1.3)));
    }

    private static Curve fractions(double k, double[] steps, double mem, Random random) {
        List<Point> points = new ArrayList<>();
        for (double tau : steps) {
            double p = 0.97 / (1 + Math.pow(tau / (mem * Math.pow(3 * k, -0.4)), -4));
            double f = Math.round(SAMPLES * Math.clamp(p + 0.012 * random.nextGaussian() * Math.sqrt(p), 0, 1))
                    / (double) SAMPLES;
            double half = 1.96 * Math.sqrt(f * (1 - f) / SAMPLES);
            points.add(new Point(tau, f, Math.max(0, f - half), Math.min(1, f + half)));
        }
        return new Curve(new MemorizedFraction(k), points);
    }

    private static Curve curve(
            Quantity quantity, double[] steps, Random random, double noise, DoubleUnaryOperator law, boolean interval) {
        List<Point> points = DoubleStream.of(steps)
                .mapToObj(tau -> {
                    double y = law.applyAsDouble(tau) * Math.exp(noise * random.nextGaussian());
                    return interval ? new Point(tau, y, y * (1 - 2 * noise), y * (1 + 2 * noise)) : Point.of(tau, y);
                })
                .toList();
        return new Curve(quantity, points);
    }

    private static double[] steps(double from, double to, int perDecade) {
        int count = (int) Math.round(perDecade * Math.log10(to / from));
        return DoubleStream.iterate(0, i -> i <= count, i -> i + 1)
                .map(i -> Math.rint(from * Math.pow(to / from, i / count)))
                .distinct()
                .toArray();
    }

    /// Blobs of colour, `[count,size,size,channels]`.
    static ImageBatch images(int count, int size, int channels, long seed) {
        Random random = new Random(seed);
        float[] pixels = new float[count * size * size * channels];
        int at = 0;
        for (int i = 0; i < count; i++) {
            double cx = size * (0.3 + 0.4 * random.nextDouble());
            double cy = size * (0.3 + 0.4 * random.nextDouble());
            double radius = size * (0.15 + 0.2 * random.nextDouble());
            double[] tint = {random.nextDouble(), random.nextDouble(), random.nextDouble()};
            for (int y = 0; y < size; y++) {
                for (int x = 0; x < size; x++) {
                    double r = Math.hypot(x - cx, y - cy) / radius;
                    for (int c = 0; c < channels; c++) {
                        pixels[at++] = (float) ((channels == 1 ? 1 : 0.3 + 0.7 * tint[c]) * Math.exp(-r * r));
                    }
                }
            }
        }
        return new ImageBatch(count, size, size, channels, pixels);
    }
}
