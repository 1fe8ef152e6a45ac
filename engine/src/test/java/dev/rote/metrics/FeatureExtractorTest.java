package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;

class FeatureExtractorTest {
    private static final int SIDE = 14; // Fashion-MNIST, 2 x 2 pixels averaged
    private static final int PIXELS = SIDE * SIDE;
    private static final int REFERENCES = 1500;
    private static final int SAMPLES = 500;

    @Test
    void distanceGrowsWithNoiseBlurAndDroppedClasses() throws IOException, InterruptedException {
        Images images = Images.read();
        Rows reference = Rows.of(images.pixels(0, REFERENCES), PIXELS);
        for (FeatureExtractor extractor :
                List.of(FeatureExtractor.standIn(SIDE, SIDE, 1), PixelPca.fit(reference, 2))) {
            FrechetStatistics real = FrechetStatistics.of(extractor.features(reference, 2), 2);
            float[] clean = images.pixels(5000, SAMPLES);
            double floor = distance(extractor, real, clean);
            double[] noise = new double[4];
            double[] blur = new double[4];
            double[] classes = new double[4];
            for (int i = 0; i < 4; i++) {
                noise[i] = distance(extractor, real, noisy(clean, new double[] {0.05, 0.15, 0.3, 0.5}[i]));
                blur[i] = distance(extractor, real, blurred(clean, 1 + i));
                classes[i] = distance(extractor, real, images.ofClasses(new int[] {8, 6, 4, 1}[i]));
            }
            assertThat(noise).as(extractor.name()).isSorted();
            assertThat(blur).as(extractor.name()).isSorted();
            assertThat(classes).as(extractor.name()).isSorted();
            assertThat(noise[3]).isGreaterThan(2 * floor);
            assertThat(blur[0]).isGreaterThan(1.5 * floor);
            assertThat(classes[0]).isGreaterThan(2 * floor);
            if (extractor instanceof RandomConvolution) {
                assertThat(noise[0]).isGreaterThan(2 * floor); // why it is the default
            } else {
                assertThat(noise[0]).isLessThan(1.1 * floor);
            }
        }
    }

