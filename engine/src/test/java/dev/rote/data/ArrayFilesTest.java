package dev.rote.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.rote.errors.DataException;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ArrayFilesTest {
    private static final byte[] VALUES = Samples.noise(3 * 4 * 5, 1);

    @TempDir
    Path folder;

    private DataSource open(Object source) {
        return DataSource.open(source.toString(), ReadOptions.DEFAULT);
    }

    private void fails(Object source, String... parts) {
        assertThatThrownBy(() -> open(source).close())
                .isInstanceOf(DataException.class)
                .hasMessageContainingAll(parts);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void idxImagesComeWithTheLabelsBesideThem(boolean gz) {
        String end = gz ? ".gz" : "";
        byte[] images = Samples.idx(VALUES, 3, 4, 5);
        byte[] labels = Samples.idx(new byte[] {7, 0, (byte) 200}, 3);
        Path file = Samples.write(folder.resolve("a-images-idx3-ubyte" + end), gz ? Samples.gzip(images) : images);
        Samples.write(folder.resolve("a-labels-idx1-ubyte" + end), gz ? Samples.gzip(labels) : labels);
        try (DataSource source = open(file)) {
            assertThat(source.count()).isEqualTo(3);
            assertThat(source.frame(2)).isEqualTo(new DataSource.Frame(new Extent(4, 5, 1), true));
            assertThat(source.read(1).bytes()).isEqualTo(Arrays.copyOfRange(VALUES, 20, 40));
            assertThat(source.labels()).contains(new int[] {7, 0, 200});
        }
    }

    @Test
    void aFolderOfIdxFilesPutsTestFilesLast() {
        Samples.write(folder.resolve("t10k-images-idx3-ubyte"), Samples.idx(new byte[] {1, 1}, 2, 1, 1));
        Samples.write(folder.resolve("train-images-idx3-ubyte"), Samples.idx(new byte[] {2, 2, 2}, 3, 1, 1));
        try (DataSource source = open(folder)) {
            assertThat(source.count()).isEqualTo(5);
            assertThat(source.read(0).bytes()).containsExactly(2);
            assertThat(source.read(4).bytes()).containsExactly(1);
            assertThat(source.labels()).isEmpty();
        }
    }

    @Test
    void anIdxFileBesideItsPackedFormCountsOnce() {
        byte[] images = Samples.idx(new byte[] {1, 2, 3}, 3, 1, 1);
        Samples.write(folder.resolve("train-images-idx3-ubyte"), images);
        Samples.write(folder.resolve("train-images-idx3-ubyte.gz"), Samples.gzip(images));
        try (TrainingData data = TrainingData.load(DataOptions.of(folder.toString()))) {
            assertThat(data.train().count()).isEqualTo(3);
        }
    }

    @Test
    void idxOfFourDimensionsHasChannels() {
        Path file = Samples.write(folder.resolve("x.idx4"), Samples.idx(VALUES, 2, 2, 5, 3));
        try (DataSource source = open(file)) {
            assertThat(source.frame(0).extent()).isEqualTo(new Extent(2, 5, 3));
        }
    }

    @Test
    void idxThatIsNotWhatItsHeaderSaysIsRefused() {
        byte[] good = Samples.idx(VALUES, 3, 4, 5);
        Path file = folder.resolve("images-idx3");
        fails(Samples.write(file, Arrays.copyOf(good, 70)), file.toString(), "76", "70");
        fails(Samples.write(file, Arrays.copyOf(good, 9)), "header of 16", "9");
        fails(Samples.write(file, Samples.joined(good, new byte[3])), "76", "79");
        fails(Samples.write(file, Samples.idx(VALUES, 3, 4, Integer.MAX_VALUE)), "size", "76");
        fails(Samples.write(file, Samples.idx(VALUES, -1, -1, -1)), "fewer than 2^60");
        fails(Samples.write(file, Samples.idx(VALUES, 60)), "byte 0", "00 00 08 01");
        fails(Samples.write(file, Samples.idx(new byte[0], 0, 4, 5)), "byte 4", "found 0");
        fails(Samples.write(file, Samples.idx(new byte[0], 3, 0, 5)), "byte 8", "0 x 5 x 1");
        fails(Samples.write(file, Samples.gzip(Samples.idx(VALUES, 3, 4, 6))), "88", "76");
        fails(Samples.write(file, Samples.gzip(Samples.idx(VALUES, 3, 4, 4))), "64", "more");
        byte[] gz = Samples.gzip(good);
        fails(Samples.write(file, Arrays.copyOf(gz, gz.length - 20)), "end too early");
        gz[gz.length - 6]++;
        fails(Samples.write(file, gz), "damaged");
        Samples.write(file, good);
        Samples.write(folder.resolve("labels-idx1"), Samples.idx(new byte[2], 2));
        fails(file, "labels-idx1", "a label for each of 3 images", "found 2");
    }

    @Test
    void anUnpackedSizeAboveTheLimitIsRefusedBeforeUnpacking() {
        Path file = Samples.write(folder.resolve("x.gz"), Samples.gzip(Samples.idx(VALUES, 3, 4, 5)));
        assertThatThrownBy(() -> DataSource.open(file.toString(), new ReadOptions(1000, 50, 1000)))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("at most 50 bytes, found 76");
    }

    @Test
    void cifarBatchesOfAFolderAreReadInOrderWithPlanesInterleaved() {
        byte[] first = new byte[2 * 3073];
        for (int k = 0; k < 3072; k++) {
            first[1 + k] = (byte) (k / 1024 * 50 + k % 32);
        }
        first[0] = 9;
        Samples.write(folder.resolve("data_batch_10.bin"), new byte[3073]);
        Samples.write(folder.resolve("data_batch_2.bin"), first);
        byte[] test = new byte[3073];
        test[0] = 4;
        Samples.write(folder.resolve("test_batch.bin"), test);
        try (DataSource source = open(folder)) {
            assertThat(source.labels()).contains(new int[] {9, 0, 0, 4});
            byte[] image = source.read(0).bytes();
            assertThat(image[(3 * 32 + 7) * 3]).isEqualTo((byte) 7);
            assertThat(image[(3 * 32 + 7) * 3 + 1]).isEqualTo((byte) 57);
            assertThat(image[(3 * 32 + 7) * 3 + 2]).isEqualTo((byte) 107);
            assertThat(source.name(3)).contains("test_batch.bin: image 0");
        }
    }

    @Test
    void cifar100HasFineLabels() {
        byte[] record = new byte[3074];
        record[0] = 19;
        record[1] = 99;
        try (DataSource source = open(Samples.write(folder.resolve("train.bin"), record))) {
            assertThat(source.labels()).contains(new int[] {99});
        }
    }

    @Test
    void cifarOfWrongLengthOrClassIsRefused() {
        fails(Samples.write(folder.resolve("a.bin"), new byte[3072]), "a.bin", "3073", "3072");
        fails(Samples.write(folder.resolve("a.bin"), new byte[0]), "3073", "found 0");
        byte[] record = new byte[2 * 3073];
        record[3073] = 10;
        fails(Samples.write(folder.resolve("a.bin"), record), "byte 3073", "0 to 9", "found 10");
    }

    /// Values `x[n][h][w][c] = (1 + n + 10 h + 100 w + 1000 c) / 4096` stored in every way must come out the same.
    @ParameterizedTest
    @CsvSource({"<f4,false,nhwc", "<f4,true,nhwc", ">f4,false,nchw", ">f4,true,nchw", "<f8,false,nchw", ">f8,true,nhwc"
    })
    void npyOrderTypeAndLayoutDoNotChangeTheImages(String descr, boolean fortran, String layout) {
        int[] size = layout.equals("nhwc") ? new int[] {2, 5, 6, 3} : new int[] {2, 3, 5, 6};
        double[] values = new double[180];
        int[] at = new int[4];
        for (int k = 0; k < values.length; k++) {
            int rest = k;
            for (int j = 0; j < 4; j++) {
                int axis = fortran ? j : 3 - j;
                at[axis] = rest % size[axis];
                rest /= size[axis];
            }
            boolean last = layout.equals("nhwc");
            values[k] = value(at[0], at[last ? 1 : 2], at[last ? 2 : 3], at[last ? 3 : 1]);
        }
        ByteOrder order = descr.startsWith(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
        float[] singles = new float[values.length];
        for (int k = 0; k < singles.length; k++) {
            singles[k] = (float) values[k];
        }
        byte[] bytes = descr.endsWith("8") ? Samples.doubles(order, values) : Samples.floats(order, singles);
        String shape = size[0] + ", " + size[1] + ", " + size[2] + ", " + size[3];
        Path file = Samples.write(folder.resolve("x.npy"), Samples.npy(descr, fortran, shape, bytes));
        try (DataSource source = open(file)) {
            assertThat(source.frame(0)).isEqualTo(new DataSource.Frame(new Extent(5, 6, 3), false));
            float[] image = source.read(1).floats();
            for (int k = 0; k < image.length; k++) {
                assertThat(image[k]).isEqualTo((float) value(1, k / 18, k / 3 % 6, k % 3));
            }
        }
    }

    private static double value(int n, int h, int w, int c) {
        return (1 + n + 10 * h + 100 * w + 1000 * c) / 4096.0;
    }

    @Test
    void npyLayoutAndRangeMayBeStated() {
        float[] values = {-1f, 0f, 1f, 0.5f};
        Path file = Samples.write(
                folder.resolve("x.npy"),
                Samples.npy("<f4", false, "1, 2, 2, 1", Samples.floats(ByteOrder.LITTLE_ENDIAN, values)));
        try (DataSource source = open(file + "?range=-1,1&layout=nchw")) {
            assertThat(source.frame(0).extent()).isEqualTo(new Extent(2, 1, 2));
            assertThat(source.read(0).floats()).containsExactly(0f, 1f, 0.5f, 0.75f);
        }
        try (DataSource source = open(file)) {
            assertThatThrownBy(() -> source.read(0))
                    .isInstanceOf(DataException.class)
                    .hasMessageContainingAll("image 0, row 0, column 0, channel 0", "from 0.0 to 1.0", "-1.0");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"<", ">"})
    void halfPrecisionIsReadExactly(String order) {
        float[] values = {0, 1, 0.333251953125f, 5.9604645e-8f};
        byte[] bytes = new byte[8];
        for (int i = 0; i < 4; i++) {
            short half = Float.floatToFloat16(values[i]);
            bytes[2 * i + (order.equals("<") ? 0 : 1)] = (byte) half;
            bytes[2 * i + (order.equals("<") ? 1 : 0)] = (byte) (half >> 8);
        }
        Path file = Samples.write(folder.resolve("x.npy"), Samples.npy(order + "f2", false, "1, 2, 2", bytes));
        try (DataSource source = open(file)) {
            assertThat(source.frame(0).eightBit()).isFalse();
            assertThat(source.read(0).floats()).containsExactly(values);
        }
        Path raw = Samples.write(folder.resolve("x.dat"), bytes);
        String query = "?shape=1,2,2&type=f16&order=" + (order.equals("<") ? "le" : "be");
        try (DataSource source = open("raw:" + raw + query)) {
            assertThat(source.read(0).floats()).containsExactly(values);
        }
    }

    @Test
    void aFolderOfArraysIsRefusedWithTheAdviceToNameOne() {
        fails(folder, "contents: expected pictures", "found none");
        byte[] array = Samples.npy("|u1", false, "3, 4, 5", VALUES);
        Samples.write(folder.resolve("b2.npy"), array);
        fails(folder, "found b2.npy; name that file as the source");
        Samples.write(folder.resolve("b10.npy"), array);
        fails(folder, "found 2 npy and npz files, b2.npy the first; name one file as the source");
    }

    @Test
    void npyThatIsNotWhatItsHeaderSaysIsRefused() {
        Path file = folder.resolve("x.npy");
        byte[] good = Samples.npy("|u1", false, "3, 4, 5", VALUES);
        fails(Samples.write(file, Arrays.copyOf(good, good.length - 1)), "x.npy", "188", "187");
        fails(Samples.write(file, Arrays.copyOf(good, 20)), "byte 8", "header text");
        fails(Samples.write(file, Arrays.copyOf(good, 6)), "byte 0");
        fails(Samples.write(file, Samples.npy("|u1", false, "3, 4, 999999999999999999", VALUES)), "2^60");
        fails(Samples.write(file, Samples.npy("|u1", false, "3, 4, 99999999999999999999", VALUES)), "tuple");
        fails(Samples.write(file, Samples.npy("<i4", false, "3, 5, 1", VALUES)), "u1, f2, f4 or f8", "i4");
        fails(Samples.write(file, Samples.npy("|O8", false, "3, 4, 5", VALUES)), "'descr'");
        fails(Samples.write(file, Samples.npy("|u1", false, "60,", VALUES)), "[N,H,W]", "[60]");
        fails(Samples.write(file, Samples.npy("|u1", false, "1, 6, 2, 5", VALUES)), "layout=nhwc");
        fails(Samples.write(file, Samples.npy("|u1", false, "0, 4, 5", new byte[0])), "1 to 2^31 images", "found 0");
        good[6] = 9;
        fails(Samples.write(file, good), "byte 6", "found 9");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void npzGivesImagesAndTheirLabels(boolean stored) {
        Map<String, byte[]> arrays = new LinkedHashMap<>();
        arrays.put("val_images.npy", Samples.npy("|u1", false, "1, 4, 5", new byte[20]));
        arrays.put("train_images.npy", Samples.npy("|u1", false, "3, 4, 5", VALUES));
        arrays.put("train_labels.npy", Samples.npy(">i2", false, "3, 1", new byte[] {0, 1, 1, 2, 0, 3}));
        Path file = Samples.write(folder.resolve("x.npz"), Samples.zip(arrays, stored));
        try (DataSource source = open(file)) {
            assertThat(source.count()).isEqualTo(3);
            assertThat(source.read(0).bytes()).isEqualTo(Arrays.copyOf(VALUES, 20));
            assertThat(source.labels()).contains(new int[] {1, 258, 3});
        }
        try (DataSource source = open(file + "?key=val_images")) {
            assertThat(source.count()).isEqualTo(1);
            assertThat(source.labels()).isEmpty();
        }
        fails(file + "?key=none", "key", "train_images", "none");
        fails(file + "?keys=none", "keys");
    }

    @Test
    void npzWithoutOneClearArrayIsRefused() {
        byte[] array = Samples.npy("|u1", false, "3, 4, 5", VALUES);
        Path two = Samples.write(folder.resolve("x.npz"), Samples.zip(Map.of("a.npy", array, "b.npy", array), false));
        fails(two, "?key=NAME", "2 among [a, b]");
    }

    @Test
    void npzWithAWrongChecksumOrLengthIsRefused() {
        byte[] file = Samples.zip(Map.of("a.npy", Samples.npy("|u1", false, "3, 4, 5", VALUES)), true);
        file[30 + "a.npy".length() + 130]++;
        fails(Samples.write(folder.resolve("x.npz"), file), "checksum");
        byte[] lies = Samples.zip(Map.of("a.npy", Samples.npy("|u1", false, "3, 4, 500", VALUES)), false);
        fails(Samples.write(folder.resolve("x.npz"), lies), "6128", "188");
    }

    @Test
    void rawArraysFollowTheStatedShapeTypeAndOrder() {
        byte[] values = Samples.floats(ByteOrder.BIG_ENDIAN, 0f, 0.25f, 0.5f, 1f);
        Path file = Samples.write(folder.resolve("x.dat"), Samples.joined(new byte[7], values));
        try (DataSource source = open("raw:" + file + "?shape=2,1,2&type=f32&order=be&offset=7")) {
            assertThat(source.count()).isEqualTo(2);
            assertThat(source.read(1).floats()).containsExactly(0.5f, 1f);
        }
        try (DataSource source = open("raw:" + file + "?shape=1,1,1,23&type=u8")) {
            assertThat(source.read(0).bytes()).hasSize(23).startsWith(0);
        }
        fails("raw:" + file + "?shape=2,1,2&type=u8", "4 bytes", "23");
        fails("raw:" + file + "?shape=2,1,2", "type", "none");
        fails("raw:" + file + "?type=u8", "shape", "none");
        fails("raw:" + file + "?shape=2,1&type=u8", "shape", "2,1");
        fails("raw:" + file + "?shape=2,-1,1&type=u8", "shape", "-1");
        fails("raw:" + file + "?shape=99999999999,99999,99999&type=u8", "shape");
        fails("raw:" + file + "?shape=1,1,1&type=u8&order=middle", "order", "middle");
        fails("raw:" + folder + "/none?shape=1,1,1&type=u8", "no such file");
        fails("raw:" + file + "?shape=1,1,1&type=f32&range=1,0", "range", "1,0");
    }

    @Test
    void whatIsNotThereOrNotKnownIsNamed() {
        fails(folder.resolve("none"), "none: no such file or folder");
        fails(Samples.write(folder.resolve("x.txt"), "hello".getBytes(StandardCharsets.UTF_8)), "68 65 6c 6c 6f");
        fails(Samples.write(folder.resolve("empty"), new byte[0]), "nothing");
        fails("a\0b", "not a path");
        fails(folder.resolve("none") + "?layout", "key=value");
    }

    @Test
    void celebaIsTwelveThousandGrayImages() {
        Path shared = Path.of(System.getProperty("rote.shared", "../../shared"));
        Path file = shared.resolve("data/celeba12288_gray32.npy");
        assumeTrue(Files.exists(file), () -> file + " is absent");
        var options = DataOptions.of(file.toString()).withTrain(1024, 1).withTest(2048);
        try (TrainingData data = TrainingData.load(options)) {
            assertThat(data.train().toString()).isEqualTo("1024 x 32 x 32 x 1 u8");
            assertThat(data.test().count()).isEqualTo(2048);
            assertThat(data.testIndices()).startsWith(10240);
            assertThat(data.mean()).isBetween(0.3f, 0.6f);
        }
    }
}
