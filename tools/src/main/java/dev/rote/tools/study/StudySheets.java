package dev.rote.tools.study;

import dev.rote.config.DataConfig;
import dev.rote.config.TomlText;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.errors.DataException;
import dev.rote.errors.EnvironmentException;
import dev.rote.tools.cli.Images;
import dev.rote.tools.report.ImageBatch;
import dev.rote.tools.report.Lettering;
import dev.rote.tools.report.NeighbourSheet;
import dev.rote.tools.report.ProjectionSheet;
import dev.rote.tools.report.SampleSheet;
import dev.rote.tools.report.Sheet;
import dev.rote.tools.report.SheetHeader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Draws the sheets of runs from the samples that they stored: a grid of samples, and samples beside their nearest
/// training images with copies framed.
///
/// The source images are read when a sheet is drawn that is not there yet, and only then. Where they cannot be, the
/// sheet shows the samples alone.
final class StudySheets {
    /// Pictures on a sheet; stored samples beyond them are left out.
    private static final int MOST = 32;

    private static final int PER_ROW = 8;

    private final double k;
    private final List<String> problems = new ArrayList<>();
    private boolean sourceFailed;

    /// @param k distance ratio below which a sample counts as a copy
    StudySheets(double k) {
        this.k = k;
    }

    /// What could not be drawn and why, one sentence each.
    List<String> problems() {
        return List.copyOf(problems);
    }

    /// Draws what is not drawn yet and lists all sheets of the run, in the order of steps. Without [Lettering] only
    /// those that are there are listed.
    List<Sheet> of(Path folder, Grid.Run run) {
        List<Sheet> sheets = new ArrayList<>();
        List<Integer> missing = storedSteps(folder).stream()
                .filter(step -> !Files.exists(neighbours(folder, step)))
                .filter(step -> Lettering.missing().isEmpty())
                .toList();
        try (Source source = missing.isEmpty() ? new Source(Optional.empty()) : source(run)) {
            for (int step : storedSteps(folder)) {
                try {
                    sheets.add(sheet(folder, run, step, source.data()));
                } catch (DataException e) {
                    problems.add("A sheet of run " + run.name() + " is left out: " + e.getMessage() + ".");
                }
            }
        }
        sheets.removeIf(sheet -> !Files.exists(sheet.file()));
        return sheets;
    }

    /// Draws what is not drawn yet, beside images that are at hand.
    ///
    /// @throws DataException if stored samples are damaged or of other images
    void draw(Path folder, Grid.Run run, TrainingData data) {
        for (int step : storedSteps(folder)) {
            sheet(folder, run, step, Optional.of(data));
        }
    }

    /// The images of a run, if they can be read.
    private record Source(Optional<TrainingData> data) implements AutoCloseable {
        @Override
        public void close() {
            data.ifPresent(TrainingData::close);
        }
    }

    private Source source(Grid.Run run) {
        try {
            return new Source(Optional.of(Images.load(run.config().data())));
        } catch (DataException | EnvironmentException e) {
            if (!sourceFailed) {
                problems.add("Sheets show samples without their nearest training images, which could not be read: "
                        + e.getMessage() + ".");
            }
            sourceFailed = true;
            return new Source(Optional.empty());
        }
    }

    private Path neighbours(Path folder, int step) {
        return folder.resolve("samples").resolve(step + "-neighbours" + ending());
    }

    /// Frames depend on k; the usual one has no place in the name.
    private String ending() {
        return Math.abs(k - 1.0 / 3) < 1e-9 ? ".png" : "-k" + TomlText.number(k) + ".png";
    }

