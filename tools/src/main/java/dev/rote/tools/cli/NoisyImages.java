package dev.rote.tools.cli;

import dev.rote.errors.DataException;
import dev.rote.nn.UNetConfig;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import dev.rote.storage.TensorType;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;

/// What a prediction is asked for.
///
/// @param file where it comes from
/// @param x noisy images [N,C,H,W]
/// @param t diffusion times [N], finite
record NoisyImages(Path file, float[] x, float[] t, int channels, int height, int width) {
    private static final Set<TensorType> TIMES = Set.of(TensorType.I64, TensorType.I32, TensorType.F32);

    /// Reads the tensors `x` and `t`; others are ignored.
    ///
    /// @throws DataException naming the tensor, what was expected and what was found
    static NoisyImages read(Path path) {
        try (SafeTensorsFile file = SafeTensors.open(path)) {
            SafeTensorsFile.Entry images = file.entry("x");
            long[] shape = images.shape();
            if (images.type() != TensorType.F32
                    || shape.length != 4
                    || Arrays.stream(shape).min().orElse(0) < 1) {
                throw wrong(path, "x", "F32 [N,C,H,W] with no dimension of 0", images);
            }
            SafeTensorsFile.Entry times = file.entry("t");
            if (!TIMES.contains(times.type()) || !Arrays.equals(times.shape(), new long[] {shape[0]})) {
                throw wrong(path, "t", "I64, I32 or F32 [" + shape[0] + "]", times);
            }
            return new NoisyImages(
                    path, finite(path, file, "x"), finite(path, file, "t"), (int) shape[1], (int) shape[2], (int)
                            shape[3]);
        }
    }

    private static float[] finite(Path path, SafeTensorsFile file, String name) {
        float[] values = file.floats(name);
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw DataException.expected(
                        path, "tensor " + name + ", element " + i, "a finite number", values[i] + "");
            }
        }
        return values;
    }

    private static DataException wrong(Path path, String name, String expected, SafeTensorsFile.Entry found) {
        return DataException.expected(
                path, "tensor " + name, expected, found.type() + " " + Arrays.toString(found.shape()));
    }

    int count() {
        return t.length;
    }

    /// @throws DataException if the network cannot read these images
    void require(UNetConfig network) {
        if (network.classes() > 0) {
            throw DataException.expected(
                    file, "labels", "a network without classes", "one with " + network.classes() + " classes");
        }
        int multiple = 1 << (network.levels() - 1);
        if (channels != network.inChannels() || height % multiple != 0 || width % multiple != 0) {
            throw DataException.expected(
                    file,
                    "tensor x",
                    "[N," + network.inChannels() + ",H,W] with H and W divisible by " + multiple + ", as the network",
                    Arrays.toString(new int[] {count(), channels, height, width}));
        }
        int rows = network.tableRows();
        for (int i = 0; rows > 0 && i < t.length; i++) {
            if (t[i] != (int) t[i] || t[i] < 0 || t[i] >= rows) {
                throw DataException.expected(
                        file,
                        "tensor t, element " + i,
                        "a whole number from 0 to " + (rows - 1) + ", a row of this network's table of times",
                        t[i] + "");
            }
        }
    }

    /// The images with channels innermost [N,H,W,C].
    float[] nhwc() {
        return transpose(x, count(), channels, height * width);
    }

    /// `in` [count,rows,columns] with the last two axes exchanged.
    static float[] transpose(float[] in, int count, int rows, int columns) {
        float[] out = new float[in.length];
        for (int n = 0; n < count; n++) {
            int start = n * rows * columns;
            for (int row = 0; row < rows; row++) {
                for (int column = 0; column < columns; column++) {
                    out[start + column * rows + row] = in[start + row * columns + column];
                }
            }
        }
        return out;
    }
}
