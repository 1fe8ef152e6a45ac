package dev.rote.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.DataException;
import dev.rote.errors.EnvironmentException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

class JsonLinesTest {
    @TempDir
    Path folder;

    @Test
    void recordsAreReadBackInOrder() throws IOException {
        Path path = folder.resolve("metrics.jsonl");
        try (JsonLines log = JsonLines.append(path, true)) {
            log.write(Map.of("step", 1, "loss", 0.25));
            assertThat(Files.readString(path)).endsWith("}\n"); // there before close
            log.write(Map.of("text", "a\nb \u00e4"));
        }
        try (JsonLines log = JsonLines.append(path, false)) {
            log.write(Map.of("step", 2, "loss", Double.NaN));
        }
        List<ObjectNode> records = JsonLines.read(path);
        assertThat(records).hasSize(3);
        assertThat(records.get(0).get("loss").doubleValue()).isEqualTo(0.25);
        assertThat(records.get(1).get("text").stringValue()).isEqualTo("a\nb \u00e4");
        assertThat(records.get(2).get("loss").stringValue()).isEqualTo("NaN");
        assertThat(Files.readAllLines(path)).hasSize(3);
    }

    @Test
    void aLogThatIsNotThereHasNoRecords() {
        assertThat(JsonLines.read(folder.resolve("none"))).isEmpty();
        assertThat(JsonLines.removeAfter(folder.resolve("none"), 3)).isZero();
    }

    @Test
    void everyTornTailIsDroppedByReadersAndCutOffByWriters() throws IOException {
        String two = "{\"step\":1}\n{\"step\":2}\n";
        String third = "{\"step\":3,\"x\":\"" + "y".repeat(9000) + "\"}\n";
        for (int kept : new int[] {0, 1, 8, 5000, third.length() - 1}) {
            Path path = folder.resolve("torn" + kept);
            Files.writeString(path, two + third.substring(0, kept));
            assertThat(JsonLines.read(path)).hasSize(2);
            try (JsonLines log = JsonLines.append(path, false)) {
                assertThat(Files.readString(path)).isEqualTo(two);
                log.write(Map.of("step", 4));
            }
            assertThat(Files.readString(path)).isEqualTo(two + "{\"step\":4}\n");
        }
        Path onlyTorn = Files.writeString(folder.resolve("only"), third.trim());
        JsonLines.append(onlyTorn, false).close();
        assertThat(onlyTorn).isEmptyFile();
    }

    @Test
    void recordsAfterAStepAreRemovedAndTheOthersKeepTheirBytes() throws IOException {
        Path path = folder.resolve("metrics.jsonl");
        Files.writeString(
                path, "{\"a\": 1}\n{\"step\":10}\n{\"step\": 20 , \"x\":1.50}\n{\"step\":21}\n{\"b\":2}\n{\"st");
        assertThat(JsonLines.removeAfter(path, 20)).isEqualTo(1);
        assertThat(Files.readString(path))
                .isEqualTo("{\"a\": 1}\n{\"step\":10}\n{\"step\": 20 , \"x\":1.50}\n{\"b\":2}\n");
        assertThat(JsonLines.removeAfter(path, 20)).isZero();
        assertThat(JsonLines.removeAfter(path, 0)).isEqualTo(2);
        assertThat(JsonLines.read(path)).hasSize(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[1]", "{\"a\":1", "{\"a\":1}{", "{\"a\":1,\"a\":2}", "{a:1}", "\0\0", "{\"a\":NaN}"})
    void aWrongLineIsNamed(String line) throws IOException {
        Path path = Files.writeString(folder.resolve("log"), "{\"step\":1}\n" + line + "\n");
        assertThatThrownBy(() -> JsonLines.read(path))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith(path + ": line 2: expected a JSON object, found ")
                .hasMessageNotContaining("\n");
    }

    @Test
    void aMissingFolderIsAnEnvironmentFault() {
        assertThatThrownBy(() -> JsonLines.append(folder.resolve("none/log"), false))
                .isInstanceOf(EnvironmentException.class)
                .hasMessageContaining("does not exist");
    }

    @Test
    void aLineWithoutEndIsRefusedBeforeItFillsTheMemory() throws IOException {
        Path path = folder.resolve("long");
        Files.write(path, new byte[JsonLines.MAX_LINE_BYTES + (1 << 17)]);
        assertThatThrownBy(() -> JsonLines.read(path))
                .isInstanceOf(DataException.class)
                .hasMessageContaining("line 1: expected at most 16777216 bytes");
    }
}
