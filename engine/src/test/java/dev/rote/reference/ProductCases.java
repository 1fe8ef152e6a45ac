package dev.rote.reference;

import dev.rote.graph.Attention;
import dev.rote.graph.Conv2d;
import dev.rote.graph.Linear;
import dev.rote.graph.MatMul;
import dev.rote.reference.CaseList.Given;
import java.util.Arrays;
import java.util.List;

/// Cases of convolution, linear layer, matrix product and attention.
final class ProductCases {
    private ProductCases() {}

    static void addTo(CaseList list) {
        convolutions(list);
        linears(list);
        matrixProducts(list);
        attentions(list);
    }

    private static void convolutions(CaseList list) {
        conv(list, "1x1 image, C=1, K=1", Conv2d.same(1), new int[] {1, 1, 1, 1}, new int[] {1, 1, 1, 1});
        conv(list, "1x1 filter", Conv2d.same(1), new int[] {2, 5, 3, 7}, new int[] {4, 1, 1, 7});
        conv(list, "3x3 same, primes", Conv2d.same(3), new int[] {3, 7, 5, 3}, new int[] {11, 3, 3, 3});
        conv(list, "3x3 same, C=1", Conv2d.same(3), new int[] {2, 6, 6, 1}, new int[] {8, 3, 3, 1});
        conv(list, "3x3 same, K=1", Conv2d.same(3), new int[] {2, 6, 6, 8}, new int[] {1, 3, 3, 8});
        conv(list, "3x3 same, 1x1 image", Conv2d.same(3), new int[] {2, 1, 1, 5}, new int[] {3, 3, 3, 5});
        conv(list, "3x3 stride 2, odd", Conv2d.of(2, 1), new int[] {2, 7, 9, 4}, new int[] {5, 3, 3, 4});
        conv(list, "3x3 stride 2, even", Conv2d.of(2, 1), new int[] {2, 8, 8, 16}, new int[] {16, 3, 3, 16});
        conv(list, "3x3 stride 2, lower right", new Conv2d(2, 0, 0, 1, 1), new int[] {2, 8, 6, 3}, new int[] {4, 3, 3, 3
        });
        conv(list, "2x2 stride 2, no padding", Conv2d.of(2, 0), new int[] {1, 6, 6, 3}, new int[] {4, 2, 2, 3});
        conv(list, "3x3 stride 3, unread rest", Conv2d.of(3, 0), new int[] {1, 8, 7, 2}, new int[] {3, 3, 3, 2});
        conv(list, "4x2 asymmetric padding", new Conv2d(1, 2, 0, 1, 1), new int[] {2, 5, 4, 3}, new int[] {2, 4, 2, 3});
        conv(list, "5x5 padding 3", Conv2d.of(1, 3), new int[] {1, 4, 5, 2}, new int[] {3, 5, 5, 2});
        conv(list, "1-D 1x3", new Conv2d(1, 0, 1, 0, 1), new int[] {2, 1, 17, 6}, new int[] {5, 1, 3, 6});
        for (int tile = 15; tile <= 17; tile++) {
            int[] x = {2, 4, tile, tile};
            conv(list, "3x3 same, W=C=K=" + tile, Conv2d.same(3), x, new int[] {tile, 3, 3, tile});
        }
        conv(list, "3x3 same, C=32 K=64", Conv2d.same(3), new int[] {2, 8, 8, 32}, new int[] {64, 3, 3, 32});
        Given w = list.x(4, 3, 3, 3);
        list.add("large mean", Conv2d.same(3), list.largeMean(2, 5, 5, 3), w, list.f32(4));
        list.add("constant input", Conv2d.same(3), list.constant(0.5, 2, 5, 5, 3), w, list.f32(4));
    }

    static void addTiledTo(CaseList list) {
        tiled(list, "one tile", list.x(1, 2, 2, 32), 32);
        tiled(list, "a row of tiles", list.x(2, 2, 10, 32), 64);
        tiled(list, "a column of tiles", list.x(2, 10, 2, 64), 32);
        tiled(list, "blocks of rows and a rest", list.x(2, 26, 22, 32), 32);
        tiled(list, "blocks of images and a rest", list.x(5, 8, 8, 128), 16);
        tiled(list, "C=16 K=32", list.x(2, 6, 10, 16), 32);
        tiled(list, "C=48 K=16", list.x(2, 4, 6, 48), 16);
        tiled(list, "large mean", list.largeMean(2, 8, 8, 32), 32);
        tiled(list, "constant input", list.constant(0.5, 2, 8, 8, 32), 32);
    }

    private static void tiled(CaseList list, String variant, Given image, int filters) {
        conv(list, variant, Conv2d.same(3), image, new int[] {
            filters, 3, 3, image.type().shape().last()
        });
    }

    private static void conv(CaseList list, String variant, Conv2d op, int[] x, int[] w) {
        conv(list, variant, op, list.x(x), w);
    }

