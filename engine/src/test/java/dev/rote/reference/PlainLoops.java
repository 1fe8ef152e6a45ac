package dev.rote.reference;

import dev.rote.graph.Attention;
import dev.rote.graph.Conv2d;
import dev.rote.graph.Op;
import dev.rote.graph.Reduce;
import dev.rote.graph.Shape;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Operations with long sums as anybody would write them in `float`: plain loops, sums in blocks of 64, so that
/// a long sum excuses nothing. How far they are from the reference is how far an honest implementation may be.
///
/// One exception, which is oneDNN's: its convolutions add all R S C products (in the backward half R S K) in one
/// chain, which at 288 products misses twice the error of blocked sums by a fifth. Theirs is the plain loop
/// without blocks.
public final class PlainLoops {
    private static final int BLOCK = 64;
    private static final int CHAIN = Integer.MAX_VALUE;

    private PlainLoops() {}

    /// A float sum in blocks.
    private static final class Sum {
        private final int length;
        private float total;
        private float block;
        private int count;

        Sum(int length) {
            this.length = length;
        }

        void add(float term) {
            block += term;
            if (++count % length == 0) {
                total += block;
                block = 0;
            }
        }

        float value() {
            return total + block;
        }

        static Sum[] array(long count, int length) {
            Sum[] sums = new Sum[Math.toIntExact(count)];
            Arrays.setAll(sums, i -> new Sum(length));
            return sums;
        }

        static double[] values(Sum[] sums) {
            return Arrays.stream(sums).mapToDouble(Sum::value).toArray();
        }
    }

    /// The outputs in float arithmetic; empty for operations that are not here.
    public static Optional<List<double[]>> evaluate(OpCase one) {
        if (one.inputs().isEmpty() || isJoined(one.op())) {
            return Optional.empty();
        }
        Shape first = one.inputTypes().getFirst().shape();
        double[] a = one.inputs().getFirst();
        return switch (one.op()) {
            case Conv2d op -> {
                Shape w = one.inputTypes().get(1).shape();
                Sum[] y = Sum.array(op.outputShape(first, w).elements(), CHAIN);
                double[] filter = one.inputs().get(1);
                Conv2dReference.visit(
                        op, first, w, (atX, atW, atY) -> y[atY].add((float) a[atX] * (float) filter[atW]));
                for (int i = 0; i < y.length && one.inputs().size() == 3; i++) {
                    y[i].add((float) one.inputs().get(2)[i % w.dim(0)]);
                }
                yield Optional.of(List.of(Sum.values(y)));
            }
            case Conv2d.BackwardData op -> {
                Sum[] dx = Sum.array(op.x().elements(), CHAIN);
                double[] filter = one.inputs().get(1);
                Shape w = one.inputTypes().get(1).shape();
                Conv2dReference.visit(
                        op.conv(), op.x(), w, (atX, atW, atY) -> dx[atX].add((float) a[atY] * (float) filter[atW]));
                yield Optional.of(List.of(Sum.values(dx)));
            }
            case Conv2d.BackwardWeight op -> Optional.of(backwardWeight(op, first, a, one));
            case Reduce op -> Optional.of(List.of(reduce(op, first, a)));
            case Attention op -> Optional.of(attention(op, first, a));
            default -> Optional.empty();
        };
    }

    /// Sums over the channels of a 1x1 filter are short.
    private static boolean isJoined(Op op) {
        Conv2d conv =
                switch (op) {
                    case Conv2d forward -> forward;
                    case Conv2d.BackwardData backward -> backward.conv();
                    case Conv2d.BackwardWeight backward -> backward.conv();
                    default -> Conv2d.same(1);
                };
        return conv.input() == Conv2d.Input.JOINED;
    }

    private static List<double[]> backwardWeight(Conv2d.BackwardWeight op, Shape x, double[] image, OpCase one) {
        double[] dy = one.inputs().get(1);
        int filters = one.inputTypes().get(1).shape().last();
        Shape w = Shape.of(filters, op.filterHeight(), op.filterWidth(), x.last());
        Sum[] dw = Sum.array(w.elements(), BLOCK);
        Conv2dReference.visit(op.conv(), x, w, (atX, atW, atY) -> dw[atW].add((float) image[atX] * (float) dy[atY]));
        Sum[] dbias = Sum.array(filters, BLOCK);
        for (int i = 0; i < dy.length; i++) {
            dbias[i % filters].add((float) dy[i]);
        }
        return op.bias() ? List.of(Sum.values(dw), Sum.values(dbias)) : List.of(Sum.values(dw));
    }

    private static double[] reduce(Reduce op, Shape shape, double[] x) {
        int before = (int) shape.elements(0, op.begin());
        int reduced = (int) shape.elements(op.begin(), op.end());
        int after = (int) shape.elements(op.end(), shape.rank());
        Sum[] y = Sum.array((long) before * after, BLOCK);
        for (int i = 0; i < x.length; i++) {
            y[i / (reduced * after) * after + i % after].add((float) x[i]);
        }
        double[] sums = Sum.values(y);
        return op.kind() == Reduce.Kind.SUM
                ? sums
                : Arrays.stream(sums).map(sum -> (float) sum / reduced).toArray();
    }

    /// qkv [N,T,3,heads,D]; y [N,T,heads,D], lse [N,heads,T].
    private static List<double[]> attention(Attention op, Shape shape, double[] qkv) {
        int images = shape.dim(0);
        int tokens = shape.dim(1);
        int heads = op.heads();
        int width = shape.last() / 3;
        int size = width / heads;
        double[] y = new double[images * tokens * width];
        double[] lse = new double[images * heads * tokens];
        float scale = (float) (1 / Math.sqrt(size));
        for (int row = 0; row < images * heads * tokens; row++) {
            int i = row % tokens;
            int head = row / tokens % heads;
            int image = row / tokens / heads;
            float[] scores = new float[tokens];
            float largest = Float.NEGATIVE_INFINITY;
            for (int j = 0; j < tokens; j++) {
                Sum dot = new Sum(BLOCK);
                for (int d = 0; d < size; d++) {
                    int q = (image * tokens + i) * 3 * width + head * size + d;
                    int k = ((image * tokens + j) * 3 + 1) * width + head * size + d;
                    dot.add((float) qkv[q] * (float) qkv[k]);
                }
                scores[j] = dot.value() * scale;
                largest = Math.max(largest, scores[j]);
            }
            Sum weights = new Sum(BLOCK);
            for (int j = 0; j < tokens; j++) {
                scores[j] = (float) Math.exp(scores[j] - largest);
                weights.add(scores[j]);
            }
            lse[row] = largest + (float) Math.log(weights.value());
            for (int d = 0; d < size; d++) {
                Sum mixed = new Sum(BLOCK);
                for (int j = 0; j < tokens; j++) {
                    int v = ((image * tokens + j) * 3 + 2) * width + head * size + d;
                    mixed.add(scores[j] / weights.value() * (float) qkv[v]);
                }
                y[(image * tokens + i) * width + head * size + d] = mixed.value();
            }
        }
        return List.of(y, lse);
    }
}
