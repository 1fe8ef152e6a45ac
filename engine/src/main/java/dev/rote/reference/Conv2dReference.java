package dev.rote.reference;

import dev.rote.graph.Conv2d;
import dev.rote.graph.Shape;
import java.util.List;

/// Two-dimensional cross-correlation with zero padding:
/// `y[n,p,q,k] = bias[k] + sum_{r,s,c} x[n, p stride + r - top, q stride + s - left, c] w[k,r,s,c]`.
///
/// Of an upsampled input, x[n,h,v,c] is the input's [n,h/2,v/2,c]; joined inputs are x in two parts. The three
/// functions visit the same products; each adds to another factor.
final class Conv2dReference {
    private Conv2dReference() {}

    /// Inputs x [N,H,W,C], w [K,R,S,C], optional bias [K]; output y [N,P,Q,K].
    static List<double[]> forward(Conv2d op, List<Tensor> inputs) {
        Tensor x = Joined.of(inputs.subList(0, op.sources()));
        Tensor w = inputs.get(op.sources());
        int filters = w.dim(0);
        double[] y = new double[(int) op.outputShape(x.shape(), w.shape()).elements()]; // [N,P,Q,K]
        visit(op, x.shape(), w.shape(), (atX, atW, atY) -> y[atY] += x.at(atX) * w.at(atW));
        for (int i = 0; i < y.length && op.hasBias(inputs); i++) {
            y[i] += inputs.getLast().at(i % filters);
        }
        return List.of(y);
    }

    /// Inputs dy [N,P,Q,K], w [K,R,S,C]; output dx [N,H,W,C].
    static List<double[]> backwardData(Conv2d.BackwardData op, List<Tensor> inputs) {
        Tensor dy = inputs.get(0);
        Tensor w = inputs.get(1);
        double[] dx = new double[(int) op.x().elements()]; // [N,H,W,C]
        visit(op.conv(), op.x(), w.shape(), (atX, atW, atY) -> dx[atX] += dy.at(atY) * w.at(atW));
        return Joined.split(new Tensor(op.x(), dx), op.first());
    }

    /// Inputs x [N,H,W,C], dy [N,P,Q,K]; outputs dw [K,R,S,C] and, if asked for, dbias [K].
    static List<double[]> backwardWeight(Conv2d.BackwardWeight op, List<Tensor> inputs) {
        Tensor x = Joined.of(inputs.subList(0, op.conv().sources()));
        Tensor dy = inputs.getLast();
        Shape w = Shape.of(dy.last(), op.filterHeight(), op.filterWidth(), x.last());
        double[] dw = new double[(int) w.elements()]; // [K,R,S,C]
        visit(op.conv(), x.shape(), w, (atX, atW, atY) -> dw[atW] += x.at(atX) * dy.at(atY));
        if (!op.bias()) {
            return List.of(dw);
        }
        double[] dbias = new double[dy.last()]; // [K]
        for (int i = 0; i < dy.size(); i++) {
            dbias[i % dbias.length] += dy.at(i);
        }
        return List.of(dw, dbias);
    }

    /// Receives the positions in x, w and y of one product of the sum.
    interface Product {
        void at(int x, int w, int y);
    }

    /// Hands over every product of the sums, those of one output one after the other.
    static void visit(Conv2d conv, Shape x, Shape w, Product product) {
        Shape y = conv.outputShape(x, w);
        for (int n = 0; n < x.dim(0); n++) {
            for (int p = 0; p < y.dim(1); p++) {
                for (int q = 0; q < y.dim(2); q++) {
                    for (int k = 0; k < w.dim(0); k++) {
                        int atY = ((n * y.dim(1) + p) * y.dim(2) + q) * w.dim(0) + k;
                        visitFilter(conv, x, w, new int[] {n, p, q, k, atY}, product);
                    }
                }
            }
        }
    }

    private static void visitFilter(Conv2d conv, Shape x, Shape w, int[] out, Product product) {
        for (int r = 0; r < w.dim(1); r++) {
            for (int s = 0; s < w.dim(2); s++) {
                int h = out[1] * conv.stride() + r - conv.top();
                int v = out[2] * conv.stride() + s - conv.left();
                int scale = conv.enlargement();
                if (h < 0 || h >= scale * x.dim(1) || v < 0 || v >= scale * x.dim(2)) {
                    continue; // zero padding
                }
                for (int c = 0; c < x.dim(3); c++) {
                    int atX = ((out[0] * x.dim(1) + h / scale) * x.dim(2) + v / scale) * x.dim(3) + c;
                    int atW = ((out[3] * w.dim(1) + r) * w.dim(2) + s) * w.dim(3) + c;
                    product.at(atX, atW, out[4]);
                }
            }
        }
    }
}
