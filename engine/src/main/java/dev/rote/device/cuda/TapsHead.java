package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import java.util.Optional;

/// A 3x3 convolution from many channels to one by `conv2d_taps_head.cu`.
///
/// @param x shape of what is read
record TapsHead(Shape x) {
    private static final int FILTER = 3;
    private static final int COLUMNS = 16; // a multiple of these
    private static final int PIXELS = 640; // of a block, with a row above and one below
    private static final int ROW = 40; // elements of a pixel's channels in shared memory
    private static final int THREADS = 256;
    private static final int VECTOR = 8;

    /// Empty if the kernels do not take these shapes; alignment of the addresses is the caller's to see.
    static Optional<TapsHead> of(Conv2d op, Shape w, DType type, Shape x) {
        boolean square = op.equals(Conv2d.same(FILTER)) && w.dim(1) == FILTER && w.dim(2) == FILTER;
        boolean one = type == DType.BF16 && w.dim(0) == 1 && x.last() % VECTOR == 0;
        return square && one && fits(x) ? Optional.of(new TapsHead(x)) : Optional.empty();
    }

    /// Whether pieces are whole sixteens of pixels.
    static boolean fits(Shape image) {
        return image.dim(2) % COLUMNS == 0 && FILTER * image.dim(2) <= PIXELS;
    }

    /// Bands of rows of all images; a block has one.
    int pieces() {
        int rows = PIXELS / x.dim(2) - 2;
        return MatrixLowering.extent("pieces of images", (long) x.dim(0) * Math.ceilDiv(x.dim(1), rows));
    }

    /// Of addresses of tensors.
    record Addresses(long x, long w, long bias, long y) {}

    KernelLaunch launch(Addresses at) {
        return launch("conv2d_taps_head", at, 0, 0, 0);
    }

    /// With the squares of what it differs from a target by, and the gradient of their sum.
    KernelLaunch launch(Addresses at, long target, long partial, float factor) {
        return launch("conv2d_taps_head_loss", at, target, partial, factor);
    }

    private KernelLaunch launch(String kernel, Addresses at, long target, long partial, float factor) {
        Arguments arguments = new Arguments()
                .pointer("x", at.x())
                .pointer("w", at.w())
                .pointer("bias", at.bias())
                .pointer("target", target)
                .pointer("y", at.y())
                .pointer("partial", partial)
                .i32("images", x.dim(0))
                .i32("height", x.dim(1))
                .i32("width", x.dim(2))
                .i32("channels", x.last())
                .f32("factor", factor);
        return new KernelLaunch(
                kernel,
                KernelLaunch.Extent.of(pieces()),
                KernelLaunch.Extent.of(THREADS),
                PIXELS * ROW * DType.BF16.bytes(),
                arguments);
    }
}
