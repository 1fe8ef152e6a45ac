package dev.rote.tools.study;

import dev.rote.data.Dataset;
import dev.rote.data.TrainingData;
import dev.rote.errors.EnvironmentException;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import dev.rote.tools.report.ImageBatch;
import dev.rote.tools.report.NeighbourSheet;
import dev.rote.tools.report.SampleSheet;
import dev.rote.tools.report.Sheet;
import dev.rote.tools.report.SheetHeader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Draws the sheets of a run from the samples that it stored: a grid of samples, and samples beside their nearest
/// training images with copies framed.
final class StudySheets {
    /// Pictures on a sheet; stored samples beyond them are left out.
    private static final int MOST = 32;

    private static final int PER_ROW = 8;

    private StudySheets() {}

    /// Draws what is not drawn yet and lists all sheets of the run, in the order of steps.
    static List<Sheet> draw(Path folder, Grid.Run run, TrainingData data, double k) {
        List<Sheet> sheets = new ArrayList<>();
        for (int step : storedSteps(folder)) {
            Path samples = folder.resolve("samples").resolve(step + "-samples.png");
            Path neighbours = folder.resolve("samples").resolve(step + "-neighbours.png");
            if (!Files.exists(samples) || !Files.exists(neighbours)) {
                draw(folder.resolve("samples").resolve(step + ".safetensors"), run, step, data, k, samples, neighbours);
            }
            sheets.add(new Sheet(
                    run.name() + ", step " + step + ": samples and nearest training images",
                    "Left of each pair a generated image, right its nearest training image; below, the ratio of the"
                            + " distances to the nearest and the second nearest. Copies (ratio below "
                            + (Math.abs(k - 1.0 / 3) < 1e-9 ? "1/3" : k) + ") are framed.",
                    neighbours));
        }
        return sheets;
    }

    private static List<Integer> storedSteps(Path folder) {
        Path samples = folder.resolve("samples");
        if (!Files.isDirectory(samples)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(samples)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.matches("[0-9]{1,9}\\.safetensors"))
                    .map(name -> Integer.parseInt(name.substring(0, name.indexOf('.'))))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new EnvironmentException("cannot list " + samples + ": " + e.getMessage(), e);
        }
    }

    private static void draw(
            Path stored, Grid.Run run, int step, TrainingData data, double k, Path samplesPng, Path neighboursPng) {
        Dataset train = data.train();
        try (SafeTensorsFile file = SafeTensors.open(stored)) {
            float[] planar = file.floats("samples");
            MemorySegment nearest = file.data("nearest");
            MemorySegment distance = file.data("distance");
            int size = train.extent().size();
            int count = planar.length / size;
            int shown = Math.min(MOST, count);
            int copies = 0;
            double[] ratios = new double[count];
            for (int i = 0; i < count; i++) {
                double first = distance.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 16L * i);
                double second = distance.get(ValueLayout.JAVA_DOUBLE_UNALIGNED, 16L * i + 8);
                ratios[i] = first == 0 ? 0 : first / second;
                copies += ratios[i] < k ? 1 : 0;
            }
            float[] drawn = new float[shown * size];
            float[] originals = new float[shown * size];
            for (int i = 0; i < shown; i++) {
                unit(planar, i, data, drawn);
                float[] original = train.image(nearest.get(ValueLayout.JAVA_INT_UNALIGNED, 8L * i));
                System.arraycopy(original, 0, originals, i * size, size);
            }
            SheetHeader header = new SheetHeader(run.name(), step, (double) copies / count);
            ImageBatch images = batch(shown, train, drawn);
            SampleSheet.writePng(samplesPng, header, images, List.of(), PER_ROW);
            NeighbourSheet.Matches matches = new NeighbourSheet.Matches(
                    images,
                    batch(shown, train, originals),
                    Optional.empty(),
                    IntStream.range(0, shown).mapToObj(i -> ratios[i]).toList(),
                    k);
            NeighbourSheet.writePng(neighboursPng, header, matches, PER_ROW / 2);
        }
    }

    /// Planar network units to interleaved [0,1].
    private static void unit(float[] planar, int image, TrainingData data, float[] out) {
        Dataset train = data.train();
        int channels = train.channels();
        int size = train.extent().size();
        int pixels = size / channels;
        float low = data.options().low();
        float span = data.options().high() - low;
        for (int i = 0; i < size; i++) {
            float x = planar[image * size + i % channels * pixels + i / channels];
            out[image * size + i] = Math.clamp((x + data.mean() - low) / span, 0f, 1f);
        }
    }

    private static ImageBatch batch(int count, Dataset like, float[] pixels) {
        return new ImageBatch(count, like.height(), like.width(), like.channels(), pixels);
    }
}
