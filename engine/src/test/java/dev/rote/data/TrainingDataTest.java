package dev.rote.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.errors.DataException;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainingDataTest {
    @TempDir
    Path folder;

    /// Ten 8-bit images 1 x 2; image i is (10 i, 10 i + 1).
    private String ten() {
        byte[] values = new byte[20];
        for (int k = 0; k < 20; k++) {
            values[k] = (byte) (k / 2 * 10 + k % 2);
        }
        return Samples.write(folder.resolve("ten.npy"), Samples.npy("|u1", false, "10, 1, 2", values))
                .toString();
    }

    private void fails(DataOptions options, String... parts) {
        assertThatThrownBy(() -> TrainingData.load(options))
                .isInstanceOf(DataException.class)
                .hasMessageContainingAll(parts);
    }

    @Test
    void blocksFollowEachOtherAndTheTestSetIsTheEnd() {
        var options = DataOptions.of(ten()).withTest(3);
        try (TrainingData data = TrainingData.load(options.withTrain(2, 2))) {
            assertThat(data.trainIndices()).containsExactly(4, 5);
            assertThat(data.testIndices()).containsExactly(7, 8, 9);
            assertThat(data.train().eightBit()).isTrue();
            assertThat(data.train().image(1)).containsExactly(50 / 255f, 51 / 255f);
            assertThat(data.test().image(0)).containsExactly(70 / 255f, 71 / 255f);
            assertThat(data.mean()).isEqualTo((float) ((40 + 41 + 50 + 51) / 4.0 / 255));
            assertThat(data.train().offset()).isEqualTo(-data.mean());
            assertThat(data.test().offset()).isEqualTo(-data.mean());
        }
        try (TrainingData data = TrainingData.load(options)) {
            assertThat(data.trainIndices()).hasSize(7);
        }
        fails(options.withTrain(2, 3), "8 training (block 3 of 2) and 3 test images", "found 10 images");
        fails(options.withTrain(8, 0), "8 training and 3 test images", "found 10 images");
        fails(options.withTest(10), "1 training and 10 test images");
        fails(options.withTrain(Integer.MAX_VALUE, Integer.MAX_VALUE - 1), "found 10 images");
    }

    @Test
    void aSeedPermutesAllButTheTestSet() {
        var options = DataOptions.of(ten()).withTest(3).withShuffle(42);
        try (TrainingData a = TrainingData.load(options);
                TrainingData b = TrainingData.load(options.withTrain(3, 1));
                TrainingData c = TrainingData.load(options.withShuffle(43))) {
            assertThat(a.trainIndices()).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6);
            assertThat(a.testIndices()).containsExactly(7, 8, 9);
            assertThat(b.trainIndices()).isEqualTo(Arrays.copyOfRange(a.trainIndices(), 3, 6));
            assertThat(c.trainIndices()).isNotEqualTo(a.trainIndices());
            assertThat(a.train().image(0)).startsWith(a.trainIndices()[0] * 10 / 255f);
        }
    }

    /// The first outputs of splitmix64 from seed 1234567, as published with its reference implementation.
    @Test
    void theGeneratorIsSplitmix64() {
        long gamma = 0x9e3779b97f4a7c15L;
        long[] expected = {6457827717110365317L, 3203168211198807973L, -8629252141511181193L};
        for (int k = 0; k < 3; k++) {
            assertThat(Shuffle.mix(1234567L + (k + 1) * gamma)).isEqualTo(expected[k]);
        }
    }

    @Test
    void shufflesAreUniform() {
        int[][] seen = new int[5][5];
        for (int seed = 0; seed < 5000; seed++) {
            int[] order = IntStream.range(0, 5).toArray();
            Shuffle.shuffle(order, seed);
            for (int i = 0; i < 5; i++) {
                seen[i][order[i]]++;
            }
        }
        for (int[] row : seen) {
            for (int times : row) {
                assertThat(times).isBetween(850, 1150);
            }
        }
    }

    @Test
    void rangeAndMeanLiveInScaleAndOffset() {
        var options = DataOptions.of(ten()).withRange(-1, 1);
        try (TrainingData data = TrainingData.load(options);
                TrainingData plain = TrainingData.load(options.withCenter(false).withFlip(true))) {
            double mean = IntStream.range(0, 10).mapToDouble(i -> 20 * i + 1).sum() / 20 / 255 * 2 - 1;
            assertThat(data.mean()).isEqualTo((float) mean);
            assertThat(data.train().scale()).isEqualTo(2f / 255f);
            assertThat(data.train().offset()).isEqualTo((float) (-1 - mean));
            assertThat(plain.mean()).isZero();
            assertThat(plain.train().offset()).isEqualTo(-1f);
            assertThat(plain.options().flip()).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource({"218,178,32", "178,218,32", "50,40,7", "9,7,16", "40,40,40", "1,5,3", "33,21,21"})
    void resizeCropAndGrayAgreeWithADirectSum(int height, int width, int size) {
        byte[] pixels = Samples.noise(height * width * 3, 7);
        Path file = Samples.write(
                folder.resolve("x.npy"), Samples.npy("|u1", false, "1, " + height + ", " + width + ", 3", pixels));
        try (TrainingData data =
                TrainingData.load(DataOptions.of(file.toString()).withSize(size).withGray(true))) {
            assertThat(data.train().extent()).isEqualTo(new Extent(size, size, 1));
            float[] image = data.train().image(0);
            int tall = height <= width ? size : (int) Math.floor((double) size * height / width);
            int wide = width <= height ? size : (int) Math.floor((double) size * width / height);
            int top = (int) Math.rint((tall - size) / 2.0);
            int left = (int) Math.rint((wide - size) / 2.0);
            Random random = new Random(11);
            for (int trial = 0; trial < 60; trial++) {
                int y = random.nextInt(size);
                int x = random.nextInt(size);
                double expected = direct(pixels, height, width, y + top, x + left, tall, wide);
                assertThat((double) image[y * size + x]).isCloseTo(expected, within(3e-7));
            }
        }
    }

    /// One gray output value as a quotient of two sums over all input pixels.
    private static double direct(byte[] rgb, int height, int width, int y, int x, int tall, int wide) {
        double sum = 0;
        double weights = 0;
        for (int v = 0; v < height; v++) {
            for (int u = 0; u < width; u++) {
                double weight = triangle(v, y, height, tall) * triangle(u, x, width, wide);
                int p = 3 * (v * width + u);
                double gray = 0.2989 * (rgb[p] & 0xff) + 0.587 * (rgb[p + 1] & 0xff) + 0.114 * (rgb[p + 2] & 0xff);
                sum += weight * gray / 255;
                weights += weight;
            }
        }
        return sum / weights;
    }

    private static double triangle(int in, int out, int inSize, int outSize) {
        double ratio = (double) inSize / outSize;
        double distance = Math.abs(in + 0.5 - ratio * (out + 0.5)) / Math.max(1, ratio);
        return Math.max(0, 1 - distance);
    }

    /// 2 x 4 to 1 x 2 by hand: the filter for column 0 has weights 1, 1, 2/3, 1/3 of 0.75, 0.75, 0.25 after cutting.
    @Test
    void halvingByHand() {
        Image image = Image.of(new Extent(2, 4, 1), new float[] {1, 0, 0, 0, 1, 0, 0, 0});
        float[] small = Resize.resize(image, 1, 2);
        assertThat(small[0]).isCloseTo(0.75f / 1.75f, within(1e-7f));
        assertThat(small[1]).isZero();
    }

    @Test
    void croppingAloneKeepsBytes() {
        byte[] pixels = new byte[3 * 6];
        for (int k = 0; k < pixels.length; k++) {
            pixels[k] = (byte) k;
        }
        Path file = Samples.write(folder.resolve("x.npy"), Samples.npy("|u1", false, "1, 3, 6", pixels));
        try (TrainingData data =
                TrainingData.load(DataOptions.of(file.toString()).withSize(3))) {
            assertThat(data.train().eightBit()).isTrue();
            assertThat(data.train().values().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE))
                    .containsExactly(2, 3, 4, 8, 9, 10, 14, 15, 16);
        }
    }

    @Test
    void floatImagesAreCenteredToo() {
        float[] values = {0f, 0.5f, 1f, 0.25f};
        byte[] file = Samples.npy("<f4", false, "2, 1, 2", Samples.floats(ByteOrder.LITTLE_ENDIAN, values));
        Path path = Samples.write(folder.resolve("x.npy"), file);
        try (TrainingData data = TrainingData.load(DataOptions.of(path.toString()))) {
            assertThat(data.mean()).isEqualTo(0.4375f);
            assertThat(data.train().image(1)).containsExactly(1f, 0.25f);
            assertThat(data.test().count()).isZero();
        }
    }

    @Test
    void mixedSizesNeedASize() {
        Samples.write(folder.resolve("p/a1.png"), Samples.png(8, 8, 1));
        Samples.write(folder.resolve("p/a2.png"), Samples.png(9, 8, 1));
        var options = DataOptions.of(folder.resolve("p").toString());
        fails(options, "a2.png", "8 x 8", "8 x 9", "size");
        try (TrainingData data = TrainingData.load(options.withSize(4))) {
            assertThat(data.train().toString()).isEqualTo("2 x 4 x 4 x 3 f32");
        }
    }

    @Test
    void grayPicturesAmongColouredOnesGetThreeChannels() {
        ImageFile.writePng(folder.resolve("a.png"), new byte[] {1, 2}, 2, 1, 1);
        ImageFile.writePng(folder.resolve("b.png"), new byte[] {1, 2, 3, 4, 5, 6}, 2, 1, 3);
        ImageFile.writePng(folder.resolve("c.png"), new byte[] {7, 8}, 2, 1, 1);
        try (TrainingData data = TrainingData.load(DataOptions.of(folder.toString()))) {
            assertThat(data.train().values().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE))
                    .containsExactly(1, 1, 1, 2, 2, 2, 1, 2, 3, 4, 5, 6, 7, 7, 7, 8, 8, 8);
        }
    }

    @Test
    void damagedPicturesFailOrAreSkippedAndCounted() {
        for (int i = 1; i <= 5; i++) {
            byte[] png = Samples.png(4, 4, i);
            Samples.write(folder.resolve("a" + i + ".png"), i % 2 == 0 ? Arrays.copyOf(png, 50) : png);
        }
        var options = DataOptions.of(folder.toString());
        fails(options, "a2.png");
        try (TrainingData data =
                TrainingData.load(options.withSkipUnreadable(true).withTest(1))) {
            assertThat(data.skipped()).isEqualTo(2);
            assertThat(data.trainIndices()).containsExactly(0, 2);
            assertThat(data.testIndices()).containsExactly(4);
        }
        fails(options.withSkipUnreadable(true).withTrain(4, 0), "4 training", "found 3 images");
    }

    @Test
    void aStripThatWouldGrowWithoutBoundIsRefused() {
        Path file = Samples.write(folder.resolve("x.npy"), Samples.npy("|u1", false, "1, 1, 60000", new byte[60000]));
        fails(DataOptions.of(file.toString()).withSize(512), "image 0", "pixels when resized", "512 x 30720000");
    }

    @Test
    void optionsAreChecked() {
        var options = DataOptions.of("x");
        assertThatThrownBy(() -> options.withSize(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> options.withTrain(0, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> options.withRange(1, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> options.withRange(Float.NaN, 1)).isInstanceOf(IllegalArgumentException.class);
    }
}
