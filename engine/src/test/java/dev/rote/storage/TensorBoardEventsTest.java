package dev.rote.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.DataException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorBoardEventsTest {
    private static final Clock CLOCK = Clock.fixed(Instant.ofEpochMilli(1_700_000_000_500L), ZoneOffset.UTC);

    @TempDir
    Path folder;

    @Test
    void whatIsWrittenIsReadBack() {
        Path path;
        byte[] png = {1, 2, 3};
        try (TensorBoardEvents events = TensorBoardEvents.create(folder.resolve("logs"), "box", CLOCK)) {
            events.sessionStart(7);
            events.scalar("loss/train", 8, 0.125f);
            events.scalar("loss/train", 1L << 40, Float.NaN);
            events.image("samples", 9, 20, 300, 3, png);
            events.text("config", 9, "# Titel \u00e4");
            path = events.path();
        }
        assertThat(path).hasFileName("events.out.tfevents.1700000000.box");
        double now = 1_700_000_000.5;
        List<TensorBoardLog.Event> events = TensorBoardLog.read(path);
        assertThat(events)
                .hasSize(6)
                .contains(
                        new TensorBoardLog.Version(now, 0, "brain.Event:2"),
                        new TensorBoardLog.SessionStart(now, 7),
                        new TensorBoardLog.Scalar(now, 8, "loss/train", 0.125f),
                        new TensorBoardLog.Scalar(now, 1L << 40, "loss/train", Float.NaN),
                        new TensorBoardLog.Text(now, 9, "config", "# Titel \u00e4"));
        assertThat(events.get(4)).isInstanceOfSatisfying(TensorBoardLog.Image.class, image -> {
            assertThat(image.tag()).isEqualTo("samples");
            assertThat(image.height()).isEqualTo(20);
            assertThat(image.width()).isEqualTo(300);
            assertThat(image.channels()).isEqualTo(3);
            assertThat(image.png()).containsExactly(png);
        });
    }

    /// Bytes worked out by hand from the field numbers of event.proto and summary.proto.
    @Test
    void aScalarHasTheBytesOfThePublicFormat() throws IOException {
        Path path;
        try (TensorBoardEvents events = TensorBoardEvents.create(folder, "h", CLOCK)) {
            events.scalar("ab", 300, 1f);
            path = events.path();
        }
        String time = "09" + "00002040fc54d941"; // field 1, eight bytes: 1700000000.5
        String version =
                time + "1000" + "1a0d" + HexFormat.of().formatHex("brain.Event:2".getBytes(StandardCharsets.UTF_8));
        String scalar = time + "10ac02" + "2a0b" + "0a09" + "0a026162" + "150000803f";
        byte[] file = Files.readAllBytes(path);
        int first = version.length() / 2;
        int second = scalar.length() / 2;
        assertThat(file).hasSize(first + second + 32);
        assertThat(hex(file, 0, 8)).isEqualTo("%02x00000000000000".formatted(first));
        assertThat(hex(file, 12, first)).isEqualTo(version);
        assertThat(hex(file, 12 + first + 16, second)).isEqualTo(scalar);
    }

    /// The sum of "123456789" is the check value of CRC-32C, 0xe3069283.
    @Test
    void sumsAreMaskedAsTensorFlowMasksThem() {
        int sum = 0xe3069283;
        int masked = ((sum >>> 15) | (sum << 17)) + 0xa282ead8;
        assertThat(RecordFrame.maskedSum(ByteBuffer.wrap("123456789".getBytes(StandardCharsets.UTF_8))))
                .isEqualTo(masked);
    }

    @Test
    void twoLogsOfOneSecondAreTwoFiles() {
        try (TensorBoardEvents a = TensorBoardEvents.create(folder, "h", CLOCK);
                TensorBoardEvents b = TensorBoardEvents.create(folder, "h", CLOCK)) {
            assertThat(b.path()).isNotEqualTo(a.path()).exists();
        }
    }

    @Test
    void aChangedByteIsFoundAndATornRecordDropped() throws IOException {
        Path path;
        try (TensorBoardEvents events = TensorBoardEvents.create(folder, "h", CLOCK)) {
            events.scalar("loss", 1, 1f);
            path = events.path();
        }
        byte[] file = Files.readAllBytes(path); // the first record ends at 42 bytes
        for (int length = 42; length < file.length; length++) {
            Files.write(path, Arrays.copyOf(file, length));
            assertThat(TensorBoardLog.read(path)).hasSize(1);
        }
        for (int i = 0; i < file.length; i++) {
            byte[] changed = file.clone();
            changed[i] ^= 4;
            Files.write(path, changed);
            assertThatThrownBy(() -> TensorBoardLog.read(path))
                    .as("byte %d", i)
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("CRC");
        }
    }

    @Test
    void wrongImagesAndMissingFilesAreRefused() {
        try (TensorBoardEvents events = TensorBoardEvents.create(folder, "h", CLOCK)) {
            assertThatThrownBy(() -> events.image("a", 1, 0, 2, 3, new byte[1]))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> events.image("a", 1, 2, 2, 2, new byte[1]))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("channels");
        }
        assertThatThrownBy(() -> TensorBoardLog.read(folder.resolve("none"))).isInstanceOf(DataException.class);
    }

    private static String hex(byte[] file, int from, int length) {
        return HexFormat.of().formatHex(file, from, from + length);
    }
}
