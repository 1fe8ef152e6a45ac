package dev.rote.data;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.errors.DataException;
import dev.rote.storage.Mutation;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Damaged files of every format, from a fixed seed: what comes out is images or a [DataException], in little memory.
class ReaderFuzzTest {
    private static final ReadOptions SMALL = new ReadOptions(1 << 14, 1 << 16, 1 << 16);

    /// Damaged files of each format.
    private static final int FILES = 10_000;

    private static final int[] EDGES = {0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, -1, 0x10000000};

    @TempDir
    Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"idx", "idx-gz", "cifar", "png", "jpg", "others", "zip", "npy", "npz", "raw"})
    void damagedFilesGiveImagesOrAClearError(String kind) throws IOException {
        List<Map.Entry<String, byte[]>> seeds = seeds(kind);
        Random random = new Random(20240817 + kind.hashCode());
        var thread = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long most = 0;
        int refused = 0;
        for (int round = 0; round < FILES; round++) {
            var seed = seeds.get(round % seeds.size());
            // Binary edges, or what text headers are afraid of: long numbers, foreign tokens.
            byte[] file =
                    random.nextInt(3) > 0 ? mutated(seed.getValue(), random) : Mutation.of(seed.getValue(), random);
            if (kind.equals("png") && random.nextBoolean()) {
                Samples.repairChecksums(file);
            }
            long before = thread.getCurrentThreadAllocatedBytes();
            refused += refused(kind, seed.getKey(), file, "seed " + seed.getKey() + ", round " + round) ? 1 : 0;
            most = Math.max(most, thread.getCurrentThreadAllocatedBytes() - before);
        }
        assertThat(refused).as("refused of %d", FILES).isBetween(FILES / 20, FILES);
        assertThat(most).as("heap bytes for one file").isLessThan(8L << 20);
    }

    private boolean refused(String kind, String name, byte[] file, String round) throws IOException {
        Path path = folder.resolve(name);
        Files.write(path, file);
        String source = kind.equals("raw") ? "raw:" + path + "?shape=2,4,5,3&type=f32" : path.toString();
        try (DataSource opened = DataSource.open(source, SMALL)) {
            boolean refused = false;
            for (int i = 0; i < Math.min(3, opened.count()); i++) {
                try {
                    Image image = opened.read(i);
                    DataSource.Frame frame = opened.frame(i);
                    assertThat(image.extent()).as(round).isEqualTo(frame.extent());
                } catch (DataException e) {
                    refused = named(e, name, round);
                }
            }
            return refused;
        } catch (DataException e) {
            return named(e, name, round);
        } catch (RuntimeException | Error e) {
            throw new AssertionError(round + ", " + file.length + " bytes: " + e, e);
        }
    }

    private static boolean named(DataException e, String name, String round) {
        assertThat(e.getMessage()).as(round).contains(name);
        return true;
    }

    private static byte[] mutated(byte[] seed, Random random) {
        byte[] file = seed.clone();
        for (int edits = 1 + random.nextInt(3); edits > 0 && file.length > 8; edits--) {
            int at = random.nextBoolean() ? random.nextInt(file.length) : random.nextInt(Math.min(64, file.length));
            switch (random.nextInt(5)) {
                case 0 -> file[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> file = java.util.Arrays.copyOf(file, random.nextInt(file.length + 16));
                case 2 -> edge(file, at, random);
                case 3 -> {
                    int length = random.nextInt(Math.min(64, file.length));
                    int from = random.nextInt(file.length - length);
                    System.arraycopy(file, from, file, Math.min(at, file.length - length), length);
                }
                default -> file[at] = (byte) random.nextInt(256);
            }
        }
        return file;
    }

    /// Overwrites what may be a length: 1, 2 or 4 bytes, either byte order.
    private static void edge(byte[] file, int at, Random random) {
        int value = EDGES[random.nextInt(EDGES.length)] + random.nextInt(3) - 1;
        int bytes = 1 << random.nextInt(3);
        boolean big = random.nextBoolean();
        for (int k = 0; k < bytes && at + k < file.length; k++) {
            file[at + k] = (byte) (value >> 8 * (big ? bytes - 1 - k : k));
        }
    }

    private static List<Map.Entry<String, byte[]>> seeds(String kind) {
        byte[] noise = Samples.noise(120, 1);
        byte[] idx = Samples.idx(noise, 2, 5, 12);
        byte[] npy = Samples.npy("|u1", false, "2, 4, 5, 3", noise);
        float[] units = new float[120];
        for (int k = 0; k < 120; k++) {
            units[k] = k / 128f;
        }
        byte[] values = Samples.floats(ByteOrder.LITTLE_ENDIAN, units);
        List<Map.Entry<String, byte[]>> seeds = new ArrayList<>();
        switch (kind) {
            case "idx" -> {
                seeds.add(Map.entry("a.idx", idx));
                seeds.add(Map.entry("b.idx", Samples.idx(noise, 2, 4, 5, 3)));
            }
            case "idx-gz" -> seeds.add(Map.entry("a.idx.gz", Samples.gzip(idx)));
            case "cifar" -> {
                seeds.add(Map.entry("a.bin", new byte[2 * 3073]));
                seeds.add(Map.entry("b.bin", new byte[3074]));
            }
            case "png" -> {
                seeds.add(Map.entry("a.png", Samples.png(9, 7, 1)));
                seeds.add(Map.entry("b.png", deep()));
            }
            case "jpg" ->
                seeds.add(Map.entry(
                        "a.jpg", Samples.encoded(Samples.picture(19, 17, BufferedImage.TYPE_INT_RGB, 3), "jpg")));
            case "others" -> {
                seeds.add(Map.entry(
                        "a.bmp", Samples.encoded(Samples.picture(9, 7, BufferedImage.TYPE_INT_RGB, 3), "bmp")));
                seeds.add(Map.entry("a.tga", Samples.tga(noise, 8, 5, false)));
                seeds.add(Map.entry("b.tga", Samples.tga(noise, 8, 5, true)));
                seeds.add(Map.entry("a.ppm", Samples.ppm(noise, 8, 5)));
            }
            case "zip" -> {
                Map<String, byte[]> entries = new LinkedHashMap<>();
                entries.put("a/1.png", Samples.png(3, 3, 1));
                entries.put("b/2.ppm", Samples.ppm(noise, 8, 5));
                seeds.add(Map.entry("a.zip", Samples.zip(entries, false)));
                seeds.add(Map.entry("b.zip", Samples.zip(entries, true)));
            }
            case "npy" -> {
                seeds.add(Map.entry("a.npy", npy));
                seeds.add(Map.entry("b.npy", Samples.npy("<f4", true, "2, 4, 5, 3", values)));
                seeds.add(Map.entry("c.npy", Samples.npy("<f2", false, "2, 4, 5, 3", new byte[240])));
            }
            case "npz" -> {
                Map<String, byte[]> arrays = new LinkedHashMap<>();
                arrays.put("images.npy", npy);
                arrays.put("labels.npy", Samples.npy("<i4", false, "2,", new byte[8]));
                seeds.add(Map.entry("a.npz", Samples.zip(arrays, false)));
                seeds.add(Map.entry("b.npz", Samples.zip(arrays, true)));
            }
            case "raw" -> seeds.add(Map.entry("a.dat", values));
            default -> throw new IllegalArgumentException(kind);
        }
        return seeds;
    }

    private static byte[] deep() {
        BufferedImage image = new BufferedImage(6, 5, BufferedImage.TYPE_USHORT_GRAY);
        image.getRaster().setSample(3, 2, 0, 40_000);
        return Samples.encoded(image, "png");
    }
}
