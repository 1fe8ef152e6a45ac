package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import java.util.Optional;

/// A 3x3 convolution of `conv2d_narrow.cu`, from few channels to many (widening) or from many to few, and what part of
/// it a block makes.
///
/// @param few channels of the narrow side, 1 to 4
/// @param wide channels of the other
record NarrowConvolution(boolean widening, int few, int wide, DType type) {
    private static final int FILTER = 3;
    private static final int MOST = 4; // few channels
    private static final int THREADS = 128;
    private static final int ROWS = 16; // of a column
    private static final int READ_CHUNKS = 32; // of 16 bytes: a block then has four columns, two of them its own
    private static final int BLOCKS = 3 * 132; // widening: of the whole device

    /// @param w shape of the filters
    /// @param in channels that are read
    /// @param out channels that are written
    /// @return empty if the kernels do not take these shapes; alignment of the addresses is the caller's to see
    static Optional<NarrowConvolution> of(Conv2d op, Shape w, DType type, int in, int out) {
        boolean square = op.equals(Conv2d.same(FILTER)) && w.dim(1) == FILTER && w.dim(2) == FILTER;
        boolean floating = type == DType.F32 || type == DType.BF16;
        if (!square || !floating) {
            return Optional.empty();
        }
        if (out <= MOST && chunks(in, type) >= 1 && chunks(in, type) <= READ_CHUNKS) {
            return Optional.of(new NarrowConvolution(false, out, in, type));
        }
        if (in <= MOST && chunks(out, type) >= 1) {
            return Optional.of(new NarrowConvolution(true, in, out, type));
        }
        return Optional.empty();
    }

    /// Pieces of 16 bytes that so many channels are, 0 if they are not whole ones.
    private static int chunks(int channels, DType type) {
        int bytes = channels * type.bytes();
        return bytes % Packing.BYTES == 0 ? bytes / Packing.BYTES : 0;
    }

    /// @param stem `conv2d`, or of the data gradient
    /// @param image [N,H,W,...], of either side
    KernelLaunch launch(String stem, Shape image, Arguments arguments) {
        boolean forward = stem.equals("conv2d");
        String kind = widening == forward ? "_stem" : "_head";
        KernelLaunch launch = new KernelLaunch(
                stem + kind + (type == DType.F32 ? "_f32" : "_bf16"),
                widening ? widened(image) : narrowed(image),
                KernelLaunch.Extent.of(THREADS),
                0,
                arguments);
        return widening ? launch.inTurn(BLOCKS) : launch;
    }

    private KernelLaunch.Extent widened(Shape image) {
        int slices = wide / valuesOfThread();
        int across = Math.min(slices, THREADS);
        int beside = Math.ceilDiv(slices, across);
        long columns = (long) image.dim(0) * bands(image) * image.dim(2);
        int pieces = MatrixLowering.extent("columns", Math.ceilDiv(columns, THREADS / across));
        int most = Math.clamp(BLOCKS / beside, 1, pieces);
        int rounds = Math.ceilDiv(pieces, most);
        return new KernelLaunch.Extent(Math.ceilDiv(pieces, rounds), beside, 1);
    }

    /// As `conv2d_widen` of the kernels has it: as many as leave room for the filters in registers.
    private int valuesOfThread() {
        return switch (few) {
            case 1 -> Packing.BYTES / type.bytes();
            case 2 -> 4;
            default -> 2;
        };
    }

    private KernelLaunch.Extent narrowed(Shape image) {
        int slots = THREADS / chunks(wide, type);
        int step = slots % image.dim(2) == 0 ? slots : slots - 2;
        long pieces = Math.ceilDiv((long) image.dim(0) * image.dim(2), step);
        return new KernelLaunch.Extent(MatrixLowering.extent("blocks", pieces * bands(image)), few, 1);
    }

    private static int bands(Shape image) {
        return Math.ceilDiv(image.dim(1), ROWS);
    }
}