    @Test
    void featuresDoNotDependOnTheNumberOfThreads() throws InterruptedException {
        SplitMix64 random = new SplitMix64(1);
        float[] pixels = new float[30 * 7 * 5 * 3];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) random.nextDouble();
        }
        Rows images = Rows.of(pixels, 7 * 5 * 3);
        for (int threads : new int[] {2, 5}) {
            FeatureExtractor one = new RandomConvolution(7, 5, 3);
            FeatureExtractor several = new RandomConvolution(7, 5, 3);
            requireEqual(one.features(images, 1), several.features(images, threads));
            requireEqual(
                    PixelPca.fit(images, 9, 1).features(images, 1),
                    PixelPca.fit(images, 9, threads).features(images, threads));
        }
    }

    /// Two strong directions in four dimensions: their projections must carry the variances 9 and 4.
    @Test
    void principalComponentsAreThoseOfTheData() throws InterruptedException {
        SplitMix64 random = new SplitMix64(2);
        float[] rows = new float[2000 * 4];
        for (int i = 0; i < 2000; i++) {
            double a = 3 * random.nextGaussian();
            double b = 2 * random.nextGaussian();
            rows[4 * i] = (float) (0.6 * a - 0.8 * b + 5);
            rows[4 * i + 1] = (float) (0.8 * a + 0.6 * b - 1);
            rows[4 * i + 2] = (float) (0.01 * random.nextGaussian());
        }
        PixelPca pca = PixelPca.fit(Rows.of(rows, 4), 2, 1);
        Rows features = pca.features(Rows.of(rows, 4), 1);
        FrechetStatistics s = FrechetStatistics.of(features, 1);
        assertThat(s.mean()[0]).isCloseTo(0, within(1e-5));
        assertThat(s.covariance()[0]).isCloseTo(9, within(0.6));
        assertThat(s.covariance()[3]).isCloseTo(4, within(0.3));
        assertThat(s.covariance()[1]).isCloseTo(0, within(1e-5));
    }

    @Test
    void namesSayThatItIsNotFid() throws InterruptedException {
        PixelPca pca = PixelPca.fit(Rows.of(new float[] {0, 1, 1, 0, 1, 1}, 2), 64, 1);
        assertThat(pca.name()).contains("not FID");
        assertThat(pca.dimension()).isEqualTo(2);
        assertThat(FeatureExtractor.standIn(8, 8, 1).name()).contains("not FID");
    }

    @Test
    void refusesImagesOfAnotherSize() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new RandomConvolution(8, 8, 1).features(Rows.of(new float[32], 32), 1))
                .withMessageContaining("expected images of 8 x 8 x 1 = 64 values, got 32");
        assertThatIllegalArgumentException().isThrownBy(() -> new RandomConvolution(3, 8, 1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> PixelPca.fit(Rows.of(new float[8], 2), 1, 1).features(Rows.of(new float[3], 3), 1));
    }

    private static void requireEqual(Rows a, Rows b) {
        assertThat(a.values().mismatch(b.values())).isEqualTo(-1);
    }

    private static double distance(FeatureExtractor extractor, FrechetStatistics real, float[] samples)
            throws InterruptedException {
        Rows features = extractor.features(Rows.of(samples, PIXELS), 2);
        return FrechetDistance.between(real, FrechetStatistics.of(features, 2));
    }

    private static float[] noisy(float[] images, double sigma) {
        SplitMix64 random = new SplitMix64(3);
        float[] noisy = images.clone();
        for (int i = 0; i < noisy.length; i++) {
            noisy[i] += (float) (sigma * random.nextGaussian());
        }
        return noisy;
    }

    /// `passes` times the filter (1 2 1)/4 along rows (cyclic; the margins are dark).
    private static float[] blurred(float[] images, int passes) {
        float[] from = images;
        for (int pass = 0; pass < passes; pass++) {
            float[] to = new float[from.length];
            for (int i = 0; i < to.length; i++) {
                int left = i - i % SIDE + (i + SIDE - 1) % SIDE;
                int right = i - i % SIDE + (i + 1) % SIDE;
                to[i] = 0.25f * (from[left] + 2 * from[i] + from[right]);
            }
            from = to;
        }
        return from;
    }

    private record Images(byte[] pixels, byte[] labels) {
        static Images read() throws IOException {
            return new Images(resource("t10k-images-idx3-ubyte.gz", 16), resource("t10k-labels-idx1-ubyte.gz", 8));
        }

        private static byte[] resource(String name, int header) throws IOException {
            try (InputStream raw = Images.class.getResourceAsStream("/dev/rote/data/fashion-mnist/" + name);
                    InputStream in = new GZIPInputStream(raw)) {
                in.skipNBytes(header);
                return in.readAllBytes();
            }
        }

        float[] pixels(int first, int count) {
            float[] images = new float[count * PIXELS];
            for (int i = 0; i < count; i++) {
                copy(first + i, images, i);
            }
            return images;
        }

        /// SAMPLES images with labels below `classes`.
        float[] ofClasses(int classes) {
            float[] images = new float[SAMPLES * PIXELS];
            int found = 0;
            for (int i = REFERENCES; found < SAMPLES; i++) {
                if (labels[i] < classes) {
                    copy(i, images, found++);
                }
            }
            return Arrays.copyOf(images, found * PIXELS);
        }

        private void copy(int image, float[] to, int row) {
            for (int p = 0; p < PIXELS; p++) {
                int at = image * 784 + p / SIDE * 56 + p % SIDE * 2;
                int sum =
                        (pixels[at] & 255) + (pixels[at + 1] & 255) + (pixels[at + 28] & 255) + (pixels[at + 29] & 255);
                to[row * PIXELS + p] = sum / 1020f;
            }
        }
    }
}
