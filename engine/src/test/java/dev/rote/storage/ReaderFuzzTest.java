package dev.rote.storage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.errors.DataException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Damaged files give a [DataException] of one line or are read; anything else fails the test with its seed.
class ReaderFuzzTest {
    /// Damaged files of each format.
    private static final int FILES = 10_000;

    @TempDir
    Path folder;

    /// Reads a file that may be damaged.
    private interface Reader {
        void read(byte[] file) throws IOException;
    }

    /// Number of files refused.
    private static int fuzz(byte[] original, int files, long firstSeed, Reader reader) throws IOException {
        reader.read(original);
        int refused = 0;
        for (long seed = firstSeed; seed < firstSeed + files; seed++) {
            byte[] file = Mutation.of(original, new SplittableRandom(seed));
            try {
                reader.read(file);
            } catch (DataException e) {
                refused++;
                assertThat(e.getMessage())
                        .as("seed %d", seed)
                        .startsWith("damaged")
                        .doesNotContain("\n");
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed + " of a file of " + file.length + " bytes", e);
            }
        }
        return refused;
    }

    @Test
    void damagedSafeTensorsGiveDataExceptionsOnly() throws IOException {
        byte[] original = safeTensors();
        assertThat(fuzz(original, FILES, 0, ReaderFuzzTest::readSafeTensors)).isBetween(7000, 9990);
    }

    @Test
    void damagedSafeTensorsOnDiskGiveDataExceptionsOnly() throws IOException {
        Path path = folder.resolve("damaged");
        int refused = fuzz(safeTensors(), 300, 100_000, bytes -> {
            Files.write(path, bytes);
            try (SafeTensorsFile file = SafeTensors.open(path)) {
                file.entries().keySet().forEach(file::floats);
            } catch (DataException e) {
                throw new DataException(
                        e.getMessage().substring(folder.toString().length() + 1), e);
            }
        });
        assertThat(refused).isBetween(200, 299);
    }

    @Test
    void damagedJsonLinesGiveDataExceptionsOnly() throws IOException {
        String text = "{\"step\":1,\"loss\":0.25}\n{\"step\":2,\"loss\":\"NaN\",\"tags\":[1,2,{\"a\":null}]}\n"
                + "{\"step\":3,\"text\":\"\\u00e4\u00e4\"}\n";
        int refused = fuzz(
                text.getBytes(StandardCharsets.UTF_8),
                FILES,
                200_000,
                bytes -> JsonLines.read(Path.of("damaged"), new ByteArrayInputStream(bytes)));
        assertThat(refused).isBetween(5000, 9750);
    }

    @Test
    void damagedTensorBoardFilesGiveDataExceptionsOnly() throws IOException {
        Path path;
        try (TensorBoardEvents events = TensorBoardEvents.create(folder, "host", Clock.systemUTC())) {
            events.sessionStart(4);
            events.scalar("loss", 5, 0.5f);
            events.image("samples", 5, 2, 2, 3, new byte[30]);
            events.text("note", 5, "a *b*");
            path = events.path();
        }
        Reader reader = bytes -> TensorBoardLog.read(Path.of("damaged"), MemorySegment.ofArray(bytes));
        assertThat(fuzz(Files.readAllBytes(path), FILES, 300_000, reader)).isBetween(6500, 9990);
        // Damage under a right sum reaches the message decoder.
        ProtoWriter image =
                new ProtoWriter().varint(1, 2).varint(2, 300).varint(3, 3).bytes(4, new byte[9]);
        ProtoWriter summary = new ProtoWriter()
                .message(1, new ProtoWriter().text(1, "loss").fixed32(2, 1f))
                .message(1, new ProtoWriter().text(1, "picture").message(4, image));
        byte[] event = new ProtoWriter()
                .fixed64(1, 1.5)
                .varint(2, 1L << 40)
                .message(5, summary)
                .toBytes();
        Reader framed = bytes -> TensorBoardLog.read(
                Path.of("damaged"),
                MemorySegment.ofArray(RecordFrame.frame(bytes).array()));
        assertThat(fuzz(event, FILES, 400_000, framed)).isBetween(5000, 9700);
    }

    private static void readSafeTensors(byte[] bytes) {
        try (Arena arena = Arena.ofConfined()) {
            SafeTensorsFile file = new SafeTensorsFile(Path.of("damaged"), MemorySegment.ofArray(bytes), arena);
            for (String name : file.entries().keySet()) {
                assertThat((long) file.floats(name).length)
                        .isEqualTo(file.entry(name).elements());
            }
        }
    }

    private byte[] safeTensors() throws IOException {
        Path path = folder.resolve("whole");
        Tensor bytes = new Tensor("b", TensorType.U8, new long[] {2, 3}, MemorySegment.ofArray(new byte[6]));
        Tensor doubles = new Tensor("d", TensorType.F64, new long[] {}, MemorySegment.ofArray(new byte[8]));
        Tensor none = new Tensor("none", TensorType.BF16, new long[] {4, 0}, MemorySegment.ofArray(new byte[0]));
        List<Tensor> tensors = List.of(Tensor.ofFloats("w", new float[] {1, 2, 3, 4}, 2, 2), none, bytes, doubles);
        SafeTensors.write(path, tensors, Map.of("step", "7"), false);
        return Files.readAllBytes(path);
    }
}
