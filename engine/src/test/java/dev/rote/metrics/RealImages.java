package dev.rote.metrics;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.zip.GZIPInputStream;

/// Real images as rows of values in 0 to 1, and near-copies of them.
public final class RealImages {
    /// Standard deviations of what near-copies differ by; 0 for exact duplicates.
    public static final double[] NOISES = {0, 1 / 255., 0.02, 0.3};

    private static final int PIXELS = 28 * 28;
    private static final int HEADER = 16;
    private static final int FACES = 12_288;
    private static final int FACE = 32 * 32;

    private RealImages() {}

    /// From the test images of Fashion-MNIST: the middle `d` pixels of each of the first `n`; where an image has fewer,
    /// as many whole images one after the other as hold `d`.
    ///
    /// @return `[n, d]`
    public static float[] fashion(int n, int d) {
        int stride = Math.ceilDiv(d, PIXELS) * PIXELS;
        int skipped = d < PIXELS ? (PIXELS - d) / 2 : 0;
        try (InputStream packed =
                        RealImages.class.getResourceAsStream("/dev/rote/data/fashion-mnist/t10k-images-idx3-ubyte.gz");
                InputStream images = new GZIPInputStream(packed)) {
            images.skipNBytes(HEADER);
            byte[] bytes = images.readNBytes(n * stride);
            float[] rows = new float[n * d];
            for (int i = 0; i < rows.length; i++) {
                rows[i] = Byte.toUnsignedInt(bytes[i / d * stride + skipped + i % d]) / 255f;
            }
            return rows;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The first `n` gray faces of 32x32 pixels in the folder that `rote.shared` names, if it is there.
    ///
    /// @return `[n, 1024]`
    public static Optional<float[]> faces(int n) {
        Path file = Path.of(System.getProperty("rote.shared", "../../shared"), "data/celeba12288_gray32.npy");
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (InputStream images = Files.newInputStream(file)) {
            images.skipNBytes(Files.size(file) - (long) FACES * FACE);
            byte[] bytes = images.readNBytes(n * FACE);
            float[] rows = new float[bytes.length];
            for (int i = 0; i < rows.length; i++) {
                rows[i] = Byte.toUnsignedInt(bytes[i]) / 255f;
            }
            return Optional.of(rows);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Near-copies of the first `m` rows, all over again where there are fewer, with normal noise.
    ///
    /// @param rows `[n, d]`
    /// @return `[m, d]`
    public static float[] copies(float[] rows, int d, int m, double noise) {
        Random random = new Random(7);
        float[] copies = new float[m * d];
        for (int i = 0; i < copies.length; i++) {
            copies[i] = (float) (rows[i % rows.length] + noise * random.nextGaussian());
        }
        return copies;
    }

    /// The rows with the first of them once more at their end.
    ///
    /// @param rows `[n, d]`
    /// @return `[n + 1, d]`
    public static float[] withDuplicate(float[] rows, int d) {
        float[] longer = Arrays.copyOf(rows, rows.length + d);
        System.arraycopy(rows, 0, longer, rows.length, d);
        return longer;
    }
}
