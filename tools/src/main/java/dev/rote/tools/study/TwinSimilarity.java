package dev.rote.tools.study;

import dev.rote.config.DataConfig;
import dev.rote.errors.DataException;
import dev.rote.metrics.CosineSimilarity;
import dev.rote.metrics.Interval;
import dev.rote.metrics.Rows;
import dev.rote.metrics.StudentT;
import dev.rote.tools.report.Curve;
import dev.rote.tools.report.Point;
import dev.rote.tools.report.Quantity;
import dev.rote.tools.report.RunCurves;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Two-model similarity where a study varies `data.index`: runs that differ in nothing else learn disjoint blocks of
/// images and draw their samples from the same noise. While they generalise they draw nearly the same images, once they
/// memorize they do not (Kadkhodaie et al. 2024, arXiv:2310.02557). Read from the samples that both have stored, so
/// `measure.sheets` says at which steps, and neither run waits for the other.
final class TwinSimilarity {
    private static final String INDEX = "data.index";

    private final Path folder;
    private final List<String> problems = new ArrayList<>();

    /// @param folder of the study
    TwinSimilarity(Path folder) {
        this.folder = folder;
    }

    /// Files that are not what they must be, one sentence each.
    List<String> problems() {
        return List.copyOf(problems);
    }

    /// The runs, those of a later block with their similarity to the run of the first block.
    List<RunCurves> added(StudyFile study, List<RunCurves> runs) {
        if (!study.grid().keys().contains(INDEX)) {
            return runs;
        }
        Map<Map<String, String>, Grid.Run> firsts = new HashMap<>();
        Map<String, Grid.Run> twins = new HashMap<>();
        for (Grid.Run run : study.runs()) {
            Map<String, String> rest = new LinkedHashMap<>(run.point());
            rest.remove(INDEX);
            Grid.Run first = firsts.computeIfAbsent(rest, key -> run);
            if (!first.name().equals(run.name())) {
                twins.put(run.name(), first);
            }
        }
        Map<String, Grid.Run> planned = new HashMap<>();
        study.runs().forEach(run -> planned.put(run.name(), run));
        return runs.stream()
                .map(run ->
                        twins.containsKey(run.name()) ? with(run, planned.get(run.name()), twins.get(run.name())) : run)
                .toList();
    }

    private RunCurves with(RunCurves curves, Grid.Run run, Grid.Run twin) {
        Quantity quantity = Quantity.Metric.SIMILARITY;
        if (curves.curve(quantity).isPresent()) {
            return curves;
        }
        List<Point> points = new ArrayList<>();
        for (int step : run.config().measurementSteps()) {
            Path own = samples(run, step);
            Path other = samples(twin, step);
            if (Files.exists(own) && Files.exists(other)) {
                try {
                    Interval found = similarity(
                            StoredSamples.read(own),
                            StoredSamples.read(other),
                            run.config().data());
                    points.add(new Point(step, found.value(), found.low(), found.high()));
                } catch (DataException e) {
                    problems.add("Two-model similarity of run " + run.name() + " at step " + step + " is left out: "
                            + e.getMessage());
                }
            }
        }
        if (points.isEmpty()) {
            return curves;
        }
        List<Curve> all = new ArrayList<>(curves.curves());
        all.add(new Curve(quantity, points));
        return new RunCurves(
                curves.name(),
                curves.keys(),
                curves.n(),
                curves.status(),
                all,
                curves.times(),
                curves.baseRates(),
                curves.samples());
    }

    private Path samples(Grid.Run run, int step) {
        return folder.resolve("runs").resolve(run.name()).resolve("samples").resolve(step + ".safetensors");
    }

    private static Interval similarity(StoredSamples own, StoredSamples other, DataConfig data) {
        if (!own.extent().equals(other.extent())) {
            throw DataException.expected(
                    other.file(),
                    "tensor samples",
                    "images of " + own.extent(),
                    other.extent().toString());
        }
        int pairs = Math.min(own.count(), other.count());
        double[] cosines = CosineSimilarity.ofPairs(pixels(own, pairs, data), pixels(other, pairs, data));
        return StudentT.mean(cosines, 0.95);
    }

    /// Images in 0 .. 1 as a picture file would hold them. The order of their values does not matter to a cosine.
    private static Rows pixels(StoredSamples samples, int count, DataConfig data) {
        int size = samples.extent().size();
        float[] values = new float[count * size];
        double span = data.high() - data.low();
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) Math.clamp((samples.planar()[i] + samples.mean() - data.low()) / span, 0, 1);
        }
        return Rows.of(values, size);
    }
}
