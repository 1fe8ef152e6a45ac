package dev.rote.tools.study;

import dev.rote.data.Extent;
import dev.rote.errors.DataException;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import dev.rote.storage.TensorType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;

/// The samples of one measurement as a run stored them: `samples/STEP.safetensors`.
///
/// @param file where they are
/// @param count N
/// @param extent H, W, C of an image
/// @param planar [N,C,H,W] in network units without the data's mean
/// @param mean of the data in network units
/// @param nearest number of each sample's nearest training image [N]
/// @param ratios distance to the nearest over that to the second nearest training image [N]
record StoredSamples(Path file, int count, Extent extent, float[] planar, float mean, int[] nearest, double[] ratios) {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /// @throws DataException when the file holds something else
    static StoredSamples read(Path path) {
        try (SafeTensorsFile file = SafeTensors.open(path)) {
            long[] shape = file.entry("samples").shape();
            if (shape.length != 4
                    || shape[0] < 1
                    || shape[1] < 1
                    || shape[2] < 1
                    || shape[3] < 1
                    || (shape[1] != 1 && shape[1] != 3 && shape[2] * shape[3] != 1)
                    || Arrays.stream(shape).anyMatch(d -> d > 1 << 20)) {
                throw DataException.expected(
                        path,
                        "tensor samples",
                        "[N,C,H,W] with C of 1 or 3, or points [N,d,1,1]",
                        Arrays.toString(shape));
            }
            int count = (int) shape[0];
            require(path, file, "nearest", TensorType.I32, count);
            require(path, file, "distance", TensorType.F64, count);
            MemorySegment indices = file.data("nearest");
            MemorySegment distances = file.data("distance");
            int[] nearest = new int[count];
            double[] ratios = new double[count];
            for (int i = 0; i < count; i++) {
                nearest[i] = indices.get(INT, 8L * i);
                double first = distances.get(DOUBLE, 16L * i);
                ratios[i] = first == 0 ? 0 : first / distances.get(DOUBLE, 16L * i + 8);
            }
            Extent extent = new Extent((int) shape[2], (int) shape[3], (int) shape[1]);
            return new StoredSamples(path, count, extent, file.floats("samples"), mean(path, file), nearest, ratios);
        }
    }

    private static void require(Path path, SafeTensorsFile file, String name, TensorType type, int count) {
        SafeTensorsFile.Entry entry = file.entry(name);
        if (entry.type() != type || !Arrays.equals(entry.shape(), new long[] {count, 2})) {
            throw DataException.expected(
                    path,
                    "tensor " + name,
                    type + " [" + count + ", 2]",
                    entry.type() + " " + Arrays.toString(entry.shape()));
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

    /// Whether they are points of d values and no pictures.
    boolean points() {
        return extent.height() * extent.width() == 1;
    }

    /// Share of all samples with a ratio below `k`.
    double copies(double k) {
        return (double) Arrays.stream(ratios).filter(ratio -> ratio < k).count() / count;
    }

    /// @throws DataException when the samples are no relatives of such a training set
    void requireNeighboursIn(Extent images, int training) {
        if (!extent.equals(images)) {
            throw DataException.expected(file, "tensor samples", "images of " + images, extent.toString());
        }
        for (int i = 0; i < count; i++) {
            if (nearest[i] < 0 || nearest[i] >= training) {
                throw DataException.expected(
                        file,
                        "tensor nearest",
                        "training images 0 to " + (training - 1),
                        nearest[i] + " for sample " + i);
            }
        }
    }
}
