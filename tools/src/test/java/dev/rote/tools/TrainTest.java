package dev.rote.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.device.cuda.VendorLibraries;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import sun.misc.Signal;

class TrainTest {
    @TempDir
    Path folder;

    private Path config;

    @BeforeEach
    void writeImagesAndConfiguration() throws IOException {
        Path images = Files.createDirectory(folder.resolve("images"));
        for (int i = 0; i < 12; i++) {
            var image = new BufferedImage(8, 8, BufferedImage.TYPE_BYTE_GRAY);
            for (int p = 0; p < 64; p++) {
                image.getRaster().setSample(p % 8, p / 8, 0, (p * (i + 3) * 7 + i * 31) % 256);
            }
            ImageIO.write(image, "png", images.resolve(i + ".png").toFile());
        }
        config = folder.resolve("tiny.toml");
        Files.writeString(config, """
                name = "tiny"
                threads = 1
                [data]
                source = "%s"
                test = 4
                [model]
                family = "unet-study1"
                width = 8
                multipliers = [1, 2]
                blocks = 1
                [train]
                steps = 6
                batch = 4
                [measure]
                steps = [3, 6]
                samples = 4
                sampler_steps = 2
                bootstrap = 10
                """.formatted(images));
    }

    private Outcome train(Object... more) {
        Object[] words = new Object[more.length + 4];
        words[0] = "train";
        words[1] = config;
        words[2] = "--out";
        words[3] = folder.resolve("run");
        System.arraycopy(more, 0, words, 4, more.length);
        return Outcome.of(words);
    }

