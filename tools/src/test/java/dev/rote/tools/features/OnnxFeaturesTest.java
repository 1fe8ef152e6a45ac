package dev.rote.tools.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.data.Extent;
import dev.rote.errors.DataException;
import dev.rote.metrics.Rows;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxFeaturesTest {
    private static final Extent COLOUR = new Extent(2, 3, 3);
    private static final Extent GRAY = new Extent(2, 3, 1);

    @TempDir
    Path folder;

    private Path model(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("net.onnx"), bytes);
    }

    private static float[] pixels(int count) {
        float[] pixels = new float[count];
        for (int i = 0; i < count; i++) {
            pixels[i] = i % 101 / 100f;
        }
        return pixels;
    }

    private static long[] shape(long... shape) {
        return shape;
    }

    @Test
    void colourImagesReachTheNetworkAsPlanes() throws IOException, InterruptedException {
        Path path = model(OnnxModel.of("Flatten", shape(-1, 3, -1, -1)));
        try (OnnxFeatures features = OnnxFeatures.open(path, COLOUR)) {
            assertThat(features.dimension()).isEqualTo(18);
            assertThat(features.name()).isEqualTo("Fréchet distance on features of net.onnx");
            float[] images = pixels(2 * 18);
            Rows found = features.features(Rows.of(images, 18), 1);
            assertThat(found.count()).isEqualTo(2);
            for (int i = 0; i < 2; i++) {
                for (int pixel = 0; pixel < 6; pixel++) {
                    for (int c = 0; c < 3; c++) {
                        assertThat(found.at(i, c * 6 + pixel)).isEqualTo(images[i * 18 + pixel * 3 + c]);
                    }
                }
            }
        }
    }

    @Test
    void grayIsRepeatedForThreeChannelsAndStaysForOne() throws IOException, InterruptedException {
        float[] image = pixels(6);
        try (OnnxFeatures three = OnnxFeatures.open(model(OnnxModel.of("Flatten", shape(-1, 3, -1, -1))), GRAY)) {
            Rows found = three.features(Rows.of(image, 6), 1);
            assertThat(found.dimension()).isEqualTo(18);
            for (int i = 0; i < 18; i++) {
                assertThat(found.at(0, i)).isEqualTo(image[i % 6]);
            }
        }
        try (OnnxFeatures one = OnnxFeatures.open(model(OnnxModel.of("Flatten", shape(-1, 1, -1, -1))), GRAY)) {
            assertThat(one.features(Rows.of(image, 6), 1).dimension()).isEqualTo(6);
        }
    }

    @Test
    void theMetadataGivesTheRange() throws IOException, InterruptedException {
        Path path = model(OnnxModel.of("Flatten", shape(-1, 1, 2, 3), "rote.low", "-1", "rote.high", "1"));
        try (OnnxFeatures features = OnnxFeatures.open(path, GRAY)) {
            Rows found = features.features(Rows.of(new float[] {0, 0.25f, 0.5f, 0.75f, 1, 0}, 6), 1);
            float[] expected = {-1, -0.5f, 0, 0.5f, 1, -1};
            for (int i = 0; i < 6; i++) {
                assertThat(found.at(0, i)).isEqualTo(expected[i]);
            }
        }
    }

    @Test
    void onlyTheMetadataMakeADistanceAnFid() throws IOException {
        Path plain = model(OnnxModel.of("Flatten", shape(-1, 1, 2, 3)));
        Path inception = Files.copy(plain, plain.resolveSibling("inception.onnx"));
        Path fid = model(OnnxModel.of("Flatten", shape(-1, 1, 2, 3), "rote.fid", "true"));
        try (OnnxFeatures stand = OnnxFeatures.open(inception, GRAY);
                OnnxFeatures proper = OnnxFeatures.open(fid, GRAY)) {
            assertThat(stand.name()).isEqualTo("Fréchet distance on features of inception.onnx");
            assertThat(proper.name()).isEqualTo("FID on features of " + fid.getFileName());
        }
    }

    @Test
    void imagesAreResizedToTheSizeThatTheNetworkFixes() throws IOException, InterruptedException {
        Path path = model(OnnxModel.of("Flatten", shape(-1, 1, 1, 2)));
        try (OnnxFeatures features = OnnxFeatures.open(path, new Extent(2, 4, 1))) {
            assertThat(features.dimension()).isEqualTo(2);
            // Halving with the triangle filter of radius 2 at the border: weights 3, 3, 1 over 7 along the row.
            Rows found = features.features(Rows.of(new float[] {0, 0, 1, 1, 0, 0, 1, 1}, 8), 1);
            assertThat(found.at(0, 0)).isCloseTo(1f / 7, within(1e-6f));
            assertThat(found.at(0, 1)).isCloseTo(6f / 7, within(1e-6f));
        }
    }

    @Test
    void outputsOfAnyRankAreFlattenedPerImage() throws IOException, InterruptedException {
        Path path = model(OnnxModel.of("GlobalAveragePool", shape(-1, 3, -1, -1)));
        try (OnnxFeatures features = OnnxFeatures.open(path, COLOUR)) {
            Rows found = features.features(Rows.of(pixels(18), 18), 1);
            assertThat(found.dimension()).isEqualTo(3);
            assertThat(found.at(0, 2)).isCloseTo((2 + 5 + 8 + 11 + 14 + 17) / 600f, within(1e-6f));
        }
    }

    @Test
    void neitherThreadsNorTheBatchChangeABit() throws IOException, InterruptedException {
        int count = 71; // two whole batches and a rest
        float[] images = pixels(count * 18);
        float[][] found = new float[3][];
        int i = 0;
        for (long batch : new long[] {-1, -1, 5}) {
            Path path = model(OnnxModel.of("GlobalAveragePool", shape(batch, 3, -1, -1)));
            try (OnnxFeatures features = OnnxFeatures.open(path, COLOUR)) {
                Rows rows = features.features(Rows.of(images, 18), i == 0 ? 1 : 3);
                assertThat(rows.count()).isEqualTo(count);
                found[i] = new float[count * 3];
                for (int k = 0; k < found[i].length; k++) {
                    found[i][k] = rows.at(k / 3, k % 3);
                }
                i++;
            }
        }
        assertThat(found[1]).isEqualTo(found[0]);
        assertThat(found[2]).isEqualTo(found[0]);
    }

    @Test
    void wrongNetworksAreNamed() throws IOException {
        fails(
                "an ONNX network that ONNX Runtime can run, found: ",
                "not a network".getBytes(StandardCharsets.US_ASCII));
        fails("one, found [", OnnxModel.of("Add", new String[] {"x", "z"}, 1, shape(-1, 3, -1, -1)));
        fails("input x: expected f32 [N,3,H,W] or [N,1,H,W], found ", OnnxModel.of("Flatten", shape(-1, 6)));
        fails(
                "input x: expected f32 [N,3,H,W] or [N,1,H,W], found ",
                OnnxModel.of("Flatten", new String[] {"x"}, 11, shape(-1, 3, -1, -1))); // f64
        fails(
                "input x: expected 3 channels, as the images, found [-1, 1,",
                OnnxModel.of("Flatten", shape(-1, 1, -1, -1)));
        fails("output y: expected f32 [32,...], found ", OnnxModel.of("Transpose", shape(-1, 3, -1, -1)));
        fails(
                "metadata rote.low: expected a number, found black",
                OnnxModel.of("Flatten", shape(-1, 3, -1, -1), "rote.low", "black"));
    }

    private void fails(String part, byte[] bytes) throws IOException {
        Path path = model(bytes);
        assertThatThrownBy(() -> OnnxFeatures.open(path, COLOUR))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith(path + ": ")
                .hasMessageContaining(part);
    }

    @Test
    void imagesOfAnotherSizeAreTheCallersFault() throws IOException {
        try (OnnxFeatures features = OnnxFeatures.open(model(OnnxModel.of("Flatten", shape(-1, 3, -1, -1))), COLOUR)) {
            assertThatThrownBy(() -> features.features(Rows.of(pixels(12), 12), 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected images of 2 x 3 x 3 values, found 12");
        }
    }
}
