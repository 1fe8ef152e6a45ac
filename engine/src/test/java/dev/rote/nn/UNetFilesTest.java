package dev.rote.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.DataException;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import dev.rote.storage.Tensor;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UNetFilesTest {
    private static final UNetConfig SMALL_IDDPM = new UNetConfig(
            UNetConfig.Naming.IDDPM,
            3,
            6,
            32,
            List.of(1, 2, 2),
            1,
            Set.of(1),
            true,
            2,
            0,
            8,
            1e-6f,
            0.25f,
            false,
            7,
            true,
            true,
            96,
            0,
            true,
            false);

    @TempDir
    private Path folder;

    @Test
    void theGoldenFileIsStudy1AtWidthEightAndSaysWhatItDoesNotTell() throws URISyntaxException {
        Path path = Path.of(UNetFilesTest.class
                .getResource("/golden/study1_unet_w8_weights.safetensors")
                .toURI());
        try (SafeTensorsFile file = SafeTensors.open(path)) {
            UNetFiles.Found found = UNetFiles.detect(path, file);
            assertThat(found.config()).isEqualTo(UNetConfig.study1(8, 1));
            assertThat(found.lines()).contains("names: those of study 1");
            assertThat(found.lines()).anyMatch(line -> line.contains("width 8, multipliers [1, 2, 4], 2 blocks"));
            assertThat(found.lines()).anyMatch(line -> line.startsWith("heads 4: default"));
            GoldenStudy1 golden = new GoldenStudy1();
            ParameterLayout layout = UNet.layout(found.config());
            assertThat(UNetFiles.parameters(path, file, layout, "")).isEqualTo(golden.parameters());
            assertThat(UNetFiles.frozen(path, file, layout)).isEqualTo(golden.frozen());
        }
    }

    @Test
    void networksThatWereWrittenAreFoundAgainWithTheirWeights() {
        for (UNetConfig config : List.of(UNetConfig.study1(16, 3), SMALL_IDDPM, UNetConfig.study3(16, 3, 10))) {
            ParameterLayout layout = UNet.layout(config);
            float[] parameters = layout.initialParameters(5);
            float[] frozen = layout.initialFrozen();
            Path path = folder.resolve("weights.safetensors");
            UNetFiles.write(path, config, parameters, frozen);
            try (SafeTensorsFile file = SafeTensors.open(path)) {
                UNetFiles.Found found = UNetFiles.detect(path, file);
                assertThat(found.config()).isEqualTo(config);
                assertThat(found.lines()).anyMatch(line -> line.endsWith(": metadata of the file"));
                assertThat(UNetFiles.parameters(path, file, layout, "")).isEqualTo(parameters);
                assertThat(UNetFiles.frozen(path, file, layout)).isEqualTo(frozen);
            }
        }
    }

    @Test
    void filtersStandInTheFileAsPyTorchHasThem() {
        ParameterLayout layout = UNet.layout(SMALL_IDDPM);
        List<Tensor> tensors = UNetFiles.tensors(layout, true, layout.initialParameters(1), "ema/");
        Tensor filter = tensors.stream()
                .filter(tensor -> tensor.name().equals("ema/input_blocks.3.0.in_layers.2.weight"))
                .findFirst()
                .orElseThrow();
        assertThat(filter.shape()).containsExactly(64, 32, 3, 3);
        assertThat(tensors)
                .anyMatch(
                        tensor -> tensor.name().equals("ema/middle_block.1.qkv.weight") && tensor.shape().length == 3);
    }

    @Test
    void averagedParametersAreReadByTheirPrefixAndOtherPartsOfACheckpointAreLeftAlone() {
        ParameterLayout layout = UNet.layout(SMALL_IDDPM);
        List<Tensor> tensors = new ArrayList<>(UNetFiles.tensors(layout, true, layout.initialParameters(1), ""));
        tensors.addAll(UNetFiles.tensors(layout, true, layout.initialParameters(2), UNetFiles.EMA));
        tensors.add(Tensor.ofFloats("optimizer.momentum/out.2.bias", new float[6], 6));
        Path path = save(tensors);
        try (SafeTensorsFile file = SafeTensors.open(path)) {
            assertThat(UNetFiles.parameters(path, file, layout, "")).isEqualTo(layout.initialParameters(1));
            assertThat(UNetFiles.parameters(path, file, layout, UNetFiles.EMA)).isEqualTo(layout.initialParameters(2));
        }
    }

    @Test
    void missingExtraAndMisshapenTensorsAreNamed() {
        ParameterLayout layout = UNet.layout(SMALL_IDDPM);
        List<Tensor> all = UNetFiles.tensors(layout, true, layout.initialParameters(1), "");
        List<Tensor> missing = new ArrayList<>(all);
        missing.removeIf(tensor -> tensor.name().equals("out.2.bias"));
        refused(missing, "tensor out.2.bias: expected [6], found no such tensor");
        List<Tensor> misshapen = new ArrayList<>(missing);
        misshapen.add(Tensor.ofFloats("out.2.bias", new float[5], 5));
        refused(misshapen, "tensor out.2.bias: expected [6], found [5]");
        List<Tensor> extra = new ArrayList<>(all);
        extra.add(Tensor.ofFloats("out.3.bias", new float[5], 5));
        refused(extra, "tensor out.3.bias: expected only tensors of the network, found one that it does not have, [5]");
    }

    @Test
    void filesThatAreNoUNetAndMetadataThatIsNoNumberAreRefused() {
        Path other = save(List.of(Tensor.ofFloats("a", new float[1], 1)));
        try (SafeTensorsFile file = SafeTensors.open(other)) {
            assertThatThrownBy(() -> UNetFiles.detect(other, file))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("init_conv.weight");
        }
        ParameterLayout layout = UNet.layout(SMALL_IDDPM);
        Path path = folder.resolve("malformed.safetensors");
        SafeTensors.write(
                path,
                UNetFiles.tensors(layout, true, layout.initialParameters(1), ""),
                Map.of("unet.heads", "many"),
                false);
        try (SafeTensorsFile file = SafeTensors.open(path)) {
            assertThatThrownBy(() -> UNetFiles.detect(path, file))
                    .isInstanceOf(DataException.class)
                    .hasMessageContaining("metadata unet.heads: expected a value like 4, found many");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"NaN", "Infinity", "0", "-1e-5"})
    void metadataThatIsNoEpsilonIsRefused(String eps) {
        ParameterLayout layout = UNet.layout(SMALL_IDDPM);
        Path path = folder.resolve("eps.safetensors");
        List<Tensor> tensors = UNetFiles.tensors(layout, true, layout.initialParameters(1), "");
        SafeTensors.write(path, tensors, Map.of("unet.eps", eps), false);
        try (SafeTensorsFile file = SafeTensors.open(path)) {
            assertThatThrownBy(() -> UNetFiles.detect(path, file))
                    .isInstanceOf(DataException.class)
                    .hasMessage(path + ": U-Net eps: expected a finite number above 0, found " + Float.valueOf(eps));
        }
    }

    private void refused(List<Tensor> tensors, String message) {
        Path path = save(tensors);
        try (SafeTensorsFile file = SafeTensors.open(path)) {
            ParameterLayout layout = UNet.layout(SMALL_IDDPM);
            assertThatThrownBy(() -> UNetFiles.parameters(path, file, layout, ""))
                    .isInstanceOf(DataException.class)
                    .hasMessage(path + ": " + message);
        }
    }

    private Path save(List<Tensor> tensors) {
        Path path = folder.resolve("tensors.safetensors");
        SafeTensors.write(path, tensors, Map.of(), false);
        return path;
    }
}
