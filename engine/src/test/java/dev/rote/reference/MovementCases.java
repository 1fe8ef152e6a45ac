package dev.rote.reference;

import dev.rote.graph.AveragePool;
import dev.rote.graph.Broadcast;
import dev.rote.graph.Concat;
import dev.rote.graph.Embedding;
import dev.rote.graph.Reduce;
import dev.rote.graph.Shape;
import dev.rote.graph.SinusoidalEmbedding;
import dev.rote.graph.Slice;
import dev.rote.graph.Upsample;

/// Cases of operations that move, repeat, gather or add up elements.
final class MovementCases {
    private static final int[][] IMAGES = {{1, 1, 1, 1}, {2, 3, 5, 7}, {1, 4, 1, 16}, {2, 2, 3, 15}, {1, 8, 8, 17}};

    private MovementCases() {}

    static void addTo(CaseList list) {
        for (int[] s : IMAGES) {
            String shape = Shape.of(s).toString();
            list.add(shape, new Upsample(), list.x(s));
            list.add(shape, new Upsample.Backward(), list.x(s[0], 2 * s[1], 2 * s[2], s[3]));
            for (int size = 1; size <= 3; size++) {
                String pool = "size " + size + " to " + shape;
                list.add(pool, new AveragePool(size), list.x(s[0], size * s[1], size * s[2], s[3]));
                list.add(pool, new AveragePool.Backward(size), list.x(s));
            }
            for (int axis = 0; axis < 4; axis++) {
                slices(list, s, axis);
                concats(list, s, axis);
            }
        }
        reductions(list, 1, 1, 1);
        reductions(list, 2, 3, 5);
        reductions(list, 15, 16, 17);
        reductions(list, 1, 1031, 1);
        list.add("SUM large mean", new Reduce(Reduce.Kind.SUM, 0, 1), list.largeMean(4099));
        list.add("MEAN constant input", new Reduce(Reduce.Kind.MEAN, 0, 1), list.constant(0.1, 4099));
        embeddings(list);
    }

    private static void slices(CaseList list, int[] dims, int axis) {
        int extent = dims[axis];
        String shape = Shape.of(dims) + " axis " + axis;
        list.add(shape + " all", new Slice(axis, 0, extent), list.x(dims));
        list.add(shape + " last", new Slice(axis, extent - 1, 1), list.x(dims));
        list.add(shape + " to the end of 19", new Slice.Backward(axis, 19 - extent, 19), list.x(dims));
        list.add(shape + " as it is", new Slice.Backward(axis, 0, extent), list.x(dims));
        if (extent > 2) {
            list.add(shape + " middle", new Slice(axis, 1, extent - 2), list.x(dims));
        }
    }

    private static void concats(CaseList list, int[] dims, int axis) {
        int[] other = dims.clone();
        other[axis] = dims[axis] + 2;
        String shape = Shape.of(dims) + " axis " + axis;
        list.add(shape + " one", new Concat(axis), list.x(dims));
        list.add(shape + " two", new Concat(axis), list.x(dims), list.x(other));
        list.add(shape + " three", new Concat(axis), list.x(other), list.x(dims), list.x(other));
    }

    private static void reductions(CaseList list, int... dims) {
        Shape shape = Shape.of(dims);
        for (int begin = 0; begin < dims.length; begin++) {
            for (int end = begin + 1; end <= dims.length; end++) {
                String variant = shape + " axes " + begin + " to " + end;
                for (Reduce.Kind kind : Reduce.Kind.values()) {
                    list.add(kind + " " + variant, new Reduce(kind, begin, end), list.x(dims));
                }
                int left = (int) (shape.elements() / shape.elements(begin, end));
                list.add(variant, new Broadcast(shape, begin, end), list.x(left));
            }
        }
    }

    private static void embeddings(CaseList list) {
        list.add("one row", new Embedding(), list.x(1, 3), list.i32(1, 5));
        list.add("primes", new Embedding(), list.x(11, 7), list.i32(11, 23));
        list.add("C=16", new Embedding(), list.x(5, 16), list.i32(5, 17));
        list.add("C=1", new Embedding(), list.x(5, 1), list.i32(5, 3));
        list.add("i32 table", new Embedding(), list.i32(1000, 7, 3), list.i32(7, 9));
        list.add("u8 table", new Embedding(), list.u8(7, 5), list.i32(7, 9));
        list.add("one row", new Embedding.Backward(1), list.x(5, 3), list.i32(1, 5));
        list.add("primes", new Embedding.Backward(11), list.x(23, 7), list.i32(11, 23));
        list.add("unread rows", new Embedding.Backward(50), list.x(9, 16), list.i32(5, 9));
        list.add("one index", new Embedding.Backward(3), list.x(1, 17), list.i32(3, 1));
        for (boolean cosineFirst : new boolean[] {false, true}) {
            String order = cosineFirst ? ", cosines first" : "";
            list.add("width 2" + order, new SinusoidalEmbedding(2, 10000, 1, cosineFirst), list.uniform(3));
            list.add("DDPM" + order, new SinusoidalEmbedding(32, 10000, 15, cosineFirst), list.uniform(7));
            list.add("iDDPM" + order, new SinusoidalEmbedding(34, 10000, 17, cosineFirst), list.uniform(1));
            CaseList.Given steps = CaseList.as(dev.rote.graph.DType.F32, list.i32(1000, 17));
            list.add("steps to 999" + order, new SinusoidalEmbedding(16, 10000, 7, cosineFirst), steps);
        }
    }
}
