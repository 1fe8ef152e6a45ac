package dev.rote.nn;

import dev.rote.graph.Activation;
import dev.rote.graph.Add;
import dev.rote.graph.AddChannels;
import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Dropout;
import dev.rote.graph.Graph;
import dev.rote.graph.Modulate;
import dev.rote.graph.Shape;
import dev.rote.graph.Slice;
import dev.rote.graph.Value;
import dev.rote.random.Purpose;
import java.util.Optional;

/// Two convolutions conditioned on the time embedding, a skip connection, and perhaps self-attention behind them
/// (Ho et al. 2020, arXiv:2006.11239, appendix B; scale-shift: Nichol & Dhariwal 2021, arXiv:2102.09672, appendix A).
///
/// @param time projection of the activated embedding [N,E] to [N,K], or [N,2K] when it scales and shifts
/// @param skip 1 x 1 convolution where the number of channels changes
record ResidualBlock(
        Normalisation norm1,
        Convolution conv1,
        Dense time,
        Normalisation norm2,
        Convolution conv2,
        Optional<Convolution> skip,
        Optional<SelfAttention> attention) {

    static ResidualBlock study1(Parameters parameters, UNetConfig config, String name, UNetConfig.Stage stage) {
        int in = stage.in();
        int out = stage.out();
        Convolution conv1 = Convolution.of(parameters, name + ".block1.conv", in, out, 3, 1, false);
        Normalisation norm1 = Normalisation.of(parameters, config, name + ".block1.norm", in);
        Convolution conv2 = Convolution.of(parameters, name + ".block2.conv", out, out, 3, 1, config.zeroInit());
        Normalisation norm2 = Normalisation.of(parameters, config, name + ".block2.norm", out);
        Dense time = Dense.exact(parameters, name + ".dense", config.timeWidth(), timeOutputs(config, out));
        Optional<Convolution> skip = in == out
                ? Optional.empty()
                : Optional.of(Convolution.of(parameters, name + ".res_conv", in, out, 1, 1, false));
        Optional<SelfAttention> attention = stage.attention()
                ? Optional.of(SelfAttention.study1(parameters, config, name + ".attention", out))
                : Optional.empty();
        return new ResidualBlock(norm1, conv1, time, norm2, conv2, skip, attention);
    }

    /// The residual block is `NAME.0`, the attention `NAME.1`.
    static ResidualBlock iddpm(Parameters parameters, UNetConfig config, String name, UNetConfig.Stage stage) {
        ResidualBlock plain = iddpmBlock(parameters, config, name + ".0", stage);
        if (!stage.attention()) {
            return plain;
        }
        return plain.with(SelfAttention.iddpm(parameters, config, name + ".1", stage.out()));
    }

    static ResidualBlock iddpmBlock(Parameters parameters, UNetConfig config, String name, UNetConfig.Stage stage) {
        int in = stage.in();
        int out = stage.out();
        return new ResidualBlock(
                Normalisation.of(parameters, config, name + ".in_layers.0", in),
                Convolution.of(parameters, name + ".in_layers.2", in, out, 3, 1, false),
                Dense.exact(parameters, name + ".emb_layers.1", config.timeWidth(), timeOutputs(config, out)),
                Normalisation.of(parameters, config, name + ".out_layers.0", out),
                Convolution.of(parameters, name + ".out_layers.3", out, out, 3, 1, config.zeroInit()),
                in == out
                        ? Optional.empty()
                        : Optional.of(Convolution.of(parameters, name + ".skip_connection", in, out, 1, 1, false)),
                Optional.empty());
    }

    private static int timeOutputs(UNetConfig config, int out) {
        return config.scaleShift() ? 2 * out : out;
    }

    ResidualBlock with(SelfAttention added) {
        return new ResidualBlock(norm1, conv1, time, norm2, conv2, skip, Optional.of(added));
    }

    /// What [#apply] is conditioned on: [N,K], or [N,2K] when it scales and shifts.
    ///
    /// @param embedding activated time embedding [N,E] f32
    /// @param type of the images
    Value condition(Graph graph, Value embedding, DType type) {
        Value projected = time.apply(graph, embedding);
        return projected.dtype() == type ? projected : graph.apply(new Cast(type), projected);
    }

    /// @param x [N,H,W,C]
    /// @param condition of this block
    /// @param layer number of this block among the network's, for its dropout masks
    /// @return [N,H,W,K]
    Value apply(Graph graph, UNetConfig config, Value x, Value condition, Mode mode, int layer) {
        Value h = conv1.apply(graph, silu(graph, norm1.apply(graph, x)));
        if (config.scaleShift()) {
            int channels = h.shape().last();
            Value scale = graph.apply(new Slice(1, 0, channels), condition);
            Value shift = graph.apply(new Slice(1, channels, channels), condition);
            h = graph.apply(new Modulate(), norm2.apply(graph, h), scale, shift);
        } else {
            h = norm2.apply(graph, graph.apply(new AddChannels(), h, condition));
        }
        h = dropout(graph, config, silu(graph, h), mode, layer);
        Value residual = skip.map(convolution -> convolution.apply(graph, x)).orElse(x);
        h = conv2.apply(graph, h);
        Value sum = graph.apply(new Add(), h, residual);
        return attention.map(block -> block.apply(graph, sum)).orElse(sum);
    }

    private static Value dropout(Graph graph, UNetConfig config, Value h, Mode mode, int layer) {
        if (!(mode instanceof Mode.Training training) || config.dropout() == 0) {
            return h;
        }
        Shape shape = h.shape();
        long perImage = config.channelDropout() ? shape.last() : shape.elements(1, 4);
        // The first image whose elements all lie in this layer's sub-stream of random numbers.
        long streamImage = Math.ceilDiv(Purpose.streamStart(layer), perImage);
        Dropout op = new Dropout(
                config.dropout(),
                config.channelDropout(),
                training.seed(),
                Purpose.DROPOUT.code(),
                streamImage + training.firstImage());
        return graph.apply(op, h, training.step());
    }

    private static Value silu(Graph graph, Value x) {
        return graph.apply(new Activation(Activation.Kind.SILU), x);
    }
}
