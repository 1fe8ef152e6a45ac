package dev.rote.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Plan;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// The MLP on a device beside the same formulas in double, written from the paper and not from the graph.
public final class MlpForward {
    private static final int IMAGES = 7;

    private final ResidualMlpConfig config;
    private final boolean labelled;
    private final float[] parameters;
    private final float[] x;
    private final int[] t = new int[IMAGES];
    private final int[] labels = new int[IMAGES];

    /// @param labelled whether the network is told the classes that it has
    public MlpForward(ResidualMlpConfig config, boolean labelled) {
        this.config = config;
        this.labelled = labelled;
        Random random = new Random(4);
        parameters = config.layout().initialParameters(3);
        for (ParameterSpec spec : config.layout().specs()) {
            for (int i = 0; spec.name().contains("norm") && i < spec.elements(); i++) {
                parameters[(int) spec.offset() + i] += (float) (0.3 * random.nextGaussian());
            }
        }
        x = new float[IMAGES * config.dimension()];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) (2 * random.nextGaussian());
        }
        for (int n = 0; n < IMAGES; n++) {
            t[n] = n == 0 ? 0 : n == 1 ? config.times() - 1 : random.nextInt(config.times());
            labels[n] = config.classes() == 0 ? 0 : n % config.classes();
        }
    }

    /// Fails unless the device's prediction is that of [#expected], to the rounding of f32.
    public void check(Device device) {
        float[] found = on(device);
        double[] expected = expected();
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) found[i])
                    .as("image %d, value %d", i / config.dimension(), i % config.dimension())
                    .isCloseTo(expected[i], within(2e-5));
        }
    }

    private float[] on(Device device) {
        Graph graph = new Graph();
        Parameters declared = new Parameters(graph, Precision.F32);
        TensorType images = TensorType.f32(IMAGES, 1, 1, config.dimension());
        Value times = graph.external("t", TensorType.i32(IMAGES));
        Optional<Value> classes =
                labelled ? Optional.of(graph.external("labels", TensorType.i32(IMAGES))) : Optional.empty();
        Value y = config.build(graph, declared, graph.external("x", images), times, classes, Mode.evaluation());
        declared.freeze();
        graph.place(y.unreshaped(), graph.external("y", TensorType.f32(x.length)), 0);
        Map<String, Buffer> bindings = new HashMap<>();
        graph.externals()
                .values()
                .forEach(v -> bindings.put(v.name(), device.allocate(v.name(), v.dtype(), v.elements())));
        bindings.get("x").writeFloats(x);
        bindings.get("t").writeInts(t);
        bindings.get(Parameters.PARAMETERS).writeFloats(parameters);
        if (labelled) {
            bindings.get("labels").writeInts(labels);
        }
        try (Program program = device.compile("mlp", List.of(Plan.of(graph, device.target())), bindings)) {
            program.run();
            assertThat(y.dtype()).isEqualTo(DType.F32);
            return bindings.get("y").readFloats();
        } finally {
            bindings.values().forEach(Buffer::close);
        }
    }

    /// `h = Linear(x)`; three times `o = Linear(GELU(Linear(h + PE(t) + E)))`, `h = LayerNorm(h + o)`; `Linear(h)`.
    double[] expected() {
        int d = config.dimension();
        int width = config.width();
        double[] all = new double[x.length];
        for (int n = 0; n < IMAGES; n++) {
            double[] image = new double[d];
            for (int k = 0; k < d; k++) {
                image[k] = x[n * d + k];
            }
            double[] h = linear("input", image, width);
            for (int block = 0; block < config.blocks(); block++) {
                double[] inner = h.clone();
                for (int i = 0; i < width; i++) {
                    double angle = t[n] / Math.pow(10_000, (i - i % 2) / (double) width);
                    inner[i] += i % 2 == 0 ? Math.cos(angle) : Math.sin(angle);
                    inner[i] += labelled ? at("label_emb.weight", labels[n] * width + i) : 0;
                }
                double[] hidden = linear("blocks." + block + ".linear1", inner, width);
                for (int i = 0; i < width; i++) {
                    hidden[i] *= normalBelow(hidden[i]);
                }
                double[] out = linear("blocks." + block + ".linear2", hidden, width);
                for (int i = 0; i < width; i++) {
                    out[i] += h[i];
                }
                h = normalised("blocks." + block + ".norm", out);
            }
            System.arraycopy(linear("output", h, d), 0, all, n * d, d);
        }
        return all;
    }

    private double at(String name, int i) {
        return parameters[(int) config.layout().find(name).orElseThrow().offset() + i];
    }

    private double[] linear(String name, double[] in, int size) {
        double[] out = new double[size];
        for (int k = 0; k < size; k++) {
            out[k] = at(name + ".bias", k);
            for (int c = 0; c < in.length; c++) {
                out[k] += at(name + ".weight", k * in.length + c) * in[c];
            }
        }
        return out;
    }

    private double[] normalised(String name, double[] in) {
        double mean = 0;
        double variance = 0;
        for (double value : in) {
            mean += value / in.length;
        }
        for (double value : in) {
            variance += (value - mean) * (value - mean) / in.length;
        }
        double[] out = new double[in.length];
        for (int i = 0; i < in.length; i++) {
            out[i] = (in[i] - mean) / Math.sqrt(variance + config.eps()) * at(name + ".weight", i)
                    + at(name + ".bias", i);
        }
        return out;
    }

    /// The normal distribution function by Simpson's rule from 0 to z.
    private static double normalBelow(double z) {
        int parts = 200;
        double step = z / parts;
        double sum = 0;
        for (int i = 0; i <= parts; i++) {
            double u = i * step;
            sum += (i == 0 || i == parts ? 1 : i % 2 == 1 ? 4 : 2) * Math.exp(-u * u / 2);
        }
        return 0.5 + sum * step / 3 / Math.sqrt(2 * Math.PI);
    }
}
