package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Batch;
import dev.rote.graph.Cast;
import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Embedding;
import dev.rote.graph.Graph;
import dev.rote.graph.Mix;
import dev.rote.graph.RandomIndex;
import dev.rote.graph.RandomNormal;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.random.Purpose;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What is drawn for a training step and convolved by its stem in one launch: all has the bits of the launches that it
/// stands for.
class CudaDrawnStemTest extends OnCudaDevice {
    private static final int IMAGES = 7;
    private static final int TIMES = 20;
    private static final int SEED = 77;

    /// @param first place of the batch in a larger one
    private record Case(int count, int height, int width, int filters, int first, boolean shuffle) {
        Map<String, double[]> numbers() {
            Random random = new Random(height + width);
            Map<String, double[]> numbers = new HashMap<>();
            sizes().forEach((name, size) -> numbers.put(
                    name,
                    random.doubles(size).map(number -> (float) (2 * number - 1)).toArray()));
            return numbers;
        }

        private Map<String, Integer> sizes() {
            return Map.of(
                    "stored",
                    IMAGES * height * width,
                    "signal",
                    TIMES,
                    "level",
                    TIMES,
                    "w",
                    9 * filters,
                    "bias",
                    filters);
        }

        /// By name what others may read.
        Map<String, Value> values(GraphRun run) {
            Graph graph = run.graph();
            Value stored = run.input("stored", TensorType.f32(IMAGES, height, width, 1));
            Value w = run.input("w", OnSm90Device.bf16(filters, 3, 3, 1));
            Value bias = run.input("bias", TensorType.f32(filters));
            Value signal = run.input("signal", TensorType.f32(TIMES, 1));
            Value level = run.input("level", TensorType.f32(TIMES, 1));
            Batch draw = new Batch(count, 12, first, SEED, 1.5f, -0.25f, shuffle, true);
            List<Value> batch = graph.add(draw, List.of(stored, run.step()));
            int perImage = height * width;
            Value t =
                    graph.apply(new RandomIndex(count, 1, TIMES - 1, SEED + 1, Purpose.TIME.code(), first), run.step());
            Value noise = graph.apply(
                    new RandomNormal(batch.getFirst().shape(), SEED, Purpose.NOISE.code(), (long) first * perImage),
                    run.step());
            Value ofSignal = graph.apply(new Embedding(), signal, t);
            Value ofNoise = graph.apply(new Embedding(), level, t);
            Value mixed = graph.apply(new Mix(), batch.getFirst(), noise, ofSignal, ofNoise);
            Value rounded = graph.apply(new Cast(DType.BF16), mixed);
            Value y = graph.apply(Conv2d.same(3), rounded, w, bias);
            Map<String, Value> values = new HashMap<>();
            values.put("x0", batch.getFirst());
            values.put("index", graph.apply(new Cast(DType.F32), batch.get(1)));
            values.put("t", graph.apply(new Cast(DType.F32), t));
            values.put("noise", noise);
            values.put("mixed", mixed);
            values.put("rounded", rounded);
            values.put("y", y);
            return values;
        }
    }

    private Map<String, float[]> found(Case one, boolean joined, Stream<String> names) {
        GraphRun run = new GraphRun(device, one.numbers());
        Map<String, Value> values = one.values(run);
        names.forEach(name -> run.place(name, values.get(name)));
        run.place("w", run.input("w", null)); // so that nothing is put where it is read
        Map<String, float[]> results = new HashMap<>(run.results());
        results.remove("w");
        String kernel = "conv2d_taps_drawn_" + Math.min(64, Integer.lowestOneBit(one.filters()));
        if (joined) {
            assertThat(run.kernels())
                    .contains(kernel)
                    .noneMatch(name -> name.matches("(batch|random|mix|embedding|conv2d_taps_stem).*"));
        } else {
            assertThat(run.kernels()).doesNotContain(kernel).contains("mix_f32");
        }
        return results;
    }

    @ParameterizedTest
    @CsvSource({
        // images, height, width, filters, the batch's place, shuffled
        "3, 32, 32, 32, 0, true",
        "2, 16, 16, 8, 5, false",
        "1, 75, 16, 16, 3, true",
        "2, 9, 112, 96, 8, true",
        "5, 3, 48, 128, 0, false"
    })
    void oneLaunchHasTheBitsOfAll(int count, int height, int width, int filters, int first, boolean shuffle) {
        Case one = new Case(count, height, width, filters, first, shuffle);
        List<String> read = List.of("x0", "index", "t", "noise", "rounded", "y");
        Map<String, float[]> apart = found(one, false, Stream.concat(read.stream(), Stream.of("mixed")));
        for (boolean descending : new boolean[] {false, true}) {
            AnyDriver.descending(descending);
            Stream.of(read, List.of("t", "noise", "y")).forEach(names -> found(one, true, names.stream())
                    .forEach((name, values) -> assertThat(values).as(name).isEqualTo(apart.get(name))));
        }
        AnyDriver.descending(false);
    }

    /// Images of an odd width.
    @Test
    void othersStayApart() {
        found(new Case(2, 8, 20, 32, 0, true), false, Stream.of("y"));
    }
}
