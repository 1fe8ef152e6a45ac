package dev.rote.reference;

import dev.rote.graph.Conv2d;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Shape;
import dev.rote.reference.CaseList.Given;
import java.util.List;

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
        // First and second channels: of less than a vector, odd, within and at the ends of groups and tiles.
        joined(list, 1, 1, 1, 1, 1);
        joined(list, 2, 5, 3, 7, 2);
        joined(list, 3, 3, 1, 15, 8);
        joined(list, 2, 7, 8, 8, 4);
        joined(list, 2, 9, 24, 8, 8);
        joined(list, 1, 65, 40, 24, 2);
        joined(list, 2, 16, 64, 32, 8);
        joined(list, 2, 3, 12, 68, 5);
    }

    /// A convolution and a normalisation of two tensors side by side.
    private static void joined(CaseList list, int images, int pixels, int first, int second, int groups) {
        String variant = "joined, " + pixels + " pixels of " + first + " and " + second;
        int filters = 11 + first % 8 * 3;
        Given x = list.x(images, pixels, 1, first);
        Given x2 = list.x(images, pixels, 1, second);
        Given w = list.x(filters, 1, 1, first + second);
        Given dy = list.x(images, pixels, 1, filters);
        Conv2d conv = Conv2d.same(1).reading(Conv2d.Input.JOINED);
        Shape whole = x.type().shape().with(3, first + second);
        list.add(variant, conv, x, x2, w);
        list.add(variant + ", bias", conv, x, x2, w, list.f32(filters));
        list.add(variant, new Conv2d.BackwardData(conv, whole, first), dy, w);
        list.add(variant, new Conv2d.BackwardWeight(conv, 1, 1, false), x, x2, dy);
        list.add(variant + ", bias", new Conv2d.BackwardWeight(conv, 1, 1, true), x, x2, dy);
        for (boolean silu : new boolean[] {false, true}) {
            GroupNorm norm = new GroupNorm(groups, 1e-5f, silu);
            String name = variant + ", " + groups + " groups" + (silu ? " SiLU" : "");
            Given gamma = list.f32(first + second);
            Given beta = list.f32(first + second);
            List<Given> outputs = list.outputs(norm, x, x2, gamma, beta);
            Given gradient = list.x(images, pixels, 1, first + second);
            list.add(name, norm, x, x2, gamma, beta);
            list.add(name, new GroupNorm.Backward(norm), gradient, x, x2, gamma, beta, outputs.get(1), outputs.get(2));
        }
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
