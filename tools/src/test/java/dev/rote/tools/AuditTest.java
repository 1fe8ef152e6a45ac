package dev.rote.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.data.DataOptions;
import dev.rote.data.Dataset;
import dev.rote.data.TrainingData;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class AuditTest {
    private static final String REAL = "builtin:fashion-mnist";
    private static final int PLANTED = 36; // of each kind 12
    private static final int SAMPLES = 300;

    @TempDir
    Path folder;

    /// Real images that were never trained on, some replaced by exact copies, copies one grey level brighter, and noisy
    /// copies: each is found beside its original.
    @Test
    void plantedCopiesAreFoundBesideTheirOriginals() throws IOException {
        Path samples = planted(REAL, 0, 3000, 6000);
        Outcome outcome = audit("--samples", samples, "--training", REAL + "#0:3000", "--heldout", REAL + "#7000:8000");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out()).startsWith("Copies training images: ").contains("12 samples equal a training image");
        List<String[]> rows = csv();
        assertThat(rows).hasSize(SAMPLES);
        for (int i = 0; i < PLANTED; i++) {
            assertThat(rows.get(i)[5]).as("sample " + i).isEqualTo("1");
            assertThat(rows.get(i)[6]).as("sample " + i).isEqualTo(Integer.toString(original(i)));
        }
        assertThat(rows.stream().filter(row -> row[5].equals("1")).count()).isBetween((long) PLANTED, PLANTED + 10L);
        JsonNode json = json();
        assertThat(json.path("copy_tests").path("identical").path("count").asInt())
                .isEqualTo(12);
        assertThat(json.path("base_rate").path("copies").path("value").asDouble())
                .isLessThan(0.03);
        assertThat(json.path("pixels").path("c_t").has("value")).isTrue();
        assertThat(json.path("in_features").path("fls").path("value").asDouble())
                .isBetween(60.0, 140.0);
        String report = Files.readString(folder.resolve("out/report.html"));
        assertThat(report).contains("Copies training images", "<svg class=\"histogram\"", "data:image/png;base64,");
        BufferedImage sheet = ImageIO.read(folder.resolve("out/copies.png").toFile());
        assertThat(sheet.getWidth()).isGreaterThan(800);
    }

    /// Held-out images audited as if they were samples: what is found are real near-duplicates.
    @Test
    void heldOutImagesAreTheBaseRate() throws IOException {
        String heldOut = REAL + "#9000:10000";
        Outcome outcome = audit("--samples", heldOut, "--training", REAL + "#0:3000", "--heldout", heldOut);
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out()).startsWith("The samples are the held-out images themselves");
        JsonNode json = json();
        assertThat(json.path("samples_are_held_out").asBoolean()).isTrue();
        assertThat(json.path("base_rate")).isEqualTo(json.path("copy_tests"));
        assertThat(json.path("pixels").path("close").path("value").asDouble()).isBetween(0.009, 0.011);
        assertThat(json.path("pixels").path("c_t").path("value").asDouble()).isZero();
    }

    @Test
    void freshRealImagesShowNoCopyingBeyondTheBaseRate() {
        Outcome outcome = audit(
                "--samples", REAL + "#6000:7000", "--training", REAL + "#0:3000", "--heldout", REAL + "#8000:9000");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out()).startsWith("No copying beyond the base rate: ");
        assertThat(outcome.err()).contains("searched 5000 of 5000 images (100 %)");
    }

    /// Too few for the share to differ from the base rate, and yet no chance: bit for bit.
    @Test
    void oneIdenticalSampleAmongManyIsACopy() {
        Outcome outcome = audit(
                "--samples", REAL + "#2999:3300", "--training", REAL + "#0:3000", "--heldout", REAL + "#8000:9000");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out())
                .startsWith(
                        "Copies training images: 1 of 301 samples equal one bit for bit, and no held-out image does.");
    }

    @Test
    void withoutHeldOutImagesTheReportSaysWhatIsMissing() throws IOException {
        Outcome outcome = audit("--samples", REAL + "#6000:6300", "--training", REAL + "#0:1000");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(json().path("pixels").has("c_t")).isFalse();
        assertThat(Files.readString(folder.resolve("out/report.html"))).contains("There are no held-out images");
    }

    /// CelebA, where it is at hand.
    @Test
    void plantedCopiesOfFacesAreFound() throws IOException {
        Path faces = Path.of("../../shared/data/celeba12288_gray32.npy");
        Assumptions.assumeTrue(Files.exists(faces), "no faces here");
        Path samples = planted(faces.toString(), 0, 4000, 11000);
        Outcome outcome =
                audit("--samples", samples, "--training", faces + "#0:4000", "--heldout", faces + "#10240:11000");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        List<String[]> rows = csv();
        for (int i = 0; i < PLANTED; i++) {
            assertThat(rows.get(i)[5] + rows.get(i)[6]).as("sample " + i).isEqualTo("1" + original(i));
        }
    }

    @Test
    void foldersAndZipsOfPicturesAreRead() throws IOException {
        Random random = new Random(1);
        Path training = Files.createDirectory(folder.resolve("training"));
        for (int i = 0; i < 30; i++) {
            Files.write(training.resolve("t, " + i + ".png"), png(16, 16, random));
        }
        Path zip = folder.resolve("samples.zip");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
            for (int i = 0; i < 25; i++) {
                out.putNextEntry(new ZipEntry("s" + i + ".png"));
                out.write(i == 3 ? Files.readAllBytes(training.resolve("t, 7.png")) : png(16, 16, random));
                out.closeEntry();
            }
        }
        Outcome outcome = audit("--samples", zip, "--training", training);
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out()).contains("1 of 25 samples are copies");
        String line = Files.readAllLines(folder.resolve("out/neighbours.csv")).get(4);
        assertThat(line)
                .startsWith("3,")
                .contains("samples.zip!s3.png,0.0,0.0,0,1,7,\"")
                .contains("t, 7.png\",0.0,");
    }

    @Test
    void mixedSizesAreOneSentenceAndSizeHelps() throws IOException {
        Random random = new Random(2);
        Path mixed = pictures("mixed", 24, 16, random);
        Files.write(mixed.resolve("odd.png"), png(20, 18, random));
        Path training = pictures("training", 24, 16, random);
        Outcome outcome = audit("--samples", mixed, "--training", training);
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(lastLine(outcome))
                .startsWith("rote: --samples: ")
                .contains("size: expected 18 x 20 like ")
                .contains("odd.png (or --size N to resize all), found 16 x 16");
        Path small = pictures("small", 24, 12, random);
        Outcome other = audit("--samples", small, "--training", training);
        assertThat(other.status()).isEqualTo(2);
        assertThat(lastLine(other))
                .isEqualTo(
                        "rote: --samples: " + small
                                + ": size: expected images of 16 x 16, as --training (or --size N to resize all), found 12 x 12");
        assertThat(audit("--samples", mixed, "--training", training, "--size", 16)
                        .status())
                .isZero();
    }

    @Test
    void corruptPicturesAreNamedOrCounted() throws IOException {
        Random random = new Random(3);
        Path samples = pictures("samples", 24, 16, random);
        Path training = pictures("training", 24, 16, random);
        byte[] whole = png(16, 16, random);
        Files.write(samples.resolve("broken.png"), java.util.Arrays.copyOf(whole, whole.length / 2));
        Files.writeString(samples.resolve("text.png"), "not a picture");
        Outcome outcome = audit("--samples", samples, "--training", training);
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(lastLine(outcome)).startsWith("rote: --samples: ").contains(".png: ");
        Outcome skipping = audit("--samples", samples, "--training", training, "--skip-unreadable");
        assertThat(skipping.status()).as(skipping.err()).isZero();
        assertThat(skipping.err()).contains("2 pictures of --samples could not be read and were left out.");
        assertThat(Files.readString(folder.resolve("out/report.html"))).contains("2 samples could not be read");
    }

    @Test
    void emptyFoldersMissingFilesAndFewImagesAreOneSentence() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertThat(lastLine(audit("--samples", empty, "--training", REAL)))
                .isEqualTo("rote: --samples: " + empty + ": contents: expected pictures (png, jpg, bmp, tga, pgm, ppm),"
                        + " CIFAR batches or IDX files, found none");
        assertThat(lastLine(audit("--samples", REAL, "--training", "nowhere")))
                .isEqualTo("rote: --training: nowhere: no such file or folder");
        assertThat(lastLine(audit("--samples", REAL + "#0:19", "--training", REAL)))
                .isEqualTo("rote: --samples: " + REAL + "#0:19: count: expected at least 20 images, found 19");
        assertThat(lastLine(audit("--samples", REAL + "#5:5", "--training", REAL)))
                .contains("expected FROM:TO with FROM below TO and TO at most 10000, found 5:5");
        assertThat(lastLine(audit("--samples", REAL, "--training", REAL, "--k", "third")))
                .isEqualTo("rote: --k: expected ratios such as 1/3 or 0.3, found third");
        assertThat(lastLine(audit("--samples", REAL + "#0:30", "--training", REAL, "--features", "inception")))
                .startsWith("rote: --features: expected \"random-convolution\"");
        assertThat(folder.resolve("out")).doesNotExist();
    }

    @Test
    void grayImagesAreComparedWithColour() throws IOException {
        Random random = new Random(4);
        Path colour = pictures("colour", 24, 16, random);
        byte[] values = new byte[24 * 16 * 16];
        random.nextBytes(values);
        Path gray = npy(folder.resolve("gray.npy"), values, 24, 16);
        Outcome outcome = audit("--samples", gray, "--training", colour);
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out()).startsWith("No copy among 24 samples");
    }

    private static int original(int planted) {
        return 37 * planted + 5;
    }

    /// Images `from` and on, the first ones replaced by copies of training images.
    private Path planted(String source, int training, int trained, int from) throws IOException {
        try (TrainingData data = TrainingData.load(DataOptions.of(source).withCenter(false))) {
            Dataset images = data.train();
            int size = images.extent().size();
            Random random = new Random(5);
            byte[] values = new byte[SAMPLES * size];
            for (int i = 0; i < SAMPLES; i++) {
                boolean copy = i < PLANTED;
                assertThat(original(PLANTED - 1)).isLessThan(trained);
                float[] image = images.image(copy ? training + original(i) : from + i);
                for (int k = 0; k < size; k++) {
                    double level = 255 * image[k];
                    if (copy && i % 3 == 1) {
                        level += level < 254.5 ? 1 : -1;
                    } else if (copy && i % 3 == 2) {
                        level += 8 * random.nextGaussian();
                    }
                    values[i * size + k] = (byte) Math.clamp(Math.round(level), 0, 255);
                }
            }
            return npy(folder.resolve("planted.npy"), values, SAMPLES, images.height());
        }
    }

    private static Path npy(Path file, byte[] values, int count, int side) throws IOException {
        String header =
                "{'descr': '|u1', 'fortran_order': False, 'shape': (" + count + ", " + side + ", " + side + "), }";
        byte[] text = (header + " ".repeat(117 - header.length()) + "\n").getBytes(StandardCharsets.US_ASCII);
        var out = new ByteArrayOutputStream();
        out.writeBytes(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (byte) text.length, 0});
        out.writeBytes(text);
        out.writeBytes(values);
        return Files.write(file, out.toByteArray());
    }

    private Path pictures(String name, int count, int side, Random random) throws IOException {
        Path made = Files.createDirectory(folder.resolve(name));
        for (int i = 0; i < count; i++) {
            Files.write(made.resolve("p" + i + ".png"), png(side, side, random));
        }
        return made;
    }

    private static byte[] png(int width, int height, Random random) throws IOException {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                image.setRGB(x, y, random.nextInt(1 << 24));
            }
        }
        var out = new ByteArrayOutputStream();
        ImageIO.write(image, "png", out);
        return out.toByteArray();
    }

    private Outcome audit(Object... options) {
        List<Object> words = new ArrayList<>(List.of("audit", "--out", folder.resolve("out"), "--threads", 2));
        words.addAll(List.of(options));
        return Outcome.of(words.toArray());
    }

    private List<String[]> csv() throws IOException {
        return Files.readAllLines(folder.resolve("out/neighbours.csv")).stream()
                .skip(1)
                .map(line -> line.split(","))
                .toList();
    }

    private JsonNode json() throws IOException {
        return JsonMapper.shared().readTree(Files.readString(folder.resolve("out/audit.json")));
    }

    private static String lastLine(Outcome outcome) {
        assertThat(outcome.out()).isEmpty();
        return outcome.err().lines().reduce((first, second) -> second).orElse("");
    }
}
