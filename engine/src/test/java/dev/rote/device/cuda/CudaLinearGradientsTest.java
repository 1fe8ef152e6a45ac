package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Graph;
import dev.rote.graph.Linear;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.reference.ReferenceRun;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Both gradients of a linear layer in one launch for compute capability 9.0 ([LinearGradients]).
class CudaLinearGradientsTest extends OnSm90Device {
    private record Layer(int rows, int channels, int filters, boolean bias) {
        TensorType dy() {
            return bf16(rows, filters);
        }

        TensorType w() {
            return bf16(filters, channels);
        }

        TensorType x() {
            return bf16(rows, channels);
        }

        /// Eight bits, as those of the other tests here.
        Map<String, double[]> numbers() {
            Random random = new Random(rows + channels + filters);
            Map<String, double[]> numbers = new HashMap<>();
            Map.of("dy", dy(), "w", w(), "x", x())
                    .forEach((name, type) -> numbers.put(
                            name,
                            random.doubles(type.elements())
                                    .map(number -> (int) (256 * number) / 128.0 - 1)
                                    .toArray()));
            return numbers;
        }

        /// dx, dw and maybe dbias.
        List<Value> gradients(Graph graph, Value dy, Value w, Value x) {
            Value dx = graph.apply(new Linear.BackwardData(), dy, w);
            List<Value> weights = graph.add(new Linear.BackwardWeight(bias), List.of(x, dy));
            return Stream.concat(Stream.of(dx), weights.stream()).toList();
        }

        List<double[]> exact() {
            Graph graph = new Graph();
            List<Value> gradients =
                    gradients(graph, graph.external("dy", dy()), graph.external("w", w()), graph.external("x", x()));
            ReferenceRun run = ReferenceRun.of(graph, numbers());
            run.run();
            return gradients.stream().map(run::read).toList();
        }
    }

    private record Found(List<float[]> gradients, List<String> kernels) {}

    /// @param kept whether nothing is put where the kernel reads
    private Found found(Layer layer, boolean kept) {
        GraphRun run = new GraphRun(device, layer.numbers());
        Value dy = run.input("dy", layer.dy());
        Value w = run.input("w", layer.w());
        Value x = run.input("x", layer.x());
        List<Value> gradients = layer.gradients(run.graph(), dy, w, x);
        for (int i = 0; i < gradients.size(); i++) {
            run.place("gradient " + i, gradients.get(i));
        }
        if (kept) {
            run.place("dy", dy);
            run.place("w", w);
            run.place("x", x);
        }
        Map<String, float[]> results = run.results();
        List<float[]> found = Stream.iterate(0, i -> i < gradients.size(), i -> i + 1)
                .map(i -> results.get("gradient " + i))
                .toList();
        return new Found(found, run.kernels());
    }

    /// One group of filters and several; rows that fill no step; as many steps as stages, and more.
    @ParameterizedTest
    @CsvSource({
        "2048, 64, 64, true",
        "2049, 64, 192, true",
        "2200, 128, 128, true",
        "2111, 128, 192, false",
        "2300, 64, 128, false",
        "5000, 128, 64, true"
    })
    void oneLaunchGivesBoth(int rows, int channels, int filters, boolean bias) {
        Layer layer = new Layer(rows, channels, filters, bias);
        Found found = found(layer, true);
        assertThat(found.kernels())
                .contains("linear_backward_sm90_" + channels)
                .noneMatch(kernel -> kernel.matches("(matmul|linear_backward_(data|weight)).*"));
        List<double[]> exact = layer.exact();
        for (int output = 0; output < exact.size(); output++) {
            float[] its = found.gradients().get(output);
            double[] wide = new double[its.length];
            for (int i = 0; i < its.length; i++) {
                wide[i] = its[i];
            }
            isRounded(wide, exact.get(output), layer + " output " + output);
        }
        AnyDriver.descending(true);
        List<float[]> descending = found(layer, true).gradients();
        for (int output = 0; output < exact.size(); output++) {
            assertThat(descending.get(output)).isEqualTo(found.gradients().get(output));
        }
    }

    /// A ring of two stages is loaded over in each step.
    @ParameterizedTest
    @CsvSource({"4200, 64, 192, 0", "4200, 64, 192, 1", "4200, 128, 64, 1"})
    void resultsAreTheSameHoweverFewStagesThereAre(int rows, int channels, int filters, int output) {
        List<Outcome> found = Stream.of(false, true)
                .map(few -> {
                    Graph graph = new Graph();
                    Value dy = Outcome.input(graph, "dy", rows, filters);
                    Value w = Outcome.input(graph, "w", filters, channels);
                    Value x = Outcome.input(graph, "x", rows, channels);
                    List.of(dy, w, x).forEach(graph::keep);
                    Value dx = graph.apply(new Linear.BackwardData(), dy, w);
                    Value dw = graph.add(new Linear.BackwardWeight(true), List.of(x, dy))
                            .getFirst();
                    List.of(dx, dw).forEach(graph::keep);
                    return Outcome.of(
                            device,
                            graph,
                            output == 0 ? dx : dw,
                            few ? Optional.of(CudaLinearGradientsTest::ofTwoStages) : Optional.empty());
                })
                .toList();
        assertThat(found.getFirst().kernels()).contains("linear_backward_sm90_" + channels);
        found.get(1).isTheSameAs(found.getFirst());
    }

    private static KernelLaunch ofTwoStages(KernelLaunch launch) {
        if (launch.kernel().startsWith("linear_backward_sm90_")) {
            assertThat(launch.arguments().value("steps_per_split")).isGreaterThan(3);
            assertThat(launch.arguments().value("stages")).isGreaterThan(2);
            String field = launch.arguments().fields().stream()
                    .filter(name -> name.startsWith("stages:"))
                    .findFirst()
                    .orElseThrow();
            launch.arguments().struct().putInt(Integer.parseInt(field.split(":")[1]), 2);
        }
        return launch;
    }

    /// More filters or channels than a block has room for, few rows, and
    /// the gradients of two layers.
    @Test
    void othersStayApart() {
        for (Layer layer : List.of(
                new Layer(2048, 64, 256, true), new Layer(2048, 192, 64, true), new Layer(2047, 64, 64, true))) {
            assertThat(found(layer, true).kernels()).noneMatch(kernel -> kernel.startsWith("linear_backward_sm90_"));
        }
        GraphRun run = new GraphRun(device, new Layer(2048, 64, 64, true).numbers());
        Value x = run.input("x", bf16(2048, 64));
        Value dx = run.graph()
                .apply(new Linear.BackwardData(), run.input("dy", bf16(2048, 64)), run.input("w", bf16(64, 64)));
        run.place("dx", dx);
        run.place(
                "dw",
                run.graph()
                        .add(new Linear.BackwardWeight(false), List.of(x, dx))
                        .getFirst());
        run.results();
        assertThat(run.kernels()).noneMatch(kernel -> kernel.startsWith("linear_backward_sm90_"));
    }
}
