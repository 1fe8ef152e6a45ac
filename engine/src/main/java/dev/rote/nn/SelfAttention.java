package dev.rote.nn;

import dev.rote.graph.Add;
import dev.rote.graph.Attention;
import dev.rote.graph.Graph;
import dev.rote.graph.Shape;
import dev.rote.graph.Value;

/// Multi-head self-attention over all pixels, with residual: `x + out(attention(qkv(norm(x))))`.
record SelfAttention(Normalisation norm, Dense qkv, Dense out, int heads) {
    /// Study 1: `NAME.group_norm` and PyTorch's MultiheadAttention `NAME.mhsa`, whose packed projection starts Xavier
    /// uniform and whose biases start at zero.
    static SelfAttention study1(Parameters parameters, UNetConfig config, String name, int channels) {
        Shape packed = Shape.of(3 * channels, channels);
        Init out = config.zeroInit() ? Init.zeros() : Init.fanIn(channels);
        return new SelfAttention(
                Normalisation.of(parameters, config, name + ".group_norm", channels),
                new Dense(
                        parameters.matrix(name + ".mhsa.in_proj_weight", packed, Init.xavier(packed)),
                        parameters.vector(name + ".mhsa.in_proj_bias", 3 * channels, Init.zeros())),
                new Dense(
                        parameters.matrix(name + ".mhsa.out_proj.weight", Shape.of(channels, channels), out),
                        parameters.vector(name + ".mhsa.out_proj.bias", channels, Init.zeros())),
                config.headsFor(channels));
    }

    /// iDDPM: `NAME.norm`, and one-dimensional convolutions `NAME.qkv` (rows ordered head, 3, D) and `NAME.proj_out`.
    static SelfAttention iddpm(Parameters parameters, UNetConfig config, String name, int channels) {
        int heads = config.headsFor(channels);
        Init fanIn = Init.fanIn(channels);
        Init out = config.zeroInit() ? Init.zeros() : fanIn;
        return new SelfAttention(
                Normalisation.of(parameters, config, name + ".norm", channels),
                new Dense(
                        parameters.matrix(
                                name + ".qkv.weight",
                                Shape.of(3 * channels, channels),
                                fanIn,
                                new FileForm(FileForm.Kind.POINTWISE, heads)),
                        parameters.vector(
                                name + ".qkv.bias", 3 * channels, fanIn, new FileForm(FileForm.Kind.SAME, heads))),
                new Dense(
                        parameters.matrix(
                                name + ".proj_out.weight", Shape.of(channels, channels), out, FileForm.POINTWISE),
                        parameters.vector(name + ".proj_out.bias", channels, out)),
                heads);
    }

    /// x and the result [N,H,W,C].
    Value apply(Graph graph, Value x) {
        Shape image = x.shape();
        Shape tokens = Shape.of(image.dim(0), image.dim(1) * image.dim(2), image.last());
        Value normed = graph.reshape(norm.apply(graph, x), tokens);
        Value attended = graph.apply(new Attention(heads), qkv.apply(graph, normed));
        return graph.apply(new Add(), x, graph.reshape(out.apply(graph, attended), image));
    }
}
