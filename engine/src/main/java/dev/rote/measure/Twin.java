package dev.rote.measure;

import dev.rote.data.Extent;
import dev.rote.errors.DataException;
import dev.rote.metrics.CosineSimilarity;
import dev.rote.metrics.Interval;
import dev.rote.metrics.Rows;
import dev.rote.metrics.StudentT;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;

/// Another run that drew its samples from the same noise: one with the same seed, sampler and sampling batch, trained
/// on other images, and measured at the same steps with all sheets.
///
/// @param folder of that run
/// @param extent of an image
/// @param low what black is in network units
/// @param span what white is above it
record Twin(Path folder, Extent extent, float low, float span) {
    /// @throws DataException if there is no such folder, or it has no samples of one of these steps
    static Twin open(String name, Extent extent, float low, float span, Iterable<Integer> steps) {
        try {
            Twin twin = new Twin(Path.of(name), extent, low, span);
            for (int step : steps) {
                if (!Files.isRegularFile(twin.file(step))) {
                    throw DataException.expected(
                            "measure.twin",
                            twin.folder.toString(),
                            "a run that has been measured at the same steps with sheets = \"all\"",
                            "no samples of step " + step);
                }
            }
            return twin;
        } catch (InvalidPathException e) {
            throw DataException.expected("measure.twin", name, "the folder of a run", e.getReason());
        }
    }

    private Path file(int step) {
        return folder.resolve("samples").resolve(step + ".safetensors");
    }

    /// Mean cosine similarity of the samples to those of the twin, with Student's 95 % interval over the pairs.
    ///
    /// @param samples `[n, H*W*C]` in 0 .. 1
    Interval similarity(int step, Rows samples) {
        Rows other = read(step);
        int pairs = Math.min(samples.count(), other.count());
        return StudentT.mean(CosineSimilarity.ofPairs(samples.slice(0, pairs), other.slice(0, pairs)), 0.95);
    }

    /// The twin's samples as a picture file would hold them.
    private Rows read(int step) {
        Path path = file(step);
        try (SafeTensorsFile file = SafeTensors.open(path)) {
            long[] shape = file.entry("samples").shape();
            long[] expected = {shape.length > 0 ? shape[0] : 0, extent.channels(), extent.height(), extent.width()};
            if (!Arrays.equals(shape, expected) || shape[0] < 1) {
                throw DataException.expected(
                        path, "tensor samples", "[N,C,H,W] of images of " + extent, Arrays.toString(shape));
            }
            float[] planar = file.floats("samples");
            float mean = mean(path, file);
            float[] values = new float[planar.length];
            int size = extent.size();
            int pixels = extent.height() * extent.width();
            for (int i = 0; i < values.length; i++) {
                int at = i % size;
                float x = planar[i - at + at % extent.channels() * pixels + at / extent.channels()];
                values[i] = Math.clamp((x + mean - low) / span, 0f, 1f);
            }
            return Rows.of(values, size);
        }
    }

    private static float mean(Path path, SafeTensorsFile file) {
        String text = file.metadata().getOrDefault("mean", "nothing");
        try {
            return Float.parseFloat(text);
        } catch (NumberFormatException e) {
            throw new DataException(path + ": __metadata__ mean: expected a number, found " + text, e);
        }
    }
}
