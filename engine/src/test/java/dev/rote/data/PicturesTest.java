package dev.rote.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.DataException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.Deflater;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PicturesTest {
    @TempDir
    Path folder;

    private Image read(String name, byte[] file) {
        return ImageFile.read(Samples.write(folder.resolve(name), file), ReadOptions.DEFAULT);
    }

    private void fails(String name, byte[] file, String... parts) {
        assertThatThrownBy(() -> read(name, file))
                .isInstanceOf(DataException.class)
                .hasMessageContainingAll(parts);
    }

    private static byte[] rgb(BufferedImage image) {
        byte[] out = new byte[3 * image.getWidth() * image.getHeight()];
        for (int p = 0; p < out.length / 3; p++) {
            int v = image.getRGB(p % image.getWidth(), p / image.getWidth());
            out[3 * p] = (byte) (v >> 16);
            out[3 * p + 1] = (byte) (v >> 8);
            out[3 * p + 2] = (byte) v;
        }
        return out;
    }

    @ParameterizedTest
    @CsvSource({"png,0", "bmp,0", "jpg,4"})
    void decodedPicturesAgreeWithAnotherDecoder(String format, int tolerance) throws Exception {
        byte[] file = Samples.encoded(Samples.picture(17, 11, BufferedImage.TYPE_INT_RGB, 3), format);
        Image image = read("a." + format, file);
        byte[] expected = rgb(ImageIO.read(new ByteArrayInputStream(file)));
        assertThat(image.extent()).isEqualTo(new Extent(11, 17, 3));
        for (int k = 0; k < expected.length; k++) {
            assertThat(image.bytes()[k] & 0xff)
                    .isBetween((expected[k] & 0xff) - tolerance, (expected[k] & 0xff) + tolerance);
        }
    }

    @Test
    void tgaAndPpmPixelsComeOutAsTheyWent() {
        byte[] pixels = Samples.noise(7 * 5 * 3, 4);
        assertThat(read("a.tga", Samples.tga(pixels, 7, 5, false)).bytes()).isEqualTo(pixels);
        assertThat(read("b.TGA", Samples.tga(pixels, 7, 5, true)).bytes()).isEqualTo(pixels);
        assertThat(read("a.ppm", Samples.ppm(pixels, 7, 5)).bytes()).isEqualTo(pixels);
    }

    @Test
    void grayPicturesHaveOneChannelAndSixteenBitsBecomeFloats() {
        BufferedImage gray = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_GRAY);
        gray.getRaster().setSample(1, 0, 0, 77);
        assertThat(read("g.png", Samples.encoded(gray, "png")).bytes()).containsExactly(0, 77);
        BufferedImage deep = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_GRAY);
        deep.getRaster().setSample(0, 0, 0, 65535);
        deep.getRaster().setSample(1, 0, 0, 12345);
        Image image = read("d.png", Samples.encoded(deep, "png"));
        assertThat(image.floats()).containsExactly(1f, (float) (12345 / 65535.0));
    }

    @Test
    void alphaIsBlendedOverWhite() {
        BufferedImage image = new BufferedImage(3, 1, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, 0x00123456);
        image.setRGB(1, 0, 0xff123456);
        image.setRGB(2, 0, 0x80123456);
        byte[] out = read("a.png", Samples.encoded(image, "png")).bytes();
        assertThat(Arrays.copyOf(out, 6)).containsExactly(255, 255, 255, 0x12, 0x34, 0x56);
        assertThat(out[6] & 0xff).isEqualTo(Math.round((0x12 * 128 + 255 * 127) / 255f));
    }

    @Test
    void writtenPngIsReadBack() throws Exception {
        byte[] pixels = Samples.noise(13 * 9 * 3, 5);
        Path file = folder.resolve("out.png");
        ImageFile.writePng(file, pixels, 13, 9, 3);
        assertThat(ImageFile.read(file, ReadOptions.DEFAULT).bytes()).isEqualTo(pixels);
        assertThat(rgb(ImageIO.read(file.toFile()))).isEqualTo(pixels);
        assertThatThrownBy(() -> ImageFile.writePng(file, pixels, 13, 9, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("117");
        assertThatThrownBy(() -> ImageFile.writePng(folder.resolve("no/out.png"), pixels, 13, 9, 3))
                .isInstanceOf(dev.rote.errors.EnvironmentException.class);
    }

    @Test
    void cutOffOrDamagedPicturesAreRefused() {
        byte[] png = Samples.png(17, 11, 1);
        byte[] jpg = Samples.encoded(Samples.picture(17, 11, BufferedImage.TYPE_INT_RGB, 3), "jpg");
        byte[] bmp = Samples.encoded(Samples.picture(17, 11, BufferedImage.TYPE_INT_RGB, 3), "bmp");
        byte[] tga = Samples.tga(new byte[105], 7, 5, false);
        byte[] runs = Samples.tga(new byte[105], 7, 5, true);
        byte[] ppm = Samples.ppm(new byte[105], 7, 5);
        fails("a.png", Arrays.copyOf(png, png.length - 12), "a.png", "another PNG chunk", "the end of the file");
        fails("a.png", Arrays.copyOf(png, png.length / 2), "a.png");
        fails("a.jpg", Arrays.copyOf(jpg, jpg.length - 2), "end mark");
        fails("a.jpg", Arrays.copyOf(jpg, jpg.length / 2), "a.jpg");
        fails("a.bmp", Arrays.copyOf(bmp, bmp.length - 1), "at least " + bmp.length, "" + (bmp.length - 1));
        fails("a.tga", Arrays.copyOf(tga, tga.length - 1), "at least 123 bytes", "122");
        fails("b.tga", Arrays.copyOf(runs, runs.length - 1), "at least 158 bytes", "157");
        fails("a.ppm", Arrays.copyOf(ppm, ppm.length - 1), "at least", "" + (ppm.length - 1));
        png[png.length - 20] ^= 4;
        fails("a.png", png, "checksum", "IDAT");
        fails("a.png", "GIF89a..".getBytes(java.nio.charset.StandardCharsets.US_ASCII), "byte 0", "47 49 46");
        assertThatThrownBy(() -> ImageFile.read(folder.resolve("none.png"), ReadOptions.DEFAULT))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("none.png: no such file");
    }

    @Test
    void tooManyPixelsAreRefusedBeforeDecoding() {
        byte[] png = Samples.png(17, 11, 1);
        Path file = Samples.write(folder.resolve("a.png"), png);
        assertThatThrownBy(() -> ImageFile.read(file, new ReadOptions(186, 1000, 10_000)))
                .isInstanceOf(DataException.class)
                .hasMessageContainingAll("1 to 186 pixels", "17 x 11");
        assertThatThrownBy(() -> ImageFile.read(file, new ReadOptions(187, 1000, 50)))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("at most 50 bytes");
    }

    /// A picture of 2 x 2 pixels whose data unpack to 200 MB.
    @Test
    void aPngBombIsRefused() {
        Deflater deflater = new Deflater(9);
        byte[] zeros = new byte[1 << 20];
        byte[] packed = new byte[1 << 20];
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        for (int i = 0; i < 200; i++) {
            deflater.setInput(zeros);
            data.write(packed, 0, deflater.deflate(packed));
        }
        deflater.finish();
        data.write(packed, 0, deflater.deflate(packed));
        deflater.end();
        byte[] mark = Arrays.copyOf(Samples.png(2, 2, 1), 33);
        byte[] bomb = Samples.joined(mark, chunk("IDAT", data.toByteArray()), chunk("IEND", new byte[0]));
        fails("bomb.png", bomb, "image data", "bytes unpacked", "more");
    }

    private static byte[] chunk(String type, byte[] data) {
        byte[] name = type.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        CRC32 crc = new CRC32();
        crc.update(name);
        crc.update(data);
        return ByteBuffer.allocate(12 + data.length)
                .putInt(data.length)
                .put(name)
                .put(data)
                .putInt((int) crc.getValue())
                .array();
    }

    @Test
    void foldersAreOrderedAsPeopleCountAndSubfoldersAreClasses() {
        for (String name : new String[] {"b/img10.png", "b/img2.png", "a/x.png", "a/.hidden.png", "a/notes.txt"}) {
            Samples.write(folder.resolve(name), Samples.png(2, 2, 1));
        }
        try (DataSource source = DataSource.open(folder.toString(), ReadOptions.DEFAULT)) {
            assertThat(source.count()).isEqualTo(3);
            assertThat(source.name(0)).endsWith("a/x.png");
            assertThat(source.name(1)).endsWith("b/img2.png");
            assertThat(source.name(2)).endsWith("b/img10.png");
            assertThat(source.labels()).contains(new int[] {0, 1, 1});
        }
        Samples.write(folder.resolve("top.png"), Samples.png(2, 2, 1));
        try (DataSource source = DataSource.open(folder.toString(), ReadOptions.DEFAULT)) {
            assertThat(source.labels()).isEmpty();
        }
    }

    @Test
    void naturalOrderComparesNumbersOfAnyLength() {
        String[] names = {"a100000000000000000000", "a9", "a09", "b", "a", "a9b", "A1", "a10"};
        Arrays.sort(names, NaturalOrder.INSTANCE);
        assertThat(names).containsExactly("A1", "a", "a09", "a9", "a9b", "a10", "a100000000000000000000", "b");
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void zipsHoldPicturesLikeFolders(boolean stored) throws Exception {
        Map<String, byte[]> entries = new LinkedHashMap<>();
        entries.put("p10.png", Samples.png(4, 3, 10));
        entries.put("__MACOSX/p1.png", new byte[1]);
        entries.put("p9.png", Samples.png(4, 3, 9));
        Path file = Samples.write(folder.resolve("x.zip"), Samples.zip(entries, stored));
        try (DataSource source = DataSource.open(file.toString(), ReadOptions.DEFAULT)) {
            assertThat(source.count()).isEqualTo(2);
            assertThat(source.name(0)).endsWith("x.zip!p9.png");
            assertThat(source.frame(0)).isEqualTo(new DataSource.Frame(new Extent(3, 4, 3), true));
            BufferedImage expected = ImageIO.read(new ByteArrayInputStream(Samples.png(4, 3, 9)));
            assertThat(source.read(0).bytes()).isEqualTo(rgb(expected));
        }
        byte[] damaged = Files.readAllBytes(file);
        damaged[60] ^= 1;
        Samples.write(file, damaged);
        try (DataSource source = DataSource.open(file.toString(), ReadOptions.DEFAULT)) {
            assertThatThrownBy(() -> source.read(1)).isInstanceOf(DataException.class);
        }
        Samples.write(file, Arrays.copyOf(damaged, damaged.length - 30));
        assertThatThrownBy(() -> DataSource.open(file.toString(), ReadOptions.DEFAULT))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("x.zip");
    }

    @Test
    void foldersAndZipsWithoutPicturesAreRefused() {
        assertThatThrownBy(() -> DataSource.open(folder.toString(), ReadOptions.DEFAULT))
                .isInstanceOf(DataException.class)
                .hasMessageContainingAll(folder.toString(), "pictures", "found none");
        Path file = Samples.write(folder.resolve("x.zip"), Samples.zip(Map.of("a.txt", new byte[1]), false));
        assertThatThrownBy(() -> DataSource.open(file.toString(), ReadOptions.DEFAULT))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("found none");
    }
}
