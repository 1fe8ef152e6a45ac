package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import java.util.Optional;

/// How `conv2d_backward_weight_small.cu` divides the weight gradient of a 3x3 convolution in bf16 with few channels:
/// its sums among a block's warps, and the patches of the images among blocks.
///
/// It depends on the shapes alone, as [ProductSplit] does.
///
/// @param pairs of vectors of 8 channels of a tap, of a warp
/// @param across filters of a warp, in eights
/// @param outputs warps that have other sums
/// @param parts warps that have the same
/// @param stages patches in shared memory
/// @param split parts, and patches of each but the last
record SmallWeights(Patch patch, int pairs, int across, int outputs, int parts, int stages, ProductSplit split) {
    private static final int FEW_PAIRS = 5; // as the kernels are compiled: of 8 channels
    private static final int MANY_PAIRS = 9; // of 16
    private static final int MOST_WARPS = 10; // whose sums fit in shared memory
    private static final int MOST_PARTS = 8;
    private static final int STRIP = 16; // pixels
    private static final int ENOUGH_PIXELS = 4096; // of a part: preparing and adding up what warps have takes as long
    private static final int MOST_STAGES = 4;
    private static final int LEAST_STAGES = 2;

    /// Empty if the kernel does not take these shapes; alignment of the addresses is the caller's to see.
    static Optional<SmallWeights> of(Conv2d op, TensorType x, TensorType dy, Shape w) {
        int filters = dy.shape().last();
        if (!Patch.takes(op, w, x.type(), x.shape().last(), filters)) {
            return Optional.empty();
        }
        Shape image = op.image(x.shape());
        int all = Math.ceilDiv(Patch.TAPS * (image.last() / Patch.CHUNK), 2);
        int few = Math.ceilDiv(all, FEW_PAIRS);
        int many = Math.ceilDiv(all, MANY_PAIRS);
        boolean isFew = few * FEW_PAIRS < many * MANY_PAIRS;
        int across = filters == Patch.CHUNK ? 1 : 2;
        int outputs = (isFew ? few : many) * Math.ceilDiv(filters / Patch.CHUNK, across);
        if (outputs > MOST_WARPS) {
            return Optional.empty();
        }
        int pairs = isFew ? FEW_PAIRS : MANY_PAIRS;
        return Patch.of(image, patch -> stagedBytes(patch, filters, LEAST_STAGES) <= Patch.SHARED_BYTES)
                .map(patch -> of(patch, filters, pairs, across, outputs))
                .filter(one -> one.sharedBytes(filters) <= Patch.SHARED_BYTES);
    }

    private static SmallWeights of(Patch patch, int filters, int pairs, int across, int outputs) {
        int parts = Math.min(Math.min(MOST_PARTS, MOST_WARPS / outputs), patch.strips(STRIP));
        int enough = Math.ceilDiv(ENOUGH_PIXELS, patch.strips(1));
        int each = (int) ProductSplit.each(patch.count(), Patch.MULTIPROCESSORS, ProductSplit.FEW_PARTS, enough);
        int stages = Math.clamp(each + 1, LEAST_STAGES, MOST_STAGES);
        while (stagedBytes(patch, filters, stages) > Patch.SHARED_BYTES) {
            stages--;
        }
        ProductSplit split = new ProductSplit(Math.ceilDiv(patch.count(), each), each);
        return new SmallWeights(patch, pairs, across, outputs, parts, stages, split);
    }

    private static int stagedBytes(Patch patch, int filters, int stages) {
        int pixels = patch.strips(STRIP) * STRIP;
        return pixels * Integer.BYTES + stages * (patch.bytes() + pixels * Patch.pitch(filters / Patch.CHUNK));
    }

    /// Of stages, and in the end of all warps' sums.
    private int sharedBytes(int filters) {
        int warp = pairs * across * 4 * 32 * Float.BYTES;
        int sums = parts * (outputs * warp + filters * Float.BYTES);
        return Math.max(sums, stagedBytes(patch, filters, stages));
    }

    KernelLaunch launch(Conv2d op, int filters, Patch.Addresses at) {
        return new KernelLaunch(
                "conv2d_backward_weight_small_" + pairs + "x" + across * Patch.CHUNK,
                KernelLaunch.Extent.of(split.count()),
                KernelLaunch.Extent.of(outputs * parts * 32),
                sharedBytes(filters),
                patch.arguments(op.enlargement() - 1, filters, at, split.depth(), stages));
    }
}
