package dev.rote.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Two-dimensional convolution (cross-correlation), any filter size, stride and padding.
///
/// `y[n,p,q,k] = bias[k] + sum_{r,s,c} x[n, p*stride + r - top, q*stride + s - left, c] w[k,r,s,c]`, zero outside.
/// Inputs x [N,H,W,C], w [K,R,S,C], optional bias [K] f32; output y [N,P,Q,K] in the type of x. A filter in bf16 has a
/// gradient in f32.
///
/// What is convolved need not lie in memory: see [Input].
public record Conv2d(Input input, int stride, int top, int left, int bottom, int right) implements Op {
    /// How the input becomes the image that is convolved.
    public enum Input {
        /// It is that image.
        PLAIN,
        /// It is that image at half its height and width: each of its pixels stands for 2 x 2, as [Upsample] has it.
        UPSAMPLED,
        /// It is two tensors with some of the image's channels each, which a [Concat] would lay side by side. For 1 x 1
        /// filters that move nothing.
        JOINED
    }

    public Conv2d {
        Check.that(stride >= 1, "Conv2d", "a stride of at least 1", stride);
        Check.that(
                top >= 0 && left >= 0 && bottom >= 0 && right >= 0,
                "Conv2d",
                "padding of at least 0",
                List.of(top, left, bottom, right));
        Check.that(
                input != Input.JOINED || (stride == 1 && top + left + bottom + right == 0),
                "Conv2d",
                "joined inputs without stride and padding",
                List.of(stride, top, left, bottom, right));
    }

    /// Of a plain input.
    public Conv2d(int stride, int top, int left, int bottom, int right) {
        this(Input.PLAIN, stride, top, left, bottom, right);
    }

    /// Stride 1, output as large as the input, for an odd filter size.
    public static Conv2d same(int filter) {
        int pad = filter / 2;
        return new Conv2d(1, pad, pad, pad, pad);
    }

    /// The same padding on all four sides.
    public static Conv2d of(int stride, int pad) {
        return new Conv2d(stride, pad, pad, pad, pad);
    }

    /// The same convolution of another kind of input.
    public Conv2d reading(Input kind) {
        return new Conv2d(kind, stride, top, left, bottom, right);
    }

    /// How many tensors the input is.
    public int sources() {
        return input == Input.JOINED ? 2 : 1;
    }

    /// Pixels of the image that one pixel of the input stands for, along each side: 1 or 2.
    public int enlargement() {
        return input == Input.UPSAMPLED ? 2 : 1;
    }

    /// The image that is convolved for an input of this shape; joined inputs have theirs together.
    public Shape image(Shape x) {
        return Shape.of(x.dim(0), enlargement() * x.dim(1), enlargement() * x.dim(2), x.dim(3));
    }

    /// Output shape [N,P,Q,K] for an input x [N,H,W,C] and w [K,R,S,C].
    public Shape outputShape(Shape x, Shape w) {
        Shape image = image(x);
        int height = (image.dim(1) + top + bottom - w.dim(1)) / stride + 1;
        int width = (image.dim(2) + left + right - w.dim(2)) / stride + 1;
        boolean fits = image.dim(1) + top + bottom >= w.dim(1) && image.dim(2) + left + right >= w.dim(2);
        Check.that(fits, "Conv2d", "a filter no larger than the padded image " + image, w);
        return Shape.of(x.dim(0), height, width, w.dim(0));
    }

