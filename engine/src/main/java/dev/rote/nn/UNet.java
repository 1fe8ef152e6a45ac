package dev.rote.nn;

import dev.rote.graph.Activation;
import dev.rote.graph.Cast;
import dev.rote.graph.Concat;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Shape;
import dev.rote.graph.Upsample;
import dev.rote.graph.Value;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/// The U-Net of denoising diffusion (Ho et al. 2020, arXiv:2006.11239, appendix B) as studies 1 and 3 and iDDPM have
/// it.
///
/// Stem; per level residual blocks, each perhaps with self-attention, then a strided convolution; two residual blocks
/// at the bottom; the same way up, where every residual block also reads, by concatenation, one output of the way
/// down.
public final class UNet {
    private UNet() {}

    /// Writes the network; its parameters are declared in the order of weight files, so the layout depends on `config`
    /// alone. Under the bf16 policy everything between stem and head is bf16.
    ///
    /// @param x noisy images [N,H,W,C] f32
    /// @param t diffusion times [N], i32 indices; f32 is allowed where the sinusoids are computed
    /// @param labels classes [N] i32; empty for the unconditional network
    /// @return prediction [N,H,W,outChannels] f32
    /// @throws IllegalArgumentException if H or W is not divisible by 2^(levels-1), or an input does not fit `config`
    public static Value build(
            Graph graph,
            Parameters parameters,
            UNetConfig config,
            Value x,
            Value t,
            Optional<Value> labels,
            Mode mode) {
        check(config, x, t);
        UNetBlocks blocks = UNetBlocks.declare(parameters, config);
        DType type = parameters.precision().compute();
        // First, so that a device can draw what is trained on as it convolves it.
        Value h = blocks.stem().apply(graph, cast(graph, x, type));
        Value embedding = blocks.time().apply(graph, config, t, labels, mode);
        // All at once and before everything that reads them, so that a device can compute them, and their gradients,
        // together, and add them to the results of convolutions.
        List<Value> conditions = blocks.residuals().stream()
                .map(block -> block.condition(graph, embedding, type))
                .toList();
        int layer = 0;
        Deque<Value> skips = new ArrayDeque<>();
        skips.push(h);
        for (UNetBlocks.Block block : blocks.encoder()) {
            h = switch (block) {
                case UNetBlocks.Block.Residual residual ->
                    residual.block().apply(graph, config, h, conditions.get(layer), mode, layer++);
                case UNetBlocks.Block.Down down -> down.convolution().apply(graph, h);
                case UNetBlocks.Block.Up up -> throw new AssertionError("upsampling on the way down: " + up);
            };
            skips.push(h);
        }
        h = blocks.middle1().apply(graph, config, h, conditions.get(layer), mode, layer++);
        h = blocks.middle2().apply(graph, config, h, conditions.get(layer), mode, layer++);
        for (UNetBlocks.Block block : blocks.decoder()) {
            h = switch (block) {
                case UNetBlocks.Block.Residual residual -> {
                    Value joined = graph.apply(new Concat(3), h, skips.pop());
                    yield residual.block().apply(graph, config, joined, conditions.get(layer), mode, layer++);
                }
                case UNetBlocks.Block.Up up -> up.convolution().apply(graph, graph.apply(new Upsample(), h));
                case UNetBlocks.Block.Down down -> throw new AssertionError("downsampling on the way up: " + down);
            };
        }
        h = graph.apply(new Activation(Activation.Kind.SILU), blocks.norm().apply(graph, h));
        return cast(graph, blocks.head().apply(graph, h), DType.F32);
    }

    /// Elements of the flat buffer of a network's trained parameters; more than 2^31 - 1 have no layout.
    public static long size(UNetConfig config) {
        Parameters parameters = new Parameters(new Graph(), Precision.F32);
        UNetBlocks.declare(parameters, config);
        return parameters.size();
    }

    /// The layout of a network's parameters, without a graph to run.
    public static ParameterLayout layout(UNetConfig config) {
        Parameters parameters = new Parameters(new Graph(), Precision.F32);
        UNetBlocks.declare(parameters, config);
        return parameters.freeze();
    }

    private static Value cast(Graph graph, Value value, DType type) {
        return value.dtype() == type ? value : graph.apply(new Cast(type), value);
    }

    private static void check(UNetConfig config, Value x, Value t) {
        Shape shape = x.shape();
        int multiple = 1 << (config.levels() - 1);
        boolean images = shape.rank() == 4 && shape.last() == config.inChannels();
        if (!images || shape.dim(1) % multiple != 0 || shape.dim(2) % multiple != 0) {
            throw new IllegalArgumentException("U-Net input: expected [N,H,W," + config.inChannels()
                    + "] with H and W divisible by " + multiple + ", found " + x);
        }
        boolean times = t.shape().equals(Shape.of(shape.dim(0)));
        boolean type = t.dtype() == DType.I32 || (t.dtype() == DType.F32 && config.tableRows() == 0);
        if (!times || !type) {
            throw new IllegalArgumentException("U-Net times: expected [" + shape.dim(0) + "] i32"
                    + (config.tableRows() == 0 ? " or f32" : "") + ", found " + t);
        }
    }
}
