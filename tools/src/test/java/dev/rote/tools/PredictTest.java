package dev.rote.tools;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.nn.ParameterLayout;
import dev.rote.nn.UNet;
import dev.rote.nn.UNetConfig;
import dev.rote.nn.UNetFiles;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import dev.rote.storage.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PredictTest {
    private static final Path GOLDEN = Path.of("..", "engine", "src", "test", "resources", "golden");
    private static final Path WEIGHTS = GOLDEN.resolve("study1_unet_w8_weights.safetensors");
    private static final Path IO = GOLDEN.resolve("study1_unet_w8_io.safetensors");

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"f32,2e-4,1", "f32,2e-4,2", "bf16,3e-2,2"})
    void predictionIsThatOfPyTorch(String precision, double tolerance, int threads) {
        Path y = folder.resolve("y.safetensors");
        Outcome outcome = Outcome.of(
                "predict",
                "--weights",
                WEIGHTS,
                "--input",
                IO,
                "--output",
                y,
                "--precision",
                precision,
                "--threads",
                threads);
        assertThat(outcome.status()).as(outcome.err()).isZero();
        assertThat(outcome.err()).contains("names: those of study 1").contains("cpu: " + threads + " thread");
        try (SafeTensorsFile found = SafeTensors.open(y);
                SafeTensorsFile golden = SafeTensors.open(IO)) {
            assertThat(found.verifyHash()).isTrue();
            assertThat(found.entry("y").shape()).containsExactly(3, 1, 32, 32);
            assertThat(found.metadata()).containsEntry("precision", precision);
            assertThat(error(found.floats("y"), golden.floats("y"))).isLessThan(tolerance);
        }
    }

    private static double error(float[] found, float[] golden) {
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < golden.length; i++) {
            difference += Math.pow(found[i] - golden[i], 2);
            norm += Math.pow(golden[i], 2);
        }
        return Math.sqrt(difference / norm);
    }

    /// A small network with two channels in and three out, so that exchanged axes are seen.
    private UNetConfig colour(Path file) {
        return colour(file, 1000);
    }

    /// @param rows of the table of times; 0 for sinusoids that are computed
    private UNetConfig colour(Path file, int rows) {
        UNetConfig config = new UNetConfig(
                rows > 0 ? UNetConfig.Naming.STUDY1 : UNetConfig.Naming.IDDPM,
                2,
                3,
                8,
                List.of(1, 2),
                1,
                Set.of(1),
                true,
                4,
                0,
                8,
                1e-5f,
                0,
                true,
                0,
                false,
                false,
                32,
                rows,
                false,
                true);
        ParameterLayout layout = UNet.layout(config);
        UNetFiles.write(file, config, layout.initialParameters(3), layout.initialFrozen());
        return config;
    }

    private Path input(String name, Tensor... tensors) {
        Path file = folder.resolve(name);
        SafeTensors.write(file, List.of(tensors), Map.of(), false);
        return file;
    }

    private float[] predict(Path weights, Path input, Object... more) {
        Path y = folder.resolve("out.safetensors");
        List<Object> words = new ArrayList<>(List.of("predict", "--weights", weights, "--input", input, "--output", y));
        words.addAll(Arrays.asList(more));
        Outcome outcome = Outcome.of(words.toArray());
        assertThat(outcome.status()).as(outcome.err()).isZero();
        try (SafeTensorsFile found = SafeTensors.open(y)) {
            return found.floats("y");
        }
    }

    private static float[] noise(int count) {
        float[] x = new float[count];
        for (int i = 0; i < count; i++) {
            x[i] = (float) Math.sin(1.7 * i + 0.01 * i * i);
        }
        return x;
    }

    @Test
    void imagesOfManyBatchesAreThoseOfSingleOnes() {
        Path weights = folder.resolve("w.safetensors");
        colour(weights);
        int count = 67; // one whole batch and a rest
        float[] x = noise(count * 2 * 4 * 6);
        float[] t = new float[count];
        for (int i = 0; i < count; i++) {
            t[i] = 14 * i;
        }
        float[] all = predict(
                weights, input("many", Tensor.ofFloats("x", x, count, 2, 4, 6), Tensor.ofFloats("t", t, count)));
        assertThat(all).hasSize(count * 3 * 4 * 6);
        for (int i : new int[] {0, 1, 63, 64, 66}) {
            float[] one = Arrays.copyOfRange(x, i * 48, (i + 1) * 48);
            float[] alone = predict(
                    weights,
                    input("one", Tensor.ofFloats("x", one, 1, 2, 4, 6), Tensor.ofFloats("t", new float[] {t[i]}, 1)));
            assertThat(error(alone, Arrays.copyOfRange(all, i * 72, (i + 1) * 72)))
                    .as("image " + i)
                    .isLessThan(1e-5);
        }
    }

    @Test
    void channelsOfThePredictionArePlanes() {
        Path weights = folder.resolve("w.safetensors");
        UNetConfig config = colour(weights);
        ParameterLayout layout = UNet.layout(config);
        float[] flat = new float[(int) layout.size()];
        int bias = (int) layout.find("final_block.conv.bias").orElseThrow().offset();
        System.arraycopy(new float[] {1, 2, 3}, 0, flat, bias, 3);
        UNetFiles.write(weights, config, flat, layout.initialFrozen());
        float[] y = predict(
                weights,
                input("x", Tensor.ofFloats("x", noise(96), 2, 2, 4, 6), Tensor.ofFloats("t", new float[] {5, 7}, 2)));
        assertThat(y).hasSize(144);
        for (int i = 0; i < y.length; i++) {
            assertThat(y[i]).as("element " + i).isEqualTo(i / 24 % 3 + 1);
        }
    }

    @Test
    void theAveragedWeightsOfACheckpointAreUsedOnRequest() {
        Path plain = folder.resolve("plain.safetensors");
        UNetConfig config = colour(plain);
        ParameterLayout layout = UNet.layout(config);
        List<Tensor> tensors = new ArrayList<>(UNetFiles.tensors(layout, false, layout.initialFrozen(), ""));
        tensors.addAll(UNetFiles.tensors(layout, true, layout.initialParameters(4), ""));
        tensors.addAll(UNetFiles.tensors(layout, true, layout.initialParameters(3), UNetFiles.EMA));
        Path checkpoint = folder.resolve("checkpoint.safetensors");
        SafeTensors.write(checkpoint, tensors, UNetFiles.metadata(config), true);
        Path input =
                input("x", Tensor.ofFloats("x", noise(32), 1, 2, 4, 4), Tensor.ofFloats("t", new float[] {500}, 1));
        float[] averaged = predict(checkpoint, input, "--ema");
        assertThat(averaged).isEqualTo(predict(plain, input)).isNotEqualTo(predict(checkpoint, input));
        Outcome none =
                Outcome.of("predict", "--weights", plain, "--input", input, "--output", folder.resolve("y"), "--ema");
        assertThat(none.status()).isEqualTo(2);
        assertThat(none.err().strip())
                .endsWith("plain.safetensors: --ema: expected tensors named ema/..., found no averaged weights");
    }

    @Test
    void theNetworkOfAConfigurationIsUsedInsteadOfTheDetectedOne() throws IOException {
        Path config = folder.resolve("c.toml");
        String text = "data.source = 'x'\n[model]\nfamily = 'unet-study1'\nwidth = 8\n[train]\nsteps = 1\n";
        Files.writeString(config, text);
        float[] y = predict(WEIGHTS, IO, "--config", config);
        assertThat(y).isEqualTo(predict(WEIGHTS, IO));
        Files.writeString(config, "model.width = 8\n");
        assertThat(predict(WEIGHTS, IO, "--config", config)).isEqualTo(y);
        Files.writeString(config, text.replace("width = 8", "width = 16"));
        Outcome outcome = Outcome.of(
                "predict", "--weights", WEIGHTS, "--input", IO, "--output", folder.resolve("y"), "--config", config);
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(outcome.err())
                .hasLineCount(1)
                .contains("tensor time_embeddings.time_mlp.1.weight: expected [64, 16], found [32, 8]");
    }

    @Test
    void aNetworkWithoutATableTakesAnyTime() {
        Path weights = folder.resolve("w.safetensors");
        colour(weights, 0);
        float[] x = noise(32 * 5);
        for (int i = 0; i < x.length; i++) {
            x[i] = x[i % 32];
        }
        float[] times = {1500, 999.5f, -1, 3, 3.001f};
        float[] y = predict(weights, input("x", Tensor.ofFloats("x", x, 5, 2, 4, 4), Tensor.ofFloats("t", times, 5)));
        float[] three = Arrays.copyOfRange(y, 3 * 48, 4 * 48);
        for (int i : new int[] {0, 1, 2}) {
            assertThat(error(Arrays.copyOfRange(y, i * 48, (i + 1) * 48), three))
                    .as("time %s", times[i])
                    .isGreaterThan(1e-3);
        }
        assertThat(error(Arrays.copyOfRange(y, 4 * 48, 5 * 48), three)).isBetween(1e-8, 1e-3);
    }

    @Test
    void wrongInputsAreNamed() throws IOException {
        Path weights = folder.resolve("w.safetensors");
        colour(weights);
        Tensor x = Tensor.ofFloats("x", noise(64), 2, 2, 4, 4);
        Tensor t = Tensor.ofFloats("t", new float[] {0, 999}, 2);
        String row = "a whole number from 0 to 999, a row of this network's table of times";
        fails(weights, input("a", t), "header: expected a tensor named x, found 1 tensors, not this one");
        fails(weights, input("a", x), "header: expected a tensor named t, found 1 tensors, not this one");
        fails(
                weights,
                input("a", Tensor.ofFloats("x", noise(64), 2, 2, 16), t),
                "tensor x: expected F32 [N,C,H,W] with no dimension of 0, found F32 [2, 2, 16]");
        fails(
                weights,
                input("a", Tensor.ofFloats("x", noise(0), 0, 2, 4, 4), Tensor.ofFloats("t", noise(0), 0)),
                "tensor x: expected F32 [N,C,H,W] with no dimension of 0, found F32 [0, 2, 4, 4]");
        fails(
                weights,
                input("a", x, Tensor.ofFloats("t", noise(3), 3)),
                "tensor t: expected I64, I32 or F32 [2], found F32 [3]");
        fails(
                weights,
                input("a", x, Tensor.ofFloats("t", new float[] {0, 0.5f}, 2)),
                "tensor t, element 1: expected " + row + ", found 0.5");
        fails(
                weights,
                input("a", x, Tensor.ofFloats("t", new float[] {-1, 0}, 2)),
                "tensor t, element 0: expected " + row + ", found -1.0");
        fails(
                weights,
                input("a", x, Tensor.ofFloats("t", new float[] {5, 1000}, 2)),
                "tensor t, element 1: expected " + row + ", found 1000.0");
        fails(
                weights,
                input("a", Tensor.ofFloats("x", noise(32), 2, 1, 4, 4), t),
                "tensor x: expected [N,2,H,W] with H and W divisible by 2, as the network, found [2, 1, 4, 4]");
        fails(
                weights,
                input("a", Tensor.ofFloats("x", noise(80), 2, 2, 4, 5), t),
                "tensor x: expected [N,2,H,W] with H and W divisible by 2, as the network, found [2, 2, 4, 5]");
        float[] bad = noise(64);
        bad[7] = Float.NaN;
        fails(
                weights,
                input("a", Tensor.ofFloats("x", bad, 2, 2, 4, 4), t),
                "tensor x, element 7: expected a finite number, found NaN");
        fails(weights, folder.resolve("none"), "expected a safetensors file, found no file of that name");
        Path damaged = folder.resolve("damaged");
        byte[] bytes = Files.readAllBytes(weights);
        bytes[bytes.length - 1] ^= 1;
        Files.write(damaged, bytes);
        Outcome outcome = Outcome.of(
                "predict", "--weights", damaged, "--input", input("a", x, t), "--output", folder.resolve("y"));
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(outcome.err()).contains("damaged: data section: expected SHA-256");
        assertThat(folder.resolve("y")).doesNotExist();
    }

    private void fails(Path weights, Path input, String sentence) {
        Path y = folder.resolve("y");
        Outcome outcome = Outcome.of("predict", "--weights", weights, "--input", input, "--output", y);
        assertThat(outcome.err().lines().toList().getLast()).isEqualTo("rote: " + input + ": " + sentence);
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(y).doesNotExist();
    }

    @Test
    void deviceFaultsAndWrongOutputsAreTheEnvironments() {
        Outcome cuda = Outcome.of(
                "predict", "--weights", WEIGHTS, "--input", IO, "--output", folder.resolve("y"), "--device", "cuda");
        assertThat(cuda.status()).isEqualTo(3);
        assertThat(cuda.err()).contains("rote: device \"cuda\": no NVIDIA driver on this machine");
        Outcome vendor = Outcome.of(
                "predict", "--weights", WEIGHTS, "--input", IO, "--output", folder.resolve("y"), "--kernels", "vendor");
        assertThat(vendor.status()).isEqualTo(2);
        assertThat(vendor.err())
                .contains("rote: kernels: expected \"own\", because device \"cpu\" is the cpu here, found \"vendor\"");
        Outcome nowhere = Outcome.of(
                "predict", "--weights", WEIGHTS, "--input", IO, "--output", folder.resolve("no/such/folder/y"));
        assertThat(nowhere.status()).isEqualTo(3);
    }

    @Test
    void negativeThreadsAreTheUsersMistake() {
        Outcome outcome = Outcome.of(
                "predict", "--weights", WEIGHTS, "--input", IO, "--output", folder.resolve("y"), "--threads", "-1");
        assertThat(outcome.status()).isEqualTo(2);
        assertThat(outcome.err()).contains("rote: threads: expected 0 or more, found -1");
    }
}
