package dev.rote.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Autodiff;
import dev.rote.graph.Fusion;
import dev.rote.graph.Graph;
import dev.rote.graph.MeanSquaredError;
import dev.rote.graph.Target;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.optim.Backward;
import dev.rote.optim.Optimizer;
import dev.rote.optim.OptimizerConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The golden vectors of study 1's network at W = 8 (PyTorch, f32, dropout off), the graphs that must reproduce them,
/// and the comparisons. A device test writes the bindings to its buffers, runs the graph, and hands back what it reads.
public final class GoldenStudy1 {
    public static final int IMAGES = 3;
    public static final int SIZE = 32;
    public static final float RATE = 0.01f;
    public static final float MOMENTUM = 0.95f;

    /// One tensor of a golden file.
    record Entry(List<Integer> shape, float[] values) {}

    /// A forward and backward pass. Externals: `x`, `t`, `eps`, `parameters`, `frozen`, and with [#training] those of
    /// [Optimizer]. `y` and `loss` are kept; `gradients` is a flat local value.
    public record Step(Graph graph, Parameters parameters, Value y, Value loss, Value gradients) {}

    private final Map<String, Entry> weights = load("study1_unet_w8_weights.safetensors");
    private final Map<String, Entry> io = load("study1_unet_w8_io.safetensors");
    private final ParameterLayout layout = UNet.layout(UNetConfig.study1(8, 1));

    public ParameterLayout layout() {
        return layout;
    }

    /// Names and shapes in the order of the golden file.
    Map<String, Entry> weights() {
        return weights;
    }

    /// Flat buffer for the external `parameters`.
    public float[] parameters() {
        return flat(true, (int) layout.size());
    }

    /// Flat buffer for the external `frozen`.
    public float[] frozen() {
        return flat(false, (int) layout.frozenSize());
    }

    private float[] flat(boolean trainable, int size) {
        float[] flat = new float[size];
        for (ParameterSpec spec : layout.specs()) {
            if (spec.trainable() == trainable) {
                spec.fromFile(weights.get(spec.name()).values(), flat);
            }
        }
        return flat;
    }

    /// Noisy images [3,32,32,1]; with one channel NHWC and NCHW agree.
    public float[] x() {
        return io.get("x").values();
    }

    /// Target noise [3,32,32,1].
    public float[] eps() {
        return io.get("eps").values();
    }

    /// Time indices [3].
    public int[] t() {
        float[] values = io.get("t").values();
        int[] t = new int[values.length];
        for (int i = 0; i < t.length; i++) {
            t[i] = (int) values[i];
        }
        return t;
    }

    /// Prediction, loss and gradients, fused as the target wants.
    public static Step gradients(Target target) {
        Graph graph = new Graph();
        Parameters parameters = new Parameters(graph, Precision.F32);
        Value[] y = new Value[1];
        Value loss = loss(graph, parameters, y);
        parameters.freeze();
        Fusion.apply(graph, target);
        Value flat = parameters.placeGradients(Autodiff.gradients(graph, loss, parameters.trainable()));
        return new Step(graph, parameters, graph.keep(y[0]), graph.keep(loss), flat);
    }

    /// A complete SGD step; the losses go to the ring `losses` of `steps` entries.
    public static Step training(Target target, int steps) {
        Graph graph = new Graph();
        Parameters parameters = new Parameters(graph, Precision.F32);
        Value[] y = new Value[1];
        Backward backward = Backward.write(graph, target, parameters, 1, micro -> loss(graph, parameters, y));
        Optimizer.write(graph, parameters, OptimizerConfig.sgd(RATE, MOMENTUM), backward, steps);
        return new Step(graph, parameters, y[0], backward.loss(), backward.gradients());
    }

    private static Value loss(Graph graph, Parameters parameters, Value[] y) {
        TensorType images = TensorType.f32(IMAGES, SIZE, SIZE, 1);
        Value x = graph.external("x", images);
        Value t = graph.external("t", TensorType.i32(IMAGES));
        UNetConfig config = UNetConfig.study1(8, 1);
        y[0] = UNet.build(graph, parameters, config, x, t, Optional.empty(), Mode.evaluation());
        Value eps = graph.external("eps", images);
        return graph.apply(new MeanSquaredError(1f / images.elements()), y[0], eps);
    }

