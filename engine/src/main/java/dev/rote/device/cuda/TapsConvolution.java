package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import java.util.Optional;

/// A 3x3 convolution of `conv2d_taps.cu`, with a single channel on one side, and how its pixels are divided: into
/// pieces of whole rows of an image.
///
/// @param channels of the other side
/// @param pieces of all images
record TapsConvolution(int channels, int pieces) {
    private static final int FILTER = 3;
    private static final int COLUMNS = 16; // a multiple of these
    private static final int PIECE = 512; // pixels of a piece, at most
    private static final int PADDING = 8; // elements behind each row of a matrix
    private static final int TAPS = 16; // rows of the matrix of taps
    private static final int THREADS = 256;
    private static final int MOST_CHANNELS = 64; // of a block
    private static final int VECTOR = 8;
    private static final int MULTIPROCESSORS = 132;
    private static final int ENOUGH_PIECES = 2; // of a part of a weight gradient

    /// Empty if the kernels do not take these shapes; alignment of the addresses is the caller's to see.
    ///
    /// @param w shape of the filters
    /// @param image shape of x
    /// @param one channels of one side
    /// @param other channels of the other
    static Optional<TapsConvolution> of(Conv2d op, Shape w, DType type, Shape image, int one, int other) {
        boolean square = op.equals(Conv2d.same(FILTER)) && w.dim(1) == FILTER && w.dim(2) == FILTER;
        int width = image.dim(2);
        if (!square || type != DType.BF16 || one != 1 || other % VECTOR != 0 || width % COLUMNS != 0 || width > PIECE) {
            return Optional.empty();
        }
        int rows = Math.min(image.dim(1), PIECE / width);
        long pieces = (long) image.dim(0) * Math.ceilDiv(image.dim(1), rows);
        return Optional.of(new TapsConvolution(other, MatrixLowering.extent("pieces of images", pieces)));
    }

    private int ofBlock() {
        return Math.min(MOST_CHANNELS, Integer.lowestOneBit(channels));
    }

    /// Blocks that fill a GPU.
    private int filling() {
        return MULTIPROCESSORS * (ofBlock() == MOST_CHANNELS ? 2 : 3);
    }

    /// From the one channel to the others.
    ///
    /// @param stem `conv2d_taps_stem` or `conv2d_taps_backward_data_head`
    KernelLaunch widen(String stem, Arguments arguments) {
        int beside = channels / ofBlock();
        int rounds = Math.ceilDiv(pieces, Math.clamp(filling() / beside, 1, pieces));
        return new KernelLaunch(
                        stem + "_" + ofBlock(),
                        new KernelLaunch.Extent(Math.ceilDiv(pieces, rounds), beside, 1),
                        KernelLaunch.Extent.of(THREADS),
                        0,
                        arguments)
                .inTurn(filling());
    }

    /// Of a weight gradient, in pieces.
    ProductSplit split() {
        long wanted = Math.max(1, filling() / (channels / ofBlock()));
        int each = (int) ProductSplit.each(pieces, wanted, ProductSplit.FEW_PARTS, ENOUGH_PIECES);
        return new ProductSplit(Math.ceilDiv(pieces, each), each);
    }

    /// @param stem `conv2d_taps_backward_weight_stem` or `..._head`
    /// @param arguments of the convolution, their `depth_per_split` that of [#split]
    KernelLaunch weights(String stem, Arguments arguments) {
        int bytes = (TAPS * (PIECE + PADDING) + PIECE * (ofBlock() + PADDING)) * DType.BF16.bytes();
        return new KernelLaunch(
                stem + "_" + ofBlock(),
                new KernelLaunch.Extent(channels / ofBlock(), split().count(), 1),
                KernelLaunch.Extent.of(THREADS),
                bytes,
                arguments);
    }
}
