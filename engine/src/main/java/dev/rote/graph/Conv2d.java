package dev.rote.graph;

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
        UPSAMPLED
    }

    public Conv2d {
        Check.that(stride >= 1, "Conv2d", "a stride of at least 1", stride);
        Check.that(
                top >= 0 && left >= 0 && bottom >= 0 && right >= 0,
                "Conv2d",
                "padding of at least 0",
                List.of(top, left, bottom, right));
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

    /// Pixels of the image that one pixel of the input stands for, along each side: 1 or 2.
    public int enlargement() {
        return input == Input.UPSAMPLED ? 2 : 1;
    }

    /// The image that is convolved for an input of this shape.
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
        Check.inputs("Conv2d", inputs, 2, 3);
        TensorType x = inputs.get(0);
        TensorType w = inputs.get(1);
        Check.rank("Conv2d", "x [N,H,W,C]", x, 4);
        Check.rank("Conv2d", "w [K,R,S,C]", w, 4);
        Check.floating("Conv2d", "x", x);
        Check.that(
                w.shape().last() == x.shape().last(),
                "Conv2d",
                "w with C = " + x.shape().last(),
                w);
        Check.that(w.type() == x.type(), "Conv2d", "w of type " + x.type(), w);
        if (inputs.size() == 3) {
            Check.shape("Conv2d", "bias", inputs.get(2), Shape.of(w.shape().dim(0)));
            Check.type("Conv2d", "bias", inputs.get(2), DType.F32);
        }
        return List.of(x.with(outputShape(x.shape(), w.shape())));
    }

    @Override
    public List<Value> gradient(Graph graph, Node node, List<Value> dOutputs, boolean[] wanted) {
        Value dy = dOutputs.getFirst();
        Value x = node.input(0);
        Value w = node.input(1);
        boolean bias = node.inputs().size() == 3;
        Value dx = wanted[0] ? graph.apply(new BackwardData(this, x.shape()), dy, w) : null;
        Value dw = null;
        Value dbias = null;
        if (wanted[1] || (bias && wanted[2])) {
            Op backward = new BackwardWeight(this, w.shape().dim(1), w.shape().dim(2), bias);
            List<Value> gradients = graph.add(backward, List.of(x, dy));
            dw = gradients.get(0);
            dbias = bias ? gradients.get(1) : null;
        }
        return bias ? Arrays.asList(dx, dw, dbias) : Arrays.asList(dx, dw);
    }

    @Override
    public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
        return Cost.of(flops(outputs.getFirst().shape(), inputs.get(1).shape()), inputs, outputs);
    }

    private static long flops(Shape y, Shape w) {
        return 2 * y.elements() * w.elements(1, 4);
    }

    /// Gradient with respect to x. Inputs dy [N,P,Q,K], w [K,R,S,C]; output dx of shape `x`.
    public record BackwardData(Conv2d conv, Shape x) implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 2, 2);
            Check.rank(label(), "w [K,R,S,C]", inputs.get(1), 4);
            Check.shape(
                    label(),
                    "dy",
                    inputs.get(0),
                    conv.outputShape(x, inputs.get(1).shape()));
            return List.of(inputs.get(0).with(x));
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of(flops(inputs.get(0).shape(), inputs.get(1).shape()), inputs, outputs);
        }
    }

    /// Gradients with respect to the filter and, if `bias`, the bias. Inputs x, dy; outputs dw [K,R,S,C], dbias [K],
    /// both f32.
    public record BackwardWeight(Conv2d conv, int filterHeight, int filterWidth, boolean bias) implements Op {
        @Override
        public List<TensorType> infer(List<TensorType> inputs) {
            Check.inputs(label(), inputs, 2, 2);
            Check.rank(label(), "x [N,H,W,C]", inputs.get(0), 4);
            Check.rank(label(), "dy [N,P,Q,K]", inputs.get(1), 4);
            Shape x = inputs.get(0).shape();
            Shape dy = inputs.get(1).shape();
            Shape w = Shape.of(dy.last(), filterHeight, filterWidth, x.last());
            Check.shape(label(), "dy", inputs.get(1), conv.outputShape(x, w));
            TensorType dw = new TensorType(w, DType.F32);
            return bias ? List.of(dw, TensorType.f32(dy.last())) : List.of(dw);
        }

        @Override
        public Cost cost(List<TensorType> inputs, List<TensorType> outputs) {
            return Cost.of(flops(inputs.get(1).shape(), outputs.get(0).shape()), inputs, outputs);
        }
    }
}