    private Sheet sheet(Path folder, Grid.Run run, int step, Optional<TrainingData> data) {
        Path samples = folder.resolve("samples").resolve(step + "-samples" + ending());
        Path neighbours = neighbours(folder, step);
        if (!Files.exists(neighbours) && Lettering.missing().isEmpty()) {
            StoredSamples stored = StoredSamples.read(folder.resolve("samples").resolve(step + ".safetensors"));
            SheetHeader header = new SheetHeader(run.name(), step, stored.copies(k));
            if (stored.points()) {
                ProjectionSheet.writePng(neighbours, header, points(stored, data));
                return pointSheet(run, step, neighbours);
            }
            ImageBatch images = shown(stored, run.config().data());
            SampleSheet.writePng(samples, header, images, List.of(), PER_ROW);
            data.ifPresent(real -> {
                NeighbourSheet.Matches matches = new NeighbourSheet.Matches(
                        images,
                        originals(stored, real, images.count()),
                        Optional.empty(),
                        IntStream.range(0, images.count())
                                .mapToObj(i -> stored.ratios()[i])
                                .toList(),
                        k);
                NeighbourSheet.writePng(neighbours, header, matches, PER_ROW / 2);
            });
        }
        if (run.config().data().isMixture()) {
            return pointSheet(run, step, neighbours);
        }
        String title = run.name() + ", step " + step;
        return Files.exists(neighbours)
                ? new Sheet(
                        title + ": samples and nearest training images",
                        "Left of each pair a generated image, right its nearest training image; below, the ratio of the"
                                + " distances to the nearest and the second nearest. Copies (ratio below "
                                + (Math.abs(k - 1.0 / 3) < 1e-9 ? "1/3" : k) + ") are framed.",
                        neighbours)
                : new Sheet(title + ": samples", "Their nearest training images could not be read.", samples);
    }

    private static Sheet pointSheet(Grid.Run run, int step, Path file) {
        return new Sheet(
                run.name() + ", step " + step + ": samples among the training points",
                "Across, the projection on the direction between the two clouds; upwards, one at right angles to it."
                        + " Copies are framed.",
                file);
    }

    private ProjectionSheet.Points points(StoredSamples stored, Optional<TrainingData> data) {
        float[] samples = stored.planar().clone();
        for (int i = 0; i < samples.length; i++) {
            samples[i] += stored.mean();
        }
        return new ProjectionSheet.Points(
                stored.extent().size(),
                samples,
                data.map(StudySheets::trainingPoints),
                Arrays.stream(stored.ratios()).boxed().toList(),
                k);
    }

    private static float[] trainingPoints(TrainingData data) {
        Dataset train = data.train();
        int size = train.extent().size();
        float[] points = new float[train.count() * size];
        for (int i = 0; i < train.count(); i++) {
            System.arraycopy(train.image(i), 0, points, i * size, size);
        }
        return points;
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

    /// The first stored samples, from planar network units without the mean to interleaved [0, 1].
    private static ImageBatch shown(StoredSamples stored, DataConfig data) {
        int shown = Math.min(MOST, stored.count());
        int size = stored.extent().size();
        int channels = stored.extent().channels();
        int pixels = size / channels;
        float low = (float) data.low();
        float span = (float) data.high() - low;
        float[] drawn = new float[shown * size];
        for (int i = 0; i < drawn.length; i++) {
            int image = i / size;
            int at = i % size;
            float x = stored.planar()[image * size + at % channels * pixels + at / channels];
            drawn[i] = Math.clamp((x + stored.mean() - low) / span, 0f, 1f);
        }
        return batch(shown, stored.extent(), drawn);
    }

    private static ImageBatch originals(StoredSamples stored, TrainingData data, int shown) {
        Dataset train = data.train();
        stored.requireNeighboursIn(train.extent(), train.count());
        int size = train.extent().size();
        float[] originals = new float[shown * size];
        for (int i = 0; i < shown; i++) {
            System.arraycopy(train.image(stored.nearest()[i]), 0, originals, i * size, size);
        }
        return batch(shown, train.extent(), originals);
    }

    private static ImageBatch batch(int count, Extent extent, float[] pixels) {
        return new ImageBatch(count, extent.height(), extent.width(), extent.channels(), pixels);
    }
}
