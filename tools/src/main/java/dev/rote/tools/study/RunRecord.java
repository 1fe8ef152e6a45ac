package dev.rote.tools.study;

import dev.rote.storage.JsonLines;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// What a run's `metrics.jsonl` says, read back.
///
/// @param step last step that any record speaks of
/// @param complete the run reached its last step
/// @param losses step and mean training loss
/// @param baseRates fractions of held-out images
/// @param measurements in growing order of steps
record RunRecord(
        int step,
        boolean complete,
        List<double[]> losses,
        List<Fraction> baseRates,
        List<Measured> measurements,
        Optional<String> device) {
    /// A share with its 95 % interval.
    record Fraction(double k, double value, double low, double high) {}

    /// A loss with its 95 % interval.
    record Loss(double value, double low, double high) {}

    /// One measurement.
    record Measured(
            int step,
            int samples,
            List<Fraction> fractions,
            double[] ratios,
            Optional<Double> frechet,
            String features,
            Map<Double, Loss> train,
            Map<Double, Loss> test) {}

    /// Reads a run folder; one that has not begun gives an empty record.
    static RunRecord read(Path folder) {
        Path file = folder.resolve("metrics.jsonl");
        List<ObjectNode> lines = Files.exists(file) ? JsonLines.read(file) : List.of();
        int step = 0;
        boolean complete = false;
        List<double[]> losses = new ArrayList<>();
        List<Fraction> baseRates = new ArrayList<>();
        TreeMap<Integer, Measured> measurements = new TreeMap<>();
        Optional<String> device = Optional.empty();
        for (ObjectNode line : lines) {
            int at = line.path("step").asInt(0);
            step = Math.max(step, at);
            switch (line.path("kind").asString("")) {
                case "start" -> device = Optional.of(line.path("device").asString(""));
                case "train" -> losses.add(new double[] {at, number(line.path("loss"))});
                case "base_rate" -> baseRates.addAll(fractions(line.path("memorized_fraction")));
                case "measure" -> measurements.put(at, measured(at, line));
                case "end" -> complete = true;
                default -> {}
            }
        }
        return new RunRecord(step, complete, losses, baseRates, List.copyOf(measurements.values()), device);
    }

    private static Measured measured(int step, JsonNode line) {
        JsonNode ratioList = line.path("ratios");
        double[] ratios = new double[ratioList.size()];
        for (int i = 0; i < ratios.length; i++) {
            ratios[i] = number(ratioList.get(i));
        }
        Map<Double, Loss> train = new TreeMap<>();
        Map<Double, Loss> test = new TreeMap<>();
        for (JsonNode entry : line.path("losses")) {
            train.put(entry.path("t").asDouble(), loss(entry.path("train")));
            if (entry.has("test")) {
                test.put(entry.path("t").asDouble(), loss(entry.path("test")));
            }
        }
        JsonNode frechet = line.path("frechet");
        return new Measured(
                step,
                line.path("samples").asInt(0),
                fractions(line.path("memorized_fraction")),
                ratios,
                frechet.has("value") ? Optional.of(number(frechet.path("value"))) : Optional.empty(),
                frechet.path("features").asString(""),
                train,
                test);
    }

    private static List<Fraction> fractions(JsonNode list) {
        List<Fraction> fractions = new ArrayList<>();
        for (JsonNode entry : list) {
            fractions.add(new Fraction(
                    number(entry.path("k")),
                    number(entry.path("value")),
                    number(entry.path("low")),
                    number(entry.path("high"))));
        }
        return fractions;
    }

    private static Loss loss(JsonNode entry) {
        return new Loss(number(entry.path("value")), number(entry.path("low")), number(entry.path("high")));
    }

    /// Infinities and NaN are written as strings.
    private static double number(JsonNode node) {
        return node.isNumber() ? node.asDouble() : Double.parseDouble(node.asString("NaN"));
    }
}
