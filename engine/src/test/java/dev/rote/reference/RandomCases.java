package dev.rote.reference;

import dev.rote.graph.Batch;
import dev.rote.graph.Dropout;
import dev.rote.graph.RandomIndex;
import dev.rote.graph.RandomNormal;
import dev.rote.graph.Shape;

/// Cases of operations that draw random numbers, and of the batch that is drawn with them.
final class RandomCases {
    private static final long SEED = 0x5eed_0000_0007L;

    private RandomCases() {}

    static void addTo(CaseList list) {
        for (int step : new int[] {0, 3, 1_000_000}) {
            draws(list, step);
            dropouts(list, step);
            batches(list, step);
        }
    }

    private static void draws(CaseList list, int step) {
        int[][] shapes = {{1}, {3, 5, 7}, {15}, {16}, {17}, {2, 8, 8, 3}};
        for (int[] dims : shapes) {
            Shape shape = Shape.of(dims);
            int count = (int) shape.elements();
            for (long first : new long[] {0, 5, (1L << 34) + 2}) {
                String variant = shape + " from " + first + ", step " + step;
                list.add(variant, new RandomNormal(shape, SEED, 0, first), CaseList.step(step));
                list.add(variant, new RandomIndex(count, 0, 999, SEED, 1, first), CaseList.step(step));
                list.add(variant + ", one value", new RandomIndex(count, -3, -3, SEED, 1, first), CaseList.step(step));
            }
        }
    }

    private static void dropouts(CaseList list, int step) {
        int[][] shapes = {{1, 1}, {3, 5, 7}, {2, 4, 4, 17}, {5, 16}, {2, 45, 37, 24}};
        for (int[] dims : shapes) {
            for (boolean channelwise : new boolean[] {false, true}) {
                for (long firstImage : new long[] {0, 11}) {
                    String variant = Shape.of(dims) + (channelwise ? " channels" : "") + " from image " + firstImage
                            + ", step " + step;
                    list.add(
                            variant,
                            new Dropout(0.3f, channelwise, SEED, 2, firstImage),
                            list.x(dims),
                            CaseList.step(step));
                }
            }
            list.add(
                    Shape.of(dims) + " rate 0, step " + step,
                    new Dropout(0, false, SEED, 2, 0),
                    list.x(dims),
                    CaseList.step(step));
        }
    }

    private static void batches(CaseList list, int step) {
        for (boolean shuffle : new boolean[] {false, true}) {
            for (boolean flip : new boolean[] {false, true}) {
                String variant = (shuffle ? "shuffled" : "in order") + (flip ? ", flipped" : "") + ", step " + step;
                list.add(
                        variant + ", u8",
                        new Batch(5, 8, 3, SEED, 2f / 255, -1, shuffle, flip),
                        list.u8(11, 3, 5, 3),
                        CaseList.step(step));
                list.add(
                        variant + ", f32, labels",
                        new Batch(16, 16, 0, SEED, 1, 0, shuffle, flip),
                        list.f32(13, 2, 2, 1),
                        CaseList.step(step),
                        list.i32(10, 13));
                list.add(
                        variant + ", one image",
                        new Batch(3, 3, 0, SEED, 1, 0, shuffle, flip),
                        list.u8(1, 1, 2, 1),
                        CaseList.step(step));
            }
        }
    }
}
