package dev.rote.tools.study;

import dev.rote.storage.JsonLines;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import tools.jackson.databind.node.ObjectNode;

/// What a run's `metrics.jsonl` says, read back.
///
/// @param step last step that any record speaks of
/// @param ended the run reached the last step that it had then, or a rule stopped it
/// @param losses step and mean training loss
/// @param baseRates fractions of held-out images
/// @param measurements in growing order of steps
/// @param device of the last start
/// @param parameters how many numbers the network learns; empty when the records do not say
/// @param checks signals of a rule for stopping, in growing order of steps
/// @param stop what that rule decided in the end
public record RunRecord(
        int step,
        boolean ended,
        List<double[]> losses,
        List<Fraction> baseRates,
        List<Measured> measurements,
        Optional<String> device,
        OptionalLong parameters,
        List<Check> checks,
        Optional<Stop> stop) {
    /// Whether nothing is left to do. A run that ended may be extended, one that a rule stopped may not.
    ///
    /// @param steps `train.steps` as it is now
    public boolean complete(int steps) {
        return ended && (step >= steps || stop.map(Stop::early).orElse(false));
    }

    /// A look at the signals.
    ///
    /// @param gap (test loss - train loss) / test loss
    /// @param tauMem where the fraction was passed, as known then
    public record Check(int step, OptionalDouble gap, Optional<Estimate> tauMem) {}

    /// The end of a run with a rule for stopping.
    ///
    /// @param early before the last step, because it copied
    /// @param kept step of the model that was kept
    public record Stop(int step, boolean early, OptionalInt kept, String why) {}

    /// A share with Wilson's 95 % interval.
    public record Fraction(double k, double value, double low, double high) {}

    /// A number with its 95 % interval, whose ends are NaN where the record has none.
    public record Estimate(double value, double low, double high) {}

    /// One measurement; `scores` by name and space, such as `kid@features`.
    public record Measured(
            int step,
            int samples,
            List<Fraction> fractions,
            double[] ratios,
            Optional<Estimate> frechet,
            String features,
            Map<Double, Estimate> train,
            Map<Double, Estimate> test,
            Map<String, Estimate> scores) {}

    /// Reads a run folder; one that has not begun gives an empty record.
    ///
    /// @throws dev.rote.errors.DataException with file and line when a record is not what it must be
    public static RunRecord read(Path folder) {
        Path file = folder.resolve("metrics.jsonl");
        List<ObjectNode> lines = Files.exists(file) ? JsonLines.read(file) : List.of();
        int step = 0;
        boolean ended = false;
        List<double[]> losses = new ArrayList<>();
        List<Fraction> baseRates = new ArrayList<>();
        TreeMap<Integer, Measured> measurements = new TreeMap<>();
        Optional<String> device = Optional.empty();
        List<Check> checks = new ArrayList<>();
        Optional<Stop> stop = Optional.empty();
        OptionalLong parameters = OptionalLong.empty();
        for (int i = 0; i < lines.size(); i++) {
            RecordLine line = new RecordLine(file, i + 1, "", lines.get(i));
            int at = line.has("step") ? line.get("step").count() : 0;
            step = Math.max(step, at);
            switch (line.get("kind").text()) {
                case "start" -> {
                    device = Optional.of(line.get("device").text());
                    parameters = line.has("parameters")
                            ? OptionalLong.of(line.get("parameters").count())
                            : OptionalLong.empty();
                }
                case "train" -> {
                    if (!losses.isEmpty() && at < losses.getLast()[0]) {
                        throw line.get("step").wrong("a step after " + (int) losses.getLast()[0]);
                    }
                    losses.add(new double[] {at, line.get("loss").number()});
                }
                case "base_rate" -> baseRates.addAll(fractions(line.get("memorized_fraction")));
                case "measure" -> measurements.put(at, measured(at, line));
                case "end" -> ended = true;
                case "stop" -> {
                    ended = true;
                    stop = Optional.of(stop(at, line));
                }
                case "check" -> checks.add(check(at, line));
                default -> {} // of a later version
            }
        }
        return new RunRecord(
                step,
                ended,
                losses,
                baseRates,
                List.copyOf(measurements.values()),
                device,
                parameters,
                List.copyOf(checks),
                stop);
    }

    private static Check check(int step, RecordLine line) {
        OptionalDouble gap = line.has("gap")
                ? OptionalDouble.of(line.get("gap").between(-Double.MAX_VALUE, 1))
                : OptionalDouble.empty();
        return new Check(
                step, gap, line.has("tau_mem") ? Optional.of(estimate(line.get("tau_mem"), 0)) : Optional.empty());
    }

    private static Stop stop(int step, RecordLine line) {
        OptionalInt kept = line.has("kept") ? OptionalInt.of(line.get("kept").count()) : OptionalInt.empty();
        return new Stop(step, line.get("early").flag(), kept, line.get("why").text());
    }

    private static Measured measured(int step, RecordLine line) {
        double[] ratios = line.has("ratios")
                ? line.get("ratios").list().stream()
                        .mapToDouble(ratio -> ratio.between(0, Double.POSITIVE_INFINITY))
                        .toArray()
                : new double[0];
        Map<Double, Estimate> train = new TreeMap<>();
        Map<Double, Estimate> test = new TreeMap<>();
        for (RecordLine entry : line.has("losses") ? line.get("losses").list() : List.<RecordLine>of()) {
            double t = entry.get("t").between(0, Double.MAX_VALUE);
            train.put(t, estimate(entry.get("train"), 0));
            if (entry.has("test")) {
                test.put(t, estimate(entry.get("test"), Double.MIN_VALUE));
            }
        }
        RecordLine frechet = line.get("frechet");
        return new Measured(
                step,
                line.has("samples") ? line.get("samples").count() : 0,
                line.has("memorized_fraction") ? fractions(line.get("memorized_fraction")) : List.of(),
                ratios,
                line.has("frechet") ? Optional.of(estimate(frechet, 0)) : Optional.empty(),
                line.has("frechet") ? frechet.get("features").text() : "",
                train,
                test,
                scores(line));
    }

    /// By name and space, such as `kid@features`.
    private static Map<String, Estimate> scores(RecordLine line) {
        Map<String, Estimate> scores = new TreeMap<>();
        for (RecordLine entry : line.has("scores") ? line.get("scores").list() : List.<RecordLine>of()) {
            String name = entry.get("name").text() + "@" + entry.get("space").text();
            scores.put(name, estimate(entry, -Double.MAX_VALUE));
        }
        return scores;
    }

    private static List<Fraction> fractions(RecordLine list) {
        List<Fraction> fractions = new ArrayList<>();
        for (RecordLine entry : list.list()) {
            fractions.add(new Fraction(
                    entry.get("k").between(Double.MIN_VALUE, 1),
                    entry.get("value").between(0, 1),
                    entry.get("wilson_low").between(0, 1),
                    entry.get("wilson_high").between(0, 1)));
        }
        return fractions;
    }

    private static Estimate estimate(RecordLine entry, double least) {
        double value = entry.get("value").between(least, Double.MAX_VALUE);
        return entry.has("low") && entry.has("high")
                ? new Estimate(
                        value, entry.get("low").number(), entry.get("high").number())
                : new Estimate(value, Double.NaN, Double.NaN);
    }
}
