package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Dropout;
import dev.rote.graph.Graph;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Group norms in shared memory whose blocks take images in turn: the next comes while the last is written. Results are
/// the same whether a block has one image or all of them.
class CudaNormTurnsTest extends OnCudaDevice {
    private static final int IMAGES = 6;

    @ParameterizedTest
    @CsvSource({
        // groups, pixels, channels, those of a second tensor, images in shared memory, then the kernel
        "4, 300, 16, 0, 2, warps_staged",
        "8, 1024, 32, 0, 2, warps_staged",
        "1, 300, 64, 0, 1, warps_staged",
        "8, 64, 96, 0, 2, warps_staged_odd",
        "8, 1000, 64, 32, 1, warps_staged_odd",
        "8, 300, 16, 8, 2, warps_staged_odd_single",
        "8, 300, 48, 0, 2, warps_staged_odd_pair",
        "8, 1024, 32, 16, 1, warps_staged_odd_pair",
        "8, 1024, 8, 0, 2, warps_staged_single",
        "12, 600, 24, 0, 2, warps_staged_pair",
        "8, 1025, 8, 8, 2, warps_staged_pair"
    })
    void oneBlockFindsWhatManyDo(int groups, int pixels, int channels, int second, int stages, String kernel) {
        GroupNorm norm = new GroupNorm(groups, 1e-5f, true);
        TensorType whole = TensorType.f32(IMAGES, pixels, channels + second).with(DType.BF16);
        assertThat(WarpSlice.of(whole, groups, false)).map(WarpSlice::stages).contains(stages);
        int[] shape = {pixels, channels, second};
        for (Found what : Found.values()) {
            List<Outcome> found = new ArrayList<>();
            for (boolean narrow : new boolean[] {false, true}) {
                Graph graph = new Graph();
                found.add(Outcome.of(device, graph, result(graph, norm, what, shape), narrow));
            }
            assertThat(found.getFirst().kernels()).contains("group_norm_bf16_" + kernel);
            found.get(1).isTheSameAs(found.getFirst());
        }
    }

    private enum Found {
        Y,
        DROPPED_Y,
        MEAN,
        RSTD
    }

    /// Statistics are rounded to bf16.
    ///
    /// @param shape pixels, channels, those of a second tensor
    private static Value result(Graph graph, GroupNorm norm, Found what, int[] shape) {
        List<Value> inputs = new ArrayList<>();
        inputs.add(Outcome.input(graph, "x", IMAGES, shape[0], shape[1]));
        if (shape[2] > 0) {
            inputs.add(Outcome.input(graph, "x2", IMAGES, shape[0], shape[2]));
        }
        for (String name : List.of("gamma", "beta")) {
            inputs.add(graph.external(name, TensorType.f32(shape[1] + shape[2])));
        }
        List<Value> outputs = graph.add(norm, inputs);
        Value y = outputs.getFirst();
        return switch (what) {
            case Y -> y;
            case DROPPED_Y ->
                graph.apply(new Dropout(0.4f, true, 77, 4, 5), y, graph.external("step", TensorType.i32(1)));
            case MEAN -> graph.apply(new Cast(DType.BF16), outputs.get(1));
            case RSTD -> graph.apply(new Cast(DType.BF16), outputs.get(2));
        };
    }
}
