package dev.rote.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.errors.DataException;
import dev.rote.errors.EnvironmentException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafeTensorsTest {
    @TempDir
    Path folder;

    @Test
    void goldenWeightsOfPyTorchAreRead() throws IOException {
        try (SafeTensorsFile file = SafeTensors.open(golden("study1_unet_w8_weights.safetensors"))) {
            assertThat(file.entries()).hasSize(277);
            assertThat(file.metadata()).containsOnly(Map.entry("W", "8"), Map.entry("seed", "7"));
            SafeTensorsFile.Entry entry = file.entry("time_embeddings.time_mlp.0.weight");
            assertThat(entry.type()).isEqualTo(TensorType.F32);
            assertThat(entry.shape()).containsExactly(1000, 8);
            float[] table = file.floats(entry.name());
            // Row 1 of a sinusoidal table of 8: four sines, four cosines, the first of each of an angle of 1.
            assertThat(table[8]).isEqualTo((float) Math.sin(1), within(1e-6f));
            assertThat(table[12]).isEqualTo((float) Math.cos(1), within(1e-6f));
            assertThat(file.verifyHash()).isFalse();
        }
    }

    @Test
    void goldenIntegersAreReadAsFloats() throws IOException {
        try (SafeTensorsFile file = SafeTensors.open(golden("study1_unet_w8_io.safetensors"))) {
            assertThat(file.entry("t").type()).isEqualTo(TensorType.I64);
            MemorySegment raw = file.data("t");
            float[] times = file.floats("t");
            assertThat(times).hasSize(3);
            for (int i = 0; i < 3; i++) {
                assertThat((long) times[i]).isEqualTo(raw.get(ValueLayout.JAVA_LONG_UNALIGNED, 8L * i));
            }
        }
    }

    @Test
    void whatIsWrittenIsReadBack() {
        Path path = folder.resolve("a.safetensors");
        float[] values = {1.5f, -0f, Float.MIN_VALUE, Float.NaN, Float.NEGATIVE_INFINITY, 3};
        Tensor scalar = Tensor.ofFloats("scal\"ar \u00e4", new float[] {7});
        Tensor empty = Tensor.ofFloats("empty", new float[0], 0, 5);
        SafeTensors.write(
                path,
                List.of(Tensor.ofFloats("w", values, 2, 3), empty, scalar),
                Map.of("step", "12", "arch", "{\"a\":1}"),
                true);
        try (SafeTensorsFile file = SafeTensors.open(path)) {
            assertThat(file.entries().keySet()).containsExactly("w", "empty", "scal\"ar \u00e4");
            assertThat(file.floats("w")).containsExactly(values);
            assertThat(file.entry("empty").shape()).containsExactly(0, 5);
            assertThat(file.floats("empty")).isEmpty();
            assertThat(file.entry("scal\"ar \u00e4").shape()).isEmpty();
            assertThat(file.floats("scal\"ar \u00e4")).containsExactly(7);
            assertThat(file.metadata())
                    .containsEntry("step", "12")
                    .containsEntry("arch", "{\"a\":1}")
                    .containsKey("sha256");
            assertThat(file.verifyHash()).isTrue();
            assertThatThrownBy(() -> file.data("w").set(ValueLayout.JAVA_BYTE, 0, (byte) 1))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void equalContentGivesEqualBytesInWhateverOrderTheMetadataCome() throws IOException {
        Map<String, String> upward = new LinkedHashMap<>();
        Map<String, String> downward = new LinkedHashMap<>();
        for (int i = 0; i < 9; i++) {
            upward.put("key " + i, "v");
            downward.put("key " + (8 - i), "v");
        }
        List<Tensor> tensors = List.of(Tensor.ofFloats("w", new float[] {1}, 1));
        SafeTensors.write(folder.resolve("a"), tensors, upward, true);
        SafeTensors.write(folder.resolve("b"), tensors, downward, true);
        assertThat(folder.resolve("b")).hasSameBinaryContentAs(folder.resolve("a"));
    }

    @Test
    void theHeaderIsPaddedWithSpacesToEightBytes() throws IOException {
        for (String name : List.of("a", "ab", "abc", "abcdefg", "abcdefgh")) {
            Path path = folder.resolve(name);
            SafeTensors.write(path, List.of(Tensor.ofFloats(name, new float[] {1})), Map.of(), false);
            ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
            int length = (int) bytes.getLong();
            String header = new String(bytes.array(), 8, length, StandardCharsets.UTF_8);
            assertThat(length % 8).isZero();
            assertThat(header.stripTrailing())
                    .isEqualTo("{\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}");
            assertThat(length - header.stripTrailing().length()).isLessThan(8);
            assertThat(bytes.array()).hasSize(8 + length + 4);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "F64, 000000000000f83f, 1.5",
        "F32, 0000c03f, 1.5",
        "F16, 003e, 1.5",
        "F16, 0100, 5.9604644775390625e-8",
        "BF16, c03f, 1.5",
        "I64, ffffffffffffffff, -1",
        "I64, 0100000000000040, 4611686018427387904",
        "I32, feffffff, -2",
        "I16, fdff, -3",
        "I8, fc, -4",
        "U8, fc, 252",
        "BOOL, 01, 1",
        "BOOL, 00, 0"
    })
    void everyTypeBecomesTheNearestFloat(TensorType type, String hex, float expected) throws IOException {
        byte[] data = java.util.HexFormat.of().parseHex(hex);
        String header = "{\"x\":{\"dtype\":\"" + type + "\",\"shape\":[1],\"data_offsets\":[0," + data.length + "]}}";
        try (SafeTensorsFile file = SafeTensors.open(file(header, data))) {
            assertThat(file.entry("x").elements()).isEqualTo(1);
            assertThat(file.floats("x")).containsExactly(expected);
        }
    }

    @Test
    void theHashFindsOneChangedBit() throws IOException {
        Path path = folder.resolve("hashed");
        SafeTensors.write(path, List.of(Tensor.ofFloats("w", new float[1000], 1000)), Map.of(), true);
        byte[] bytes = Files.readAllBytes(path);
        bytes[bytes.length - 1] ^= 1;
        Files.write(path, bytes);
        try (SafeTensorsFile file = SafeTensors.open(path)) {
            assertThatThrownBy(file::verifyHash)
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("SHA-256");
        }
    }

    @Test
    void tensorsMayStandInTheHeaderInAnyOrder() throws IOException {
        String header = "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]},"
                + "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
        try (SafeTensorsFile file = SafeTensors.open(file(header, new byte[] {5, 6}))) {
            assertThat(file.entries().keySet()).containsExactly("a", "b");
            assertThat(file.floats("b")).containsExactly(6);
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "x:F32:[2]:[0,8] | 4 | the 8 bytes of its tensors, found 4 bytes",
                "x:F32:[2]:[0,8] | 12 | the 8 bytes of its tensors, found 12 bytes",
                "x:F32:[2]:[0,4] | 4 | 8 bytes of F32 [2], found 4 bytes",
                "x:F32:[1]:[4,0] | 4 | begin <= end",
                "x:F32:[1]:[4,8] | 8 | to begin at data byte 0",
                "x:U8:[2]:[0,2] y:U8:[2]:[1,3] | 3 | tensor y: expected to begin at data byte 2, found byte 1",
                "x:U8:[2]:[0,2] y:U8:[2]:[3,5] | 5 | tensor y: expected to begin at data byte 2, found byte 3",
                "x:F32:[4294967296,4294967296]:[0,0] | 0 | fewer than 2^63 bytes",
                "x:F32:[4611686018427387904]:[0,0] | 0 | fewer than 2^63 bytes",
                "x:F32:[-1]:[0,0] | 0 | whole numbers from 0",
                "x:F32:[1.0]:[0,4] | 4 | whole numbers from 0",
                "x:F32:[9223372036854775808]:[0,4] | 4 | whole numbers from 0",
                "x:F32:[1]:[0,2,4] | 4 | [begin, end]",
                "x:F32:7:[0,4] | 4 | an array shape",
                "x:F8_E4M3:[1]:[0,1] | 1 | a dtype of [F64",
                "x:F32:[1]:[0,4] x:F32:[1]:[4,8] | 8 | uplicate",
            })
    void contradictoryTensorsAreRefused(String tensors, int dataBytes, String complaint) throws IOException {
        StringBuilder header = new StringBuilder("{");
        for (String tensor : tensors.trim().split(" ")) {
            String[] part = tensor.split(":");
            header.append(header.length() > 1 ? "," : "")
                    .append("\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}".formatted((Object[]) part));
        }
        assertRefused(file(header + "}", new byte[dataBytes]), complaint);
    }

    @Test
    void brokenFilesAreRefused() throws IOException {
        assertRefused(file("{\"x\":{}}", new byte[0]), "a dtype of");
        assertRefused(file("{\"x\":3}", new byte[0]), "an object, found number");
        assertRefused(
                file("{\"x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0],\"y\":1}}", new byte[0]), "key y");
        assertRefused(file("{\"__metadata__\":{\"a\":1}}", new byte[0]), "__metadata__.a: expected a string");
        assertRefused(file("{\"__metadata__\":[]}", new byte[0]), "an object of strings");
        assertRefused(file("[]", new byte[0]), "byte 8: expected a JSON object");
        assertRefused(file("{} x", new byte[0]), "header: expected a JSON object");
        assertRefused(file("{\"x\":", new byte[0]), "header: expected a JSON object");
        assertRefused(file("{\"x\":" + "[".repeat(100_000), new byte[0]), "header: expected a JSON object");
        Path path = folder.resolve("raw");
        Files.write(path, new byte[7]);
        assertRefused(path, "an 8-byte header length");
        Files.write(path, new byte[] {3, 0, 0, 0, 0, 0, 0, 0, '{', '}'});
        assertRefused(path, "a header length of 2 to 2, found 3");
        Files.write(path, new byte[] {-1, -1, -1, -1, -1, -1, -1, -1, '{', '}'});
        assertRefused(path, "found 18446744073709551615");
        Files.write(path, new byte[] {4, 0, 0, 0, 0, 0, 0, 0, '{', '"', (byte) 0xff, '}'});
        assertRefused(path, "UTF-8");
        assertRefused(folder.resolve("none"), "found no file");
        assertRefused(folder, "found a folder");
    }

    @Test
    void anUnknownNameIsRefusedWithTheNumberOfOthers() throws IOException {
        try (SafeTensorsFile file = SafeTensors.open(file("{}", new byte[0]))) {
            assertThatThrownBy(() -> file.data("w"))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("a tensor named w");
        }
    }

    @Test
    void impossibleTensorsAreTheCallersFault() {
        MemorySegment eight = MemorySegment.ofArray(new byte[8]);
        assertThatThrownBy(() -> new Tensor("a", TensorType.F32, new long[] {3}, eight))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("F32[3]");
        assertThatThrownBy(() -> new Tensor("a", TensorType.F32, new long[] {-2, -1}, eight))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Tensor("__metadata__", TensorType.F32, new long[] {2}, eight))
                .isInstanceOf(IllegalArgumentException.class);
        Tensor a = Tensor.ofFloats("a", new float[1], 1);
        assertThatThrownBy(() -> SafeTensors.write(folder.resolve("x"), List.of(a, a), Map.of(), false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("two are named a");
        assertThatThrownBy(() -> SafeTensors.write(folder.resolve("x"), List.of(a), Map.of("sha256", ""), true))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> SafeTensors.write(folder.resolve("no/x"), List.of(a), Map.of(), true))
                .isInstanceOf(EnvironmentException.class)
                .hasMessageContaining("does not exist");
    }

    @Test
    void nativeAndOtherHeapMemoryCanBeWritten() {
        Path path = folder.resolve("memory");
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment nativeMemory = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1f, 2f);
            MemorySegment floats = MemorySegment.ofArray(new float[] {3, 4});
            SafeTensors.write(
                    path,
                    List.of(
                            new Tensor("n", TensorType.F32, new long[] {2}, nativeMemory),
                            new Tensor("h", TensorType.F32, new long[] {2}, floats)),
                    Map.of(),
                    true);
        }
        SafeTensorsFile file = SafeTensors.open(path);
        assertThat(file.floats("n")).containsExactly(1, 2);
        assertThat(file.floats("h")).containsExactly(3, 4);
        MemorySegment data = file.data("n");
        file.close();
        file.close();
        assertThatThrownBy(() -> data.get(ValueLayout.JAVA_BYTE, 0)).isInstanceOf(IllegalStateException.class);
    }

    private static void assertRefused(Path path, String complaint) {
        assertThatThrownBy(() -> SafeTensors.open(path))
                .isInstanceOf(DataException.class)
                .hasMessageStartingWith(path.toString())
                .hasMessageContaining(complaint)
                .hasMessageNotContaining("\n");
    }

    private Path file(String header, byte[] data) throws IOException {
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putLong(json.length).put(json).put(data);
        return Files.write(folder.resolve("made.safetensors"), bytes.array());
    }

    private Path golden(String name) throws IOException {
        try (InputStream in = SafeTensorsTest.class.getResourceAsStream("/golden/" + name)) {
            Files.copy(in, folder.resolve(name));
        }
        return folder.resolve(name);
    }
}
