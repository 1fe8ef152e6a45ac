package dev.rote.nn;

import dev.rote.graph.Activation;
import dev.rote.graph.Add;
import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Embedding;
import dev.rote.graph.Graph;
import dev.rote.graph.LayerNorm;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The residual network of study 1's Gaussian mixture (Bonnaire et al. 2025, arXiv:2505.17638, appendix B and released
/// code), on images taken as vectors of d = H W C values:
///
/// ```
/// h = Linear(d, W)(x)
/// blocks times:   o = Linear(W, W)(GELU(Linear(W, W)(h + PE(t) + E(class))))    h = LayerNorm(h + o)
/// Linear(W, d)(h)
/// PE(t)[i] = cos(t f_i) for even i, sin(t f_i) for odd i,   f_i = 1e-4^(2 floor(i/2) / W)
/// ```
///
/// With three blocks W(2d + 13) + d + 6 W^2 parameters, and W for each class. E, with no vector for no class, is our
/// choice: the paper leaves open how the class enters.
public final class ResidualMlp {
    /// One block's parameters.
    private record Block(Dense first, Dense second, Value gamma, Value beta) {}

    private record Layers(Dense input, Optional<ClassRows> classes, List<Block> blocks, Dense output) {
        static Layers declare(Parameters parameters, ResidualMlpConfig config) {
            int width = config.width();
            Optional<ClassRows> classes = config.classes() == 0
                    ? Optional.empty()
                    : Optional.of(ClassRows.of(parameters, config.classes(), width));
            Dense input = Dense.of(parameters, "input", config.dimension(), width);
            List<Block> blocks = new ArrayList<>();
            for (int number = 0; number < config.blocks(); number++) {
                String name = "blocks." + number;
                blocks.add(new Block(
                        Dense.of(parameters, name + ".linear1", width, width),
                        Dense.of(parameters, name + ".linear2", width, width),
                        parameters.vector(name + ".norm.weight", width, Init.ones()),
                        parameters.vector(name + ".norm.bias", width, Init.zeros())));
            }
            return new Layers(input, classes, blocks, Dense.of(parameters, "output", width, config.dimension()));
        }
    }

    private ResidualMlp() {}

    /// The parameters of a network that is not written.
    static Parameters declare(ResidualMlpConfig config) {
        Parameters parameters = new Parameters(new Graph(), Precision.F32);
        Layers.declare(parameters, config);
        return parameters;
    }

    /// Writes the network. Under the bf16 policy everything between the first and the last layer is bf16, but the time
    /// and class embedding.
    ///
    /// @param x [N,H,W,C] f32 with H W C = d
    /// @param t time indices [N] i32
    /// @param labels classes [N] i32; empty for the unconditional network
    /// @return prediction in the shape of x, f32
    /// @throws IllegalArgumentException if an input does not fit `config`
    public static Value build(
            Graph graph,
            Parameters parameters,
            ResidualMlpConfig config,
            Value x,
            Value t,
            Optional<Value> labels,
            Mode mode) {
        check(config, x, t, labels);
        Layers layers = Layers.declare(parameters, config);
        DType type = parameters.precision().compute();
        int images = x.shape().dim(0);
        Value embedding = cast(graph, embedding(graph, config, layers, t, labels, mode), type);
        Value h =
                layers.input().apply(graph, cast(graph, graph.reshape(x, Shape.of(images, config.dimension())), type));
        for (Block block : layers.blocks()) {
            Value inner = block.first().apply(graph, graph.apply(new Add(), h, embedding));
            Value o = block.second().apply(graph, graph.apply(new Activation(Activation.Kind.GELU), inner));
            h = graph.apply(new LayerNorm(config.eps()), graph.apply(new Add(), o, h), block.gamma(), block.beta());
        }
        return graph.reshape(cast(graph, layers.output().apply(graph, h), DType.F32), x.shape());
    }

    /// [N,W] f32.
    private static Value embedding(
            Graph graph, ResidualMlpConfig config, Layers layers, Value t, Optional<Value> labels, Mode mode) {
        Value table = graph.constant("time table", TensorType.f32(config.times(), config.width()), timeTable(config));
        Value times = graph.apply(new Embedding(), table, t);
        if (labels.isEmpty()) {
            return times;
        }
        ClassRows rows = layers.classes().orElseThrow();
        return graph.apply(new Add(), times, rows.apply(graph, labels.get(), mode));
    }

    /// PE of every time index, [times,W], computed in double.
    static float[] timeTable(ResidualMlpConfig config) {
        int width = config.width();
        float[] table = new float[Math.multiplyExact(config.times(), width)];
        for (int i = 0; i < width; i++) {
            double frequency = StrictMath.pow(ResidualMlpConfig.MIN_FREQUENCY, 2.0 * (i / 2) / width);
            for (int t = 0; t < config.times(); t++) {
                double angle = t * frequency;
                table[t * width + i] = (float) (i % 2 == 0 ? StrictMath.cos(angle) : StrictMath.sin(angle));
            }
        }
        return table;
    }

    private static Value cast(Graph graph, Value value, DType type) {
        return value.dtype() == type ? value : graph.apply(new Cast(type), value);
    }

    private static void check(ResidualMlpConfig config, Value x, Value t, Optional<Value> labels) {
        Shape shape = x.shape();
        if (shape.rank() != 4 || shape.elements(1, 4) != config.dimension()) {
            throw new IllegalArgumentException(
                    "MLP input: expected [N,H,W,C] with " + config.dimension() + " values per image, found " + x);
        }
        if (!t.shape().equals(Shape.of(shape.dim(0))) || t.dtype() != DType.I32) {
            throw new IllegalArgumentException("MLP times: expected [" + shape.dim(0) + "] i32, found " + t);
        }
        if (labels.isPresent() && config.classes() == 0) {
            throw new IllegalArgumentException("labels: expected none for an MLP without classes");
        }
    }
}
