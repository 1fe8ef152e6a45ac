package dev.rote.train;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.errors.DataException;
import dev.rote.nn.UNetFiles;
import dev.rote.storage.Mutation;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Damaged checkpoints are refused by a [DataException] that leaves the model as it was, or are read; nothing else.
class CheckpointFuzzTest {
    private static final int FILES = 10_000;

    /// Damaged files of weights alone: the same reader, then the search for their network.
    private static final int WEIGHTS = 2_000;

    private static final int STEP = 3;

    private static final String CONFIG = """
            [data]
            source = "x"
            [model]
            family = "unet-iddpm"
            width = 4
            multipliers = [1]
            blocks = 1
            groups = 1
            heads = 1
            attention = []
            middle_attention = false
            [train]
            batch = 1
            steps = 9
            [measure]
            metrics = []
            """;

    @TempDir
    Path folder;

    @Test
    void damagedCheckpointsAreRefusedAndTheModelStays() throws IOException {
        Path path = folder.resolve("damaged");
        try (CpuDevice device = CpuDevice.open(1);
                TrainingData data = data();
                Trainer trainer = Trainer.open(device, RunConfig.parse(CONFIG, "test"), data)) {
            trainer.model().setStep(STEP);
            trainer.save(path);
            byte[] original = Files.readAllBytes(path);
            int refused = 0;
            for (int seed = 0; seed < FILES; seed++) {
                Files.write(path, damaged(original, new SplittableRandom(seed)));
                trainer.model().setStep(STEP + 1);
                try {
                    trainer.load(path);
                } catch (DataException e) {
                    refused++;
                    assertThat(e.getMessage())
                            .as("seed %d", seed)
                            .contains("damaged")
                            .doesNotContain("\n");
                    assertThat(trainer.model().step()).as("seed %d", seed).isEqualTo(STEP + 1);
                } catch (RuntimeException | Error e) {
                    throw new AssertionError("seed " + seed, e);
                }
            }
            assertThat(refused).isBetween(FILES / 2, FILES - 10);
        }
    }

    @Test
    void theNetworkOfDamagedWeightsIsFoundOrRefused() throws IOException {
        Path path = folder.resolve("damaged");
        byte[] original;
        try (CpuDevice device = CpuDevice.open(1);
                TrainingData data = data();
                Trainer trainer = Trainer.open(device, RunConfig.parse(CONFIG, "test"), data)) {
            trainer.saveWeights(path, false);
            original = Files.readAllBytes(path);
        }
        int refused = 0;
        for (int seed = 0; seed < WEIGHTS; seed++) {
            Files.write(path, damaged(original, new SplittableRandom(seed)));
            try (SafeTensorsFile file = SafeTensors.open(path)) {
                UNetFiles.detect(path, file);
            } catch (DataException e) {
                refused++;
                assertThat(e.getMessage())
                        .as("seed %d", seed)
                        .contains("damaged")
                        .doesNotContain("\n");
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
        assertThat(refused).isBetween(WEIGHTS / 4, WEIGHTS - 10);
    }

    /// Damage anywhere, or in the header or its metadata only with the length put right, so that names, shapes and
    /// facts are reached.
    private static byte[] damaged(byte[] file, RandomGenerator random) {
        int part = random.nextInt(4);
        if (part == 0) {
            return Mutation.of(file, random);
        }
        int length = (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        String text = new String(file, 8, length, StandardCharsets.ISO_8859_1);
        int facts = part == 1 ? Math.max(0, text.indexOf("rote.")) : 0;
        int from = 8 + facts;
        int to = 8 + (part == 1 ? text.indexOf('}', facts) : length);
        byte[] damaged = Mutation.of(Arrays.copyOfRange(file, from, to), random);
        return ByteBuffer.allocate(file.length - (to - from) + damaged.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(length - (to - from) + damaged.length)
                .put(file, 8, from - 8)
                .put(damaged)
                .put(file, to, file.length - to)
                .array();
    }

    private static TrainingData data() {
        Extent extent = new Extent(2, 2, 1);
        return new TrainingData(
                Dataset.of(2, extent, new byte[8]),
                Dataset.of(0, extent, new byte[0]),
                0f,
                new int[2],
                new int[0],
                0,
                DataOptions.of("x"));
    }
}
