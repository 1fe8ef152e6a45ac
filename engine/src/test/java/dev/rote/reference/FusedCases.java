package dev.rote.reference;

import dev.rote.graph.Conv2d;
import dev.rote.reference.CaseList.Given;

/// Cases of operations that read their input otherwise than it lies in memory.
final class FusedCases {
    private FusedCases() {}

    static void addTo(CaseList list) {
        upsampled(list, "1x1 image, C=1, K=1", Conv2d.same(3), new int[] {1, 1, 1, 1}, new int[] {1, 3, 3, 1});
        upsampled(list, "2x2 image", Conv2d.same(3), new int[] {2, 2, 2, 5}, new int[] {3, 3, 3, 5});
        upsampled(list, "odd image, primes", Conv2d.same(3), new int[] {3, 5, 3, 7}, new int[] {11, 3, 3, 7});
        upsampled(list, "1x1 filter", Conv2d.same(1), new int[] {2, 3, 2, 8}, new int[] {4, 1, 1, 8});
        upsampled(list, "stride 2, odd", Conv2d.of(2, 1), new int[] {2, 3, 5, 4}, new int[] {5, 3, 3, 4});
        upsampled(list, "stride 3, unread rest", Conv2d.of(3, 0), new int[] {1, 4, 4, 2}, new int[] {3, 3, 3, 2});
        upsampled(list, "4x2, one side", new Conv2d(1, 2, 0, 1, 1), new int[] {2, 2, 3, 3}, new int[] {2, 4, 2, 3});
        for (int tile = 15; tile <= 17; tile++) {
            int[] x = {2, 2, tile, tile};
            upsampled(list, "W=C=K=" + tile, Conv2d.same(3), x, new int[] {tile, 3, 3, tile});
        }
        upsampled(list, "C=32 K=64", Conv2d.same(3), new int[] {2, 4, 4, 32}, new int[] {64, 3, 3, 32});
    }

    private static void upsampled(CaseList list, String variant, Conv2d plain, int[] x, int[] w) {
        Conv2d op = plain.reading(Conv2d.Input.UPSAMPLED);
        Given image = list.x(x);
        Given filter = list.x(w);
        Given dy = list.x(
                op.outputShape(image.type().shape(), filter.type().shape()).toArray());
        String name = "upsampled, " + variant;
        list.add(name, op, image, filter, list.f32(w[0]));
        list.add(name, new Conv2d.BackwardData(op, image.type().shape()), dy, filter);
        list.add(name, new Conv2d.BackwardWeight(op, w[1], w[2], true), image, dy);
    }
}