    @Test
    void aRunIsTrainedMeasuredAndSaved() throws IOException {
        Outcome outcome = train("--set", "train.lr=2e-3", "--set", "measure.samples = 5");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out()).isEqualTo("done: 6 steps in " + folder.resolve("run") + System.lineSeparator());
        assertThat(outcome.err()).contains("cpu: 1 thread", "step 6 of 6 (100 %): measured, memorized ");
        Path run = folder.resolve("run");
        assertThat(Files.readString(run.resolve("run.toml")))
                .contains("lr = 0.002", "samples = 5", "features = \"random-convolution\"", "[recorded]", "commit = ");
        assertThat(Files.readAllLines(run.resolve("metrics.jsonl")).stream()
                        .filter(line -> line.contains("\"kind\":\"measure\"")))
                .hasSize(2);
        for (String sheet : new String[] {"3-samples.png", "3-neighbours.png", "6-samples.png", "6-neighbours.png"}) {
            BufferedImage picture =
                    ImageIO.read(run.resolve("samples").resolve(sheet).toFile());
            assertThat(picture).as(sheet).isNotNull();
            assertThat(picture.getWidth()).as(sheet).isGreaterThan(32);
        }
        try (var files = Files.list(run.resolve("checkpoints"))) {
            assertThat(files.map(file -> file.getFileName().toString())).anyMatch(name -> name.contains("6"));
        }
    }

    @Test
    void theSameCommandGoesOnAndAnotherConfigurationIsRefused() {
        assertThat(train().status()).isZero();
        Outcome again = train();
        assertThat(again.status()).as(again.err()).isZero();
        assertThat(again.err()).contains("resumed at step 6 from ");
        Outcome other = train("--set", "seed=1");
        assertThat(other.status()).isEqualTo(2);
        assertThat(other.err().lines().toList().getLast()).startsWith("rote: ").contains("run.toml");
    }

    @Test
    void aRunWithARuleForStoppingKeepsAModelAndSaysWhy() throws IOException {
        Outcome outcome = train("--stop", "before-memorization", "--set", "stop.from=2", "--set", "stop.samples=8");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out()).containsPattern("(?m)^(trained to the last step 6|stopped at step [0-9]): .*kept ");
        assertThat(Files.readString(folder.resolve("run").resolve("metrics.jsonl")))
                .contains("\"kind\":\"check\"", "\"kind\":\"stop\"");
        Outcome wrong = train("--stop", "early");
        assertThat(wrong.status()).isEqualTo(2);
        assertThat(wrong.err()).contains("--stop", "before-memorization", "early");
    }

    @Test
    void imagesAloneAreEnough() throws IOException {
        Path images = folder.resolve("images");
        String[] small = {
            "data.size=8",
            "model.width=8",
            "model.multipliers=[1,2]",
            "model.attention=[]",
            "train.steps=2",
            "measure.steps=[]"
        };
        java.util.List<Object> words =
                new java.util.ArrayList<>(java.util.List.of("train", "--data", images, "--out", folder.resolve("run")));
        for (String each : small) {
            words.addAll(java.util.List.of("--set", each));
        }
        Outcome few = Outcome.of(words.toArray());
        assertThat(few.status()).isEqualTo(2);
        assertThat(few.err()).contains("expected at least 20 images, so that some can be held out, found 12");
        for (int i = 12; i < 30; i++) {
            Files.copy(images.resolve("3.png"), images.resolve(i + ".png"));
        }
        Outcome outcome = Outcome.of(words.toArray());
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(Files.readString(folder.resolve("run").resolve("run.toml"))).contains("test = 3", "steps = 2");
        Outcome none = Outcome.of("train", "--out", folder.resolve("other"));
        assertThat(none.status()).isEqualTo(2);
        assertThat(none.err()).contains("expected CONFIG.toml or --data SOURCE, found neither");
    }

    @Test
    void aDryRunPredictsAndWritesNothing() {
        Outcome outcome = Outcome.of("train", config, "--dry-run");
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.out())
                .containsPattern("(?m)^parameters        [0-9,]+$")
                .containsPattern("(?m)^memory needed     [0-9.]+ [KMG]iB$")
                .containsPattern("(?m)^memory free       [0-9.]+ [KMG]iB$")
                .containsPattern("(?m)^one step          [0-9.]+ [kMG]FLOP, [0-9.]+ m?s$")
                .containsPattern("(?m)^steps             6$")
                .containsPattern("(?m)^one measurement   [0-9.]+ m?s$")
                .containsPattern("(?m)^measurements      2$")
                .containsPattern("(?m)^predicted time    [0-9.]+ m?s$");
        assertThat(folder.resolve("run")).doesNotExist();
    }

    /// More than a terabyte.
    @Test
    void tooLittleMemoryIsOneSentenceAndWritesNothing() {
        Object[] huge = {"--set", "model.width=64", "--set", "measure.batch=9999999", "--set", "measure.samples=9999999"
        };
        Outcome outcome = train(huge);
        assertThat(outcome.status()).as(outcome.err()).isEqualTo(3);
        assertThat(outcome.err().lines().toList().getLast())
                .matches("rote: not enough memory: expected [0-9.]+ GiB free \\([0-9.]+ GiB sampling, .*\\), "
                        + "found [0-9.]+ [GM]iB; lower measure\\.batch");
        assertThat(folder.resolve("run")).doesNotExist();
    }

    @Test
    void anInterruptedRunIsSavedAndGoesOn() throws InterruptedException {
        Object[] longer = {"--set", "train.steps=100000", "--set", "measure.steps=[100000]"};
        Thread interrupter = Thread.ofPlatform().start(() -> {
            Path events = folder.resolve("run/metrics.jsonl");
            try {
                while (!Files.exists(events) || !Files.readString(events).contains("\"kind\":\"train\"")) {
                    Thread.sleep(20);
                }
                Signal.raise(new Signal("INT"));
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        });
        Outcome outcome = train(longer);
        interrupter.join();
        assertThat(outcome.status()).as(outcome.err()).isEqualTo(130);
        assertThat(outcome.err()).containsPattern("rote: stopped at step [0-9]+; the same command goes on from there");
        assertThat(folder.resolve("run/checkpoints")).isNotEmptyDirectory();
    }

    @Test
    void wrongInputsAreNamed() throws IOException {
        fails("rote: expected --out FOLDER or --dry-run, found neither; see rote train --help", "train", config);
        fails(
                "rote: expected CONFIG.toml or --data SOURCE, found neither; see rote train --help",
                "train",
                "--dry-run");
        fails(
                "rote: --set: expected KEY=VALUE, found lr; see rote train --help",
                "train",
                config,
                "--dry-run",
                "--set",
                "lr");
        fails(
                "rote: command line: unknown key train.lrr: did you mean train.lr?",
                "train",
                config,
                "--dry-run",
                "--set",
                "train.lrr=1");
        fails("rote: command line: train.steps: expected ", "train", config, "--dry-run", "--set", "train.steps=few");
        fails(
                "rote: measure.features: expected \"random-convolution\", \"pixel-pca\" or the path of an ONNX file, found"
                        + " \"inception\"",
                "train",
                config,
                "--dry-run",
                "--set",
                "measure.features=inception");
        fails(
                "rote: " + folder.resolve("gone") + ": ",
                "train",
                config,
                "--dry-run",
                "--set",
                "data.source=" + folder.resolve("gone"));
        fails("rote: " + folder + ": expected a TOML file, found a folder", "train", folder, "--dry-run");
        Files.writeString(config, "data = 3");
        fails("rote: " + config + ": line 1: data: expected ", "train", config, "--dry-run");
    }

    private static void fails(String beginning, Object... words) {
        Outcome outcome = Outcome.of(words);
        assertThat(outcome.err().lines().toList().getLast()).startsWith(beginning);
        assertThat(outcome.status()).as(outcome.err()).isEqualTo(2);
        assertThat(outcome.out()).isEmpty();
    }

    /// The libraries are looked for before the driver.
    @Test
    void vendorKernelsWithoutLibrariesAreTheEnvironmentsAndOnACpuTheUsersMistake() {
        Assumptions.assumeTrue(VendorLibraries.here().cudnn().isEmpty(), "cuDNN is here");
        Outcome outcome = train("--device", "cuda", "--kernels", "vendor");
        assertThat(outcome.status()).isEqualTo(3);
        assertThat(outcome.err())
                .startsWith("rote: kernels \"vendor\": found no ")
                .contains("cuDNN (libcudnn.so.9); looked in ROTE_VENDOR_LIBRARIES (names none), LD_LIBRARY_PATH, ")
                .hasLineCount(1);
        assertThat(folder.resolve("run")).doesNotExist();
        Outcome cpu = train("--kernels", "vendor");
        assertThat(cpu.status()).isEqualTo(2);
        assertThat(cpu.err()).contains("kernels: expected \"own\" as long as device is \"cpu\", found \"vendor\"");
    }

    @Test
    void aDeviceThatThisBuildLacksIsTheEnvironments() {
        Outcome outcome = train("--device", "cuda");
        assertThat(outcome.status()).isEqualTo(3);
        assertThat(outcome.err()).startsWith("rote: device \"cuda\": ");
        assertThat(folder.resolve("run")).doesNotExist();
    }
}