    private static void conv(CaseList list, String variant, Conv2d op, Given image, int[] w) {
        Given filter = list.x(w);
        Given dy = list.x(
                op.outputShape(image.type().shape(), filter.type().shape()).toArray());
        list.add(variant, op, image, filter);
        list.add(variant + ", bias", op, image, filter, list.f32(w[0]));
        list.add(variant, new Conv2d.BackwardData(op, image.type().shape()), dy, filter);
        list.add(variant, new Conv2d.BackwardWeight(op, w[1], w[2], false), image, dy);
        list.add(variant + ", bias", new Conv2d.BackwardWeight(op, w[1], w[2], true), image, dy);
    }

    private static void linears(CaseList list) {
        linear(list, 1, 1, 1);
        linear(list, 1, 7, 13);
        linear(list, 5, 3, 1);
        linear(list, 5, 1, 3);
        linear(list, 15, 16, 17);
        linear(list, 16, 17, 15);
        linear(list, 17, 15, 16);
        linear(list, 33, 64, 65);
        list.add("rank 1", new Linear(), list.x(5), list.x(3, 5), list.f32(3));
        list.add("rank 4", new Linear(), list.x(2, 3, 5, 7), list.x(11, 7), list.f32(11));
        list.add("rank 4", new Linear.BackwardData(), list.x(2, 3, 5, 11), list.x(11, 7));
        list.add("rank 4", new Linear.BackwardWeight(true), list.x(2, 3, 5, 7), list.x(2, 3, 5, 11));
        list.add("large mean", new Linear(), list.largeMean(7, 32), list.x(5, 32), list.f32(5));
    }

    private static void linear(CaseList list, int rows, int channels, int outputs) {
        String variant = rows + "x" + channels + " to " + outputs;
        Given x = list.x(rows, channels);
        Given w = list.x(outputs, channels);
        Given dy = list.x(rows, outputs);
        list.add(variant, new Linear(), x, w);
        list.add(variant + ", bias", new Linear(), x, w, list.f32(outputs));
        list.add(variant, new Linear.BackwardData(), dy, w);
        list.add(variant, new Linear.BackwardWeight(false), x, dy);
        list.add(variant + ", bias", new Linear.BackwardWeight(true), x, dy);
    }

    private static void matrixProducts(CaseList list) {
        int[][] sizes = {{1, 1, 1, 1}, {3, 2, 5, 7}, {2, 15, 16, 17}, {1, 33, 1, 2}, {2, 1, 64, 1}};
        for (int[] s : sizes) {
            for (int transposes = 0; transposes < 4; transposes++) {
                boolean a = (transposes & 1) != 0;
                boolean b = (transposes & 2) != 0;
                String variant = s[0] + " of " + s[1] + "x" + s[2] + "x" + s[3] + (a ? " A'" : "") + (b ? " B'" : "");
                Given left = a ? list.x(s[0], s[2], s[1]) : list.x(s[0], s[1], s[2]);
                Given right = b ? list.x(s[0], s[3], s[2]) : list.x(s[0], s[2], s[3]);
                list.add(variant, new MatMul(a, b), left, right);
            }
        }
    }

    private static void attentions(CaseList list) {
        attention(list, "all sizes 1", 1, list.x(1, 1, 3));
        attention(list, "T=1", 2, list.x(2, 1, 3 * 2 * 5));
        attention(list, "primes", 3, list.x(2, 7, 3 * 3 * 5));
        attention(list, "D=1", 4, list.x(2, 5, 3 * 4));
        attention(list, "T=15 D=16", 1, list.x(1, 15, 3 * 16));
        attention(list, "T=16 D=17", 2, list.x(2, 16, 3 * 2 * 17));
        attention(list, "T=17 D=15", 2, list.x(1, 17, 3 * 2 * 15));
        attention(list, "T=64 D=32", 2, list.x(2, 64, 3 * 2 * 32));
        attention(list, "T=65 D=8", 1, list.x(1, 65, 3 * 8));
        attention(list, "scores in the hundreds", 2, list.wide(1, 9, 3 * 2 * 4));
        attention(list, "constant input", 1, list.constant(0.5, 2, 5, 3 * 4));
    }

    /// Cases that came later: earlier ones keep their numbers.
    static void addLaterTo(CaseList list) {
        attention(list, "T=150 D=6", 1, list.x(1, 150, 3 * 6));
        lowAttention(list, 5);
        lowAttention(list, 70);
    }

    /// exp of minus the least log sum is 2^384: infinite or worse for a device that fills up keys with zeros.
    private static void lowAttention(CaseList list, int tokens) {
        Given qkv = list.x(1, tokens, 3 * 4);
        for (int token = 0; token < tokens; token++) {
            Arrays.fill(qkv.data(), 12 * token, 12 * token + 4, 30);
            Arrays.fill(qkv.data(), 12 * token + 4, 12 * token + 8, -4.4375 - token % 4 * 0.25);
        }
        attention(list, "T=" + tokens + ", all scores below -250", 1, qkv);
    }

    private static void attention(CaseList list, String variant, int heads, Given qkv) {
        Attention op = new Attention(heads);
        List<Given> outputs = list.outputs(op, qkv);
        Given y = outputs.get(0);
        list.add(variant, op, qkv);
        list.add(variant, new Attention.Backward(heads), list.x(y.type().shape().toArray()), qkv, y, outputs.get(1));
    }
}