    /// |y - reference| <= 2e-4 |reference|.
    public void checkPrediction(double[] y) {
        double[] reference = doubles(io.get("y").values());
        assertThat(y).hasSameSizeAs(reference);
        assertThat(distance(y, reference) / norm(reference))
                .as("relative error of the prediction")
                .isLessThanOrEqualTo(2e-4);
    }

    public void checkLoss(double loss) {
        double reference = io.get("loss").values()[0];
        assertThat(Math.abs(loss / reference - 1))
                .as("relative error of the loss")
                .isLessThanOrEqualTo(1e-5);
    }

    /// |g - reference| <= 2e-4 |reference| + 1e-6 |all references|, for every tensor.
    ///
    /// @param flat arranged by [#layout()]
    public void checkGradients(double[] flat) {
        float[] narrow = new float[flat.length];
        for (int i = 0; i < flat.length; i++) {
            narrow[i] = (float) flat[i];
        }
        double all = io.get("gradnorm").values()[0];
        int checked = 0;
        for (ParameterSpec spec : layout.specs()) {
            if (spec.trainable()) {
                double[] reference = doubles(io.get("grad." + spec.name()).values());
                double[] gradient = doubles(spec.toFile(narrow));
                assertThat(distance(gradient, reference))
                        .as("error of the gradient of " + spec.name())
                        .isLessThanOrEqualTo(2e-4 * norm(reference) + 1e-6 * all);
                checked++;
            }
        }
        assertThat(checked).isEqualTo(276);
    }

    /// Ten losses of SGD, relative error at most 1e-4, the first before any update.
    public void checkLosses(double[] losses) {
        checkLosses(losses, 1e-4);
    }

    /// @param tolerance of each loss, relative
    void checkLosses(double[] losses, double tolerance) {
        List<Double> reference = losses();
        assertThat(losses).hasSize(reference.size());
        for (int step = 0; step < losses.length; step++) {
            assertThat(Math.abs(losses[step] / reference.get(step) - 1))
                    .as("relative error of the loss of step " + step + ", found " + losses[step])
                    .isLessThanOrEqualTo(tolerance);
        }
    }

    private static List<Double> losses() {
        String text = new String(bytes("study1_unet_w8_sgd_losses.txt"), StandardCharsets.US_ASCII);
        List<Double> losses = new ArrayList<>();
        text.lines().filter(line -> !line.isBlank()).forEach(line -> losses.add(Double.parseDouble(line)));
        return losses;
    }

    private static double norm(double[] values) {
        return distance(values, new double[values.length]);
    }

    private static double distance(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (a[i] - b[i]);
        }
        return Math.sqrt(sum);
    }

    static double[] doubles(float[] values) {
        double[] wide = new double[values.length];
        for (int i = 0; i < wide.length; i++) {
            wide[i] = values[i];
        }
        return wide;
    }

    /// Reads F32 and I64 tensors on its own, so that the network is tested without the product's reader.
    private static Map<String, Entry> load(String name) {
        ByteBuffer file = ByteBuffer.wrap(bytes(name)).order(ByteOrder.LITTLE_ENDIAN);
        int headerBytes = Math.toIntExact(file.getLong(0));
        JsonNode header =
                JsonMapper.shared().readTree(new String(file.array(), 8, headerBytes, StandardCharsets.UTF_8));
        Map<String, Entry> entries = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> property : header.properties()) {
            JsonNode tensor = property.getValue();
            if (!tensor.has("shape")) {
                continue;
            }
            List<Integer> shape = new ArrayList<>();
            tensor.get("shape").forEach(extent -> shape.add(extent.intValue()));
            int elements = shape.stream().reduce(1, Math::multiplyExact);
            boolean wide = tensor.get("dtype").stringValue().equals("I64");
            int begin = 8 + headerBytes + tensor.get("data_offsets").get(0).intValue();
            float[] values = new float[elements];
            for (int i = 0; i < elements; i++) {
                values[i] = wide ? file.getLong(begin + 8 * i) : file.getFloat(begin + 4 * i);
            }
            entries.put(property.getKey(), new Entry(List.copyOf(shape), values));
        }
        return entries;
    }

    private static byte[] bytes(String name) {
        try (InputStream stream = GoldenStudy1.class.getResourceAsStream("/golden/" + name)) {
            return stream.readAllBytes();
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }
}
