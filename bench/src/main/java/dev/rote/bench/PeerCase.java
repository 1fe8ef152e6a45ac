package dev.rote.bench;

import dev.rote.graph.Attention;
import dev.rote.graph.Conv2d;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Linear;
import dev.rote.graph.Op;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An operation in words that a peer understands.
///
/// @param shape for people, such as `512x32x32x64 to 32 k3 s1`
/// @param fields what the peer needs to build it
record PeerCase(String benchmark, String shape, Map<String, Object> fields) {
    /// Empty for operations that peers are not asked for, among them those that read another tensor than they compute
    /// with.
    static Optional<PeerCase> of(Op op, List<TensorType> inputs) {
        if (!isPlain(op, inputs)) {
            return Optional.empty();
        }
        return Optional.ofNullable(
                switch (op) {
                    case Conv2d conv ->
                        convolution("conv2d", conv, shape(inputs, 0), shape(inputs, 1), inputs.size() == 3);
                    case Conv2d.BackwardData back ->
                        convolution("conv2d_backward_data", back.conv(), back.x(), shape(inputs, 1), false);
                    case Conv2d.BackwardWeight back -> {
                        Shape x = shape(inputs, 0);
                        Shape w = Shape.of(shape(inputs, 1).last(), back.filterHeight(), back.filterWidth(), x.last());
                        yield convolution("conv2d_backward_weight", back.conv(), x, w, back.bias());
                    }
                    case Linear ignored ->
                        linear("linear", shape(inputs, 0), shape(inputs, 1).dim(0), inputs.size() == 3);
                    case Linear.BackwardData ignored -> {
                        Shape dy = shape(inputs, 0);
                        Shape x = dy.with(-1, (int) (shape(inputs, 1).elements() / dy.last()));
                        yield linear("linear_backward_data", x, dy.last(), false);
                    }
                    case Linear.BackwardWeight back ->
                        linear(
                                "linear_backward_weight",
                                shape(inputs, 0),
                                shape(inputs, 1).last(),
                                back.bias());
                    case GroupNorm norm -> norm("group_norm_silu", norm, shape(inputs, 0));
                    case GroupNorm.Backward back -> norm("group_norm_silu_backward", back.forward(), shape(inputs, 1));
                    case Attention attention -> attention("attention", attention.heads(), shape(inputs, 0));
                    case Attention.Backward back -> attention("attention_backward", back.heads(), shape(inputs, 1));
                    default -> null;
                });
    }

    private static boolean isPlain(Op op, List<TensorType> inputs) {
        return switch (op) {
            case Conv2d conv -> conv.input() == Conv2d.Input.PLAIN;
            case Conv2d.BackwardData back -> back.conv().input() == Conv2d.Input.PLAIN;
            case Conv2d.BackwardWeight back -> back.conv().input() == Conv2d.Input.PLAIN;
            case GroupNorm ignored -> inputs.size() == 3;
            case GroupNorm.Backward ignored -> inputs.size() == 6;
            default -> true;
        };
    }

    private static Shape shape(List<TensorType> inputs, int index) {
        return inputs.get(index).shape();
    }

    /// @param x [N,H,W,C]
    /// @param w [K,R,S,C], square
    private static PeerCase convolution(String benchmark, Conv2d conv, Shape x, Shape w, boolean bias) {
        Map<String, Object> fields = pixels(x);
        fields.put("k", w.dim(0));
        fields.put("kernel", w.dim(1));
        fields.put("stride", conv.stride());
        fields.put("bias", bias);
        String shape = text(x) + " to " + w.dim(0) + " k" + w.dim(1) + " s" + conv.stride() + without(bias, benchmark);
        return new PeerCase(benchmark, shape, fields);
    }

    /// A forward operation has a bias unless its shape says otherwise, a gradient of the weights too.
    private static String without(boolean bias, String benchmark) {
        return bias || benchmark.endsWith("_data") ? "" : " no bias";
    }

    private static PeerCase linear(String benchmark, Shape x, int filters, boolean bias) {
        long rows = x.elements() / x.last();
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("rows", rows);
        fields.put("c", x.last());
        fields.put("k", filters);
        fields.put("bias", bias);
        return new PeerCase(benchmark, rows + "x" + x.last() + " to " + filters + without(bias, benchmark), fields);
    }

    private static PeerCase norm(String benchmark, GroupNorm norm, Shape x) {
        Shape image = x.rank() == 4 ? x : Shape.of(x.dim(0), (int) (x.elements() / x.dim(0) / x.last()), 1, x.last());
        Map<String, Object> fields = pixels(image);
        fields.put("groups", norm.groups());
        fields.put("silu", norm.silu());
        return new PeerCase(benchmark, text(image) + " g" + norm.groups() + (norm.silu() ? "" : " no silu"), fields);
    }

    /// @param qkv [N,T,3*heads*D]
    private static PeerCase attention(String benchmark, int heads, Shape qkv) {
        int size = qkv.last() / 3 / heads;
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("n", qkv.dim(0));
        fields.put("t", qkv.dim(1));
        fields.put("heads", heads);
        fields.put("d", size);
        return new PeerCase(benchmark, qkv.dim(0) + "x" + qkv.dim(1) + " h" + heads + " d" + size, fields);
    }

    private static Map<String, Object> pixels(Shape x) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("n", x.dim(0));
        fields.put("h", x.dim(1));
        fields.put("w", x.dim(2));
        fields.put("c", x.dim(3));
        return fields;
    }

    private static String text(Shape shape) {
        return shape.toString().replace("[", "").replace("]", "").replace(',', 'x');
    }
}