    @Override
    public List<TensorType> infer(List<TensorType> inputs) {
        Check.inputs("Conv2d", inputs, sources() + 1, sources() + 2);
        TensorType x = Concat.channels(inputs.subList(0, sources()));
        TensorType w = inputs.get(sources());
        Check.rank("Conv2d", "x [N,H,W,C]", x, 4);
        Check.rank("Conv2d", "w [K,R,S,C]", w, 4);
        Check.floating("Conv2d", "x", x);
        Check.that(
                w.shape().last() == x.shape().last(),
                "Conv2d",
                "w with C = " + x.shape().last(),
                w);
        Check.that(w.type() == x.type(), "Conv2d", "w of type " + x.type(), w);
        Check.that(
                input != Input.JOINED || w.shape().elements(1, 3) == 1,
                "Conv2d",
                "a 1 x 1 filter for joined inputs",
                w);
        if (hasBias(inputs)) {
            Check.shape("Conv2d", "bias", inputs.getLast(), Shape.of(w.shape().dim(0)));
            Check.type("Conv2d", "bias", inputs.getLast(), DType.F32);
        }
        return List.of(x.with(outputShape(x.shape(), w.shape())));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Value dy = dOutputs.getFirst();
        int sources = sources();
        List<Value> x = node.inputs().subList(0, sources);
        Value w = node.input(sources);
        Value[] gradients = new Value[node.inputs().size()];
        if (wanted[0] || wanted[sources - 1]) {
            Shape whole = Concat.channels(x.stream().map(Value::type).toList()).shape();
            Op backward = new BackwardData(this, whole, x.getFirst().shape().last());
            put(gradients, 0, graph.add(backward, List.of(dy, w)));
        }
        boolean bias = hasBias(node.inputs());
        if (wanted[sources] || wanted[wanted.length - 1]) {
            Op backward = new BackwardWeight(this, w.shape().dim(1), w.shape().dim(2), bias);
            List<Value> inputs = new ArrayList<>(x);
            inputs.add(dy);
            put(gradients, sources, graph.add(backward, inputs));
        }
        return Arrays.asList(gradients);
    }

    private static void put(Value[] gradients, int first, List<Value> values) {
        for (int index = 0; index < values.size(); index++) {
            gradients[first + index] = values.get(index);
        }
    }

    /// Whether a bias comes after the filter.
    public boolean hasBias(List<?> inputs) {
        return inputs.size() == sources() + 2;
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(flops(outputs.getFirst().shape(), inputs.get(sources()).shape()), inputs, outputs);
    }

    private static long flops(Shape y, Shape w) {
        return 2 * y.elements() * w.elements(1, 4);
    }

    /// Gradient with respect to x. Inputs dy [N,P,Q,K], w [K,R,S,C]; output dx of shape `x`, for joined inputs as two
    /// tensors, of which the first has the `first` channels.
    public record BackwardData(Conv2d conv, Shape x, int first) implements Op {
        /// Of an input that is one tensor.
        public BackwardData(Conv2d conv, Shape x) {
            this(conv, x, x.last());
        }

        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 2, 2);
            Check.rank(label(), "w [K,R,S,C]", inputs.get(1), 4);
            Check.shape(
                    label(),
                    "dy",
                    inputs.get(0),
                    conv.outputShape(x, inputs.get(1).shape()));
            TensorType dx = inputs.get(0).with(x);
            return conv.input == Input.JOINED
                    ? List.of(dx.with(x.with(-1, first)), dx.with(x.with(-1, x.last() - first)))
                    : List.of(dx);
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of(flops(inputs.get(0).shape(), inputs.get(1).shape()), inputs, outputs);
        }
    }

    /// Gradients with respect to the filter and, if `bias`, the bias. Inputs x (one tensor, or the joined two), dy;
    /// outputs dw [K,R,S,C], dbias [K], both f32.
    public record BackwardWeight(Conv2d conv, int filterHeight, int filterWidth, boolean bias) implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, conv.sources() + 1, conv.sources() + 1);
            TensorType joined = Concat.channels(inputs.subList(0, conv.sources()));
            Check.rank(label(), "x [N,H,W,C]", joined, 4);
            Check.rank(label(), "dy [N,P,Q,K]", inputs.getLast(), 4);
            Shape x = joined.shape();
            Shape dy = inputs.getLast().shape();
            Shape w = Shape.of(dy.last(), filterHeight, filterWidth, x.last());
            Check.shape(label(), "dy", inputs.getLast(), conv.outputShape(x, w));
            TensorType dw = new TensorType(w, DType.F32);
            return bias ? List.of(dw, TensorType.f32(dy.last())) : List.of(dw);
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of(flops(inputs.getLast().shape(), outputs.get(0).shape()), inputs, outputs);
        }
    }
}
