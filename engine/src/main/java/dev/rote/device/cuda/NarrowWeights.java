package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import java.util.Optional;

/// How `conv2d_backward_weight_narrow.cu` divides the weight gradient of a 3x3 convolution with few filters (a head) or
/// few channels (a stem): columns of so many rows among blocks, one of the few per block.
///
/// It depends on the shapes alone, as [ProductSplit] does.
///
/// @param narrow the few filters or channels
/// @param split parts, and columns of each but the last
record NarrowWeights(boolean head, int narrow, DType type, ProductSplit split) {
    private static final int FILTER = 3;
    private static final int MOST = 8; // of the few: as many times is the other tensor read
    private static final int THREADS = 128;
    private static final int ROWS = 6; // of a column
    private static final long ENOUGH_PIXELS = 1024; // of a part
    /// Three for each of 132 multiprocessors. A constant, so that results do not depend on the device.
    private static final int BLOCKS = 396;

    /// Empty if the kernel does not take these shapes; alignment of the addresses is the caller's to see.
    static Optional<NarrowWeights> of(Conv2d op, TensorType x, TensorType dy, Shape w) {
        int channels = x.shape().last();
        int filters = dy.shape().last();
        boolean square = op.equals(Conv2d.same(FILTER)) && w.dim(1) == FILTER && w.dim(2) == FILTER;
        if (square && filters <= MOST && filters <= channels && isWide(channels, x.type())) {
            return Optional.of(of(true, filters, channels, x));
        }
        if (square && channels <= MOST && isWide(filters, x.type())) {
            return Optional.of(of(false, channels, filters, x));
        }
        return Optional.empty();
    }

    private static boolean isWide(int channels, DType type) {
        int bytes = channels * type.bytes();
        return bytes % Packing.BYTES == 0 && bytes / Packing.BYTES <= THREADS;
    }

    private static NarrowWeights of(boolean head, int narrow, int wide, TensorType x) {
        Shape shape = x.shape();
        long columns = (long) shape.dim(0) * Math.ceilDiv(shape.dim(1), ROWS) * shape.dim(2);
        long slots = THREADS / (wide * x.type().bytes() / Packing.BYTES);
        long rounds = Math.ceilDiv(MatrixLowering.extent("columns of x", columns), slots);
        long enough = Math.ceilDiv(ENOUGH_PIXELS, ROWS * slots);
        long each = ProductSplit.each(rounds, BLOCKS / narrow, ProductSplit.FEW_PARTS, enough) * slots;
        int count = Math.toIntExact(Math.ceilDiv(columns, each));
        return new NarrowWeights(head, narrow, x.type(), new ProductSplit(count, Math.toIntExact(each)));
    }

    /// @param arguments of the convolution, their `depth_per_split` that of [#split]
    KernelLaunch launch(Arguments arguments) {
        return new KernelLaunch(
                "conv2d_backward_weight_" + (head ? "head" : "stem") + (type == DType.F32 ? "_f32" : "_bf16"),
                new KernelLaunch.Extent(narrow, split.count(), 1),
                KernelLaunch.Extent.of(THREADS),
                0,
                arguments);
    }
}
