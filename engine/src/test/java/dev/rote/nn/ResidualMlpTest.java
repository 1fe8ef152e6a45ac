package dev.rote.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.device.Buffer;
import dev.rote.device.Program;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.graph.Graph;
import dev.rote.graph.Plan;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ResidualMlpTest {
    @ParameterizedTest
    @CsvSource({"8, 128, 102024", "8, 64, 26440", "8, 256, 400648", "16, 128, 104080", "32, 32, 8640"})
    void itHasThePublishedNumberOfParameters(int d, long width, long expected) {
        assertThat(expected).isEqualTo(width * (2L * d + 13) + d + 6 * width * width);
        ResidualMlpConfig config = ResidualMlpConfig.study1(d, (int) width);
        assertThat(config.layout().count()).isEqualTo(expected);
        assertThat(config.layout().fileCount()).isEqualTo(expected);
        assertThat(new ResidualMlpConfig(d, (int) width, 3, 1000, 1e-5f, 2)
                        .layout()
                        .count())
                .isEqualTo(expected + 2 * width);
    }

    @ParameterizedTest
    @CsvSource({
        "8, 32, 3, 0, false",
        "5, 6, 2, 0, false",
        "8, 128, 3, 2, true",
        "8, 32, 3, 2, false",
        "1, 2, 1, 3, true"
    })
    void aPredictionIsThatOfTheFormulasInDouble(int d, int width, int blocks, int classes, boolean labelled) {
        try (CpuDevice device = CpuDevice.open(1)) {
            new MlpForward(new ResidualMlpConfig(d, width, blocks, 1000, 1e-5f, classes), labelled).check(device);
        }
    }

    @Test
    void whatDoesNotFitIsRefusedBeforeAnythingIsWritten() {
        Graph graph = new Graph();
        Parameters parameters = new Parameters(graph, Precision.F32);
        Value t = graph.external("t", TensorType.i32(2));
        Value x = graph.external("x", TensorType.f32(2, 1, 1, 8));
        ResidualMlpConfig config = ResidualMlpConfig.study1(9, 8);
        assertThatThrownBy(() -> config.build(graph, parameters, x, t, Optional.empty(), Mode.evaluation()))
                .hasMessage("MLP input: expected [N,H,W,C] with 9 values per image, found " + x);
        assertThatThrownBy(() -> ResidualMlpConfig.study1(8, 8)
                        .build(graph, parameters, x, t, Optional.of(t), Mode.evaluation()))
                .hasMessage("labels: expected none for an MLP without classes");
        Value one = graph.external("one", TensorType.i32(1));
        assertThatThrownBy(() -> ResidualMlpConfig.study1(8, 8)
                        .build(graph, parameters, x, one, Optional.empty(), Mode.evaluation()))
                .hasMessage("MLP times: expected [2] i32, found " + one);
        assertThat(graph.nodes()).isEmpty();
    }

    /// 4,000 labels at p = 0.3: the share of dropped ones has a deviation of 0.007.
    @Test
    void labelsAreDroppedAtTheirRateWholeRowsAtATimeAndWhereverTheGraphsBegin() {
        int images = 4000;
        float[] whole = rows(images, 0, 5, 0.3);
        float[] other = rows(images, 0, 6, 0.3);
        int dropped = 0;
        int same = 0;
        for (int n = 0; n < images; n++) {
            assertThat(whole[2 * n] == 0).isEqualTo(whole[2 * n + 1] == 0);
            assertThat(whole[2 * n]).isIn(0f, 3f);
            dropped += whole[2 * n] == 0 ? 1 : 0;
            same += (whole[2 * n] == 0) == (other[2 * n] == 0) ? 1 : 0;
        }
        assertThat(dropped / (double) images).isBetween(0.27, 0.33);
        assertThat(same / (double) images).as("of two steps").isBetween(0.53, 0.63);
        assertThat(rows(100, 1000, 5, 0.3)).containsExactly(java.util.Arrays.copyOfRange(whole, 2000, 2200));
        assertThat(rows(10, 0, 5, 0)).containsOnly(3f, 4f);
    }

    /// The rows of a table (3, 4) for images from `first` on, in training with labels dropped.
    private static float[] rows(int images, int first, int step, double drop) {
        Graph graph = new Graph();
        Parameters parameters = new Parameters(graph, Precision.F32);
        ClassRows table = ClassRows.of(parameters, 1, 2);
        Value labels = graph.external("labels", TensorType.i32(images));
        Value counter = graph.external("step", TensorType.i32(1));
        Value rows = table.apply(graph, labels, new Mode.Training(9, counter, first, drop));
        parameters.freeze();
        graph.place(rows, graph.external("rows", TensorType.f32(images, 2)), 0);
        try (CpuDevice device = CpuDevice.open(1);
                Buffer zeros = device.allocate("labels", labels.dtype(), images);
                Buffer steps = device.allocate("step", counter.dtype(), 1);
                Buffer flat = device.allocate("parameters", rows.dtype(), 16);
                Buffer out = device.allocate("rows", rows.dtype(), 2L * images);
                Program program = device.compile(
                        "rows",
                        List.of(Plan.of(graph, device.target())),
                        Map.of("labels", zeros, "step", steps, Parameters.PARAMETERS, flat, "rows", out))) {
            float[] values = new float[16];
            values[0] = 3;
            values[1] = 4;
            flat.writeFloats(values);
            steps.writeInts(step);
            program.run();
            return out.readFloats();
        }
    }
}
