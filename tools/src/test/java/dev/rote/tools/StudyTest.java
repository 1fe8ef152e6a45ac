package dev.rote.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.device.cuda.VendorLibraries;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A study of two runs from the command line to the report.
class StudyTest {
    private static final String STUDY = """
            name = "tiny"
            [data]
            source = "builtin:fashion-mnist"
            size = 8
            gray = true
            test = 8
            [model]
            width = 8
            multipliers = [1, 2]
            [train]
            optimizer = "adam"
            batch = 4
            steps = 8
            log_every = 2
            [measure]
            steps = [4, 8]
            samples = 4
            sampler_steps = 3
            noise_draws = 2
            sheets = "last"
            [grid]
            "data.n" = [4, 8]
            """;

    @TempDir
    Path temp;

    private record Result(int status, String out, String err) {}

    private static Result rote(String... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Rote.run(
                args,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Result(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private Path study() throws IOException {
        return Files.writeString(temp.resolve("tiny.toml"), STUDY);
    }

    @Test
    void aStudyEndsInAReportAndDoesNothingTwice() throws IOException {
        String file = study().toString();
        Path folder = temp.resolve("out");
        Result first = rote("study", file, "--out", folder.toString());
        assertThat(first.status()).as(first.err()).isZero();
        assertThat(first.err()).contains("n=4: complete", "n=8: complete");
        assertThat(folder.resolve("report.html")).content().contains("n = 4", "n = 8", "not FID");
        assertThat(folder.resolve("curves.csv")).content().contains("f_mem[k=1/3]", "loss_test@0.01");
        assertThat(folder.resolve("figures").resolve("f_mem_k1_3.png")).exists();
        assertThat(folder.resolve("runs/n=8/samples/8-neighbours.png")).exists();

        byte[] records = Files.readAllBytes(folder.resolve("runs/n=4/metrics.jsonl"));
        Result second = rote("study", file, "--out", folder.toString());
        assertThat(second.status()).isZero();
        assertThat(Files.readAllBytes(folder.resolve("runs/n=4/metrics.jsonl"))).isEqualTo(records);
    }

    @Test
    void runsOfAnotherConfigurationAreRefusedAndNothingIsWritten() throws IOException {
        String file = study().toString();
        Path folder = temp.resolve("out");
        assertThat(rote("study", file, "--out", folder.toString()).status()).isZero();
        byte[] page = Files.readAllBytes(folder.resolve("report.html"));
        byte[] toml = Files.readAllBytes(folder.resolve("study.toml"));
        for (String option : new String[] {"--report-only", "--threads=1"}) {
            Result other = rote("study", file, "--out", folder.toString(), "--set", "train.lr=5e-4", option);
            assertThat(other.status()).isEqualTo(2);
            assertThat(other.err())
                    .contains("run.toml", "lr = 0.0001", "lr = 0.0005")
                    .doesNotContain("\tat ");
        }
        assertThat(Files.readAllBytes(folder.resolve("report.html"))).isEqualTo(page);
        assertThat(Files.readAllBytes(folder.resolve("study.toml"))).isEqualTo(toml);
    }

    @Test
    void aDeviceThatIsNotThereIsNotReplaced() throws IOException {
        Path folder = temp.resolve("out");
        Result result = rote("study", study().toString(), "--out", folder.toString(), "--device", "cuda");
        assertThat(result.status()).isEqualTo(3);
        assertThat(folder.resolve("study.toml")).content().contains("device = \"cuda\"");
        assertThat(result.err().lines().filter(line -> line.contains("device \"cuda\"")))
                .as(result.err())
                .hasSize(1);
        assertThat(folder.resolve("runs/n=4/metrics.jsonl")).doesNotExist();
    }

    @Test
    void vendorKernelsThatAreNotThereAreSaidOnce() throws IOException {
        Assumptions.assumeTrue(VendorLibraries.here().cudnn().isEmpty(), "cuDNN is here");
        String folder = temp.resolve("out").toString();
        Result result = rote("study", study().toString(), "--out", folder, "--device", "cuda", "--kernels", "vendor");
        assertThat(result.status()).isEqualTo(3);
        assertThat(result.err().lines().filter(line -> line.contains("kernels \"vendor\": found no ")))
                .as(result.err())
                .hasSize(1);
    }

    @Test
    void aRunThatCannotStartDoesNotStopTheOthers() throws IOException {
        Path folder = temp.resolve("out");
        Result result = rote("study", study().toString(), "--out", folder.toString(), "--set", "data.n=[4, 20000]");
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err()).contains("n=4: complete", "n=20000").doesNotContain("\tat ");
        assertThat(folder.resolve("report.html")).content().contains("failed");
    }

    @Test
    void aDryRunWritesNothing() throws IOException {
        Path folder = temp.resolve("out");
        Result result = rote("study", study().toString(), "--out", folder.toString(), "--dry-run", "--device", "auto");
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(result.err().lines().filter(line -> line.startsWith("device auto: ")))
                .hasSize(1);
        assertThat(result.out()).contains("n=4", "n=8", "2 runs");
        assertThat(folder).doesNotExist();
    }

    @Test
    void anUnknownStudyNamesTheNearest() {
        Result result = rote("study", "quikstart");
        assertThat(result.status()).isEqualTo(2);
        assertThat(result.err()).contains("did you mean quickstart");
    }

    @Test
    void aDamagedRecordIsNamedAndLeavesTheRest() throws IOException {
        String file = study().toString();
        Path folder = temp.resolve("out");
        assertThat(rote("study", file, "--out", folder.toString()).status()).isZero();
        Path records = folder.resolve("runs/n=4/metrics.jsonl");
        String text = Files.readString(records);
        int line = (int) text.lines().takeWhile(l -> !l.contains("\"train\"")).count() + 1;
        Files.writeString(records, text.replaceFirst("\"loss\":[0-9.]+", "\"loss\":\"gone\""));
        for (String option : new String[] {"--report-only", "--threads=1"}) {
            Result result = rote("study", file, "--out", folder.toString(), option);
            assertThat(result.status()).isEqualTo(2);
            assertThat(result.err())
                    .contains("n=4", records + ": line " + line + ": expected a number as loss, found \"gone\"")
                    .doesNotContain("\tat ", "internal");
            assertThat(folder.resolve("report.html")).content().contains("Run n=4 is left out", "n = 8");
            assertThat(folder.resolve("curves.csv")).content().contains("n=8").doesNotContain("n=4,");
        }
    }

    @Test
    void aReportNeedsNeitherItsImagesNorSoundSamples() throws IOException {
        Path images = pictures();
        String file = Files.writeString(
                        temp.resolve("own.toml"),
                        STUDY.replace("builtin:fashion-mnist", images.toString())
                                .replace("sheets = \"last\"", ""))
                .toString();
        Path folder = temp.resolve("out");
        Result first = rote("study", file, "--out", folder.toString());
        assertThat(first.status()).as(first.err()).isZero();

        Path hidden = temp.resolve("hidden");
        Files.move(images, hidden);
        assertThat(rote("study", file, "--out", folder.toString(), "--report-only")
                        .status())
                .isZero();
        Path sheet = folder.resolve("runs/n=8/samples/8-neighbours.png");
        Files.delete(sheet);
        Result without = rote("study", file, "--out", folder.toString(), "--report-only");
        assertThat(without.err()).contains("Sheets show samples without their nearest training images");
        assertThat(folder.resolve("report.html"))
                .content()
                .contains("n=8, step 8: samples<", "n=8, step 4: samples and");
        assertThat(sheet).doesNotExist();

        Files.move(hidden, images);
        Files.writeString(folder.resolve("runs/n=8/samples/8.safetensors"), "no tensors");
        Files.copy(
                folder.resolve("runs/n=8/checkpoints/8.safetensors"), folder.resolve("runs/n=8/samples/7.safetensors"));
        Result damaged = rote("study", file, "--out", folder.toString(), "--report-only");
        assertThat(damaged.status()).isEqualTo(2);
        assertThat(damaged.err())
                .contains("8.safetensors: byte 0", "7.safetensors: header: expected a tensor named samples")
                .doesNotContain("internal", "\tat ");
        assertThat(folder.resolve("report.html")).content().contains("A sheet of run n=8 is left out");
    }

    @Test
    void otherImagesUnderACompleteRunAreNoticed() throws IOException {
        Path images = pictures();
        String file = Files.writeString(
                        temp.resolve("own.toml"), STUDY.replace("builtin:fashion-mnist", images.toString()))
                .toString();
        Path folder = temp.resolve("out");
        assertThat(rote("study", file, "--out", folder.toString()).status()).isZero();
        Files.copy(images.resolve("3.png"), images.resolve("5.png"), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        Result again = rote("study", file, "--out", folder.toString());
        assertThat(again.status()).isEqualTo(2);
        assertThat(again.err())
                .contains("n=8", "the training images of data.source now")
                .doesNotContain("run n=4: ");
        assertThat(folder.resolve("report.html")).content().contains("n = 4");
    }

    @Test
    void theFolderHoldsTheFileThatReproducesTheStudy() throws IOException {
        Path folder = temp.resolve("out");
        assertThat(rote("study", study().toString(), "--out", folder.toString(), "--set", "train.lr=3e-4")
                        .status())
                .isZero();
        Path copy = Files.copy(folder.resolve("study.toml"), temp.resolve("copy.toml"));
        Result again = rote("study", copy.toString(), "--out", folder.toString());
        assertThat(again.status()).as(again.err()).isZero();
        assertThat(again.err()).doesNotContain("complete");
    }

    @Test
    void impossibleNumbersOfJobsAndThreadsAreRefused() throws IOException {
        String file = study().toString();
        for (String option : new String[] {"--jobs=-1", "--jobs=0", "--threads=-2", "--threads=0"}) {
            Result result = rote("study", file, "--out", temp.resolve("out").toString(), option);
            assertThat(result.status()).isEqualTo(2);
            assertThat(result.err()).contains("expected 1 or more");
        }
        assertThat(temp.resolve("out")).doesNotExist();
    }

    @Test
    void aStudyWithoutTestImagesSaysWhatItsDistancesAreTo() throws IOException {
        Path folder = temp.resolve("out");
        String file = Files.writeString(temp.resolve("own.toml"), STUDY.replace("test = 8", "test = 0"))
                .toString();
        Result result = rote("study", file, "--out", folder.toString());
        assertThat(result.status()).as(result.err()).isZero();
        assertThat(folder.resolve("report.html"))
                .content()
                .contains("There are no held-out images", "to the training images");
    }

    /// A folder of 16 different images of 8x8 pixels.
    private Path pictures() throws IOException {
        Path images = Files.createDirectories(temp.resolve("images"));
        for (int i = 0; i < 16; i++) {
            var picture = new java.awt.image.BufferedImage(8, 8, java.awt.image.BufferedImage.TYPE_BYTE_GRAY);
            picture.setRGB(i % 8, i / 2, 0xffffff);
            javax.imageio.ImageIO.write(
                    picture, "png", images.resolve(i + ".png").toFile());
        }
        return images;
    }
}
