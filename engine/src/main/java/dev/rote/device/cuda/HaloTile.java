package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import java.util.Optional;

/// The tile of `halo_tile.cuh`: 256 pixels of a 3x3 convolution in bf16 that keeps the size of the image.
///
/// @param columns output channels of a block, 32 or 64
/// @param bytes of shared memory
record HaloTile(int columns, int bytes) {
    private static final int PIXELS = 256;
    private static final int DEPTH = 32; // channels of a step
    private static final int RING = 3;
    private static final int PLACES = 400; // pixels of a tile and those around it, at most
    private static final int TABLE_BYTES = 4 * PLACES;
    private static final int THREADS = 256;
    private static final Conv2d KIND = Conv2d.same(3);

    /// @param w shape of the filters
    /// @param in shape of the image that is read, after any upsampling, [N,H,W,channels]
    /// @param out channels written
    /// @return empty if the kernels do not take it
    static Optional<HaloTile> of(Conv2d op, Shape w, DType type, Shape in, int out) {
        int height = in.dim(1);
        int width = in.dim(2);
        boolean kind =
                type == DType.BF16 && op.reading(Conv2d.Input.PLAIN).equals(KIND) && w.dim(1) == 3 && w.dim(2) == 3;
        boolean channels = in.last() % DEPTH == 0 && out % 32 == 0;
        if (!kind
                || !channels
                || !isWhole(height, width)
                || Math.max(in.elements(), in.elements() / in.last() * out) > Integer.MAX_VALUE) {
            return Optional.empty();
        }
        int rows = Math.min(height, PIXELS / width);
        int images = PIXELS / (rows * width);
        int places = images * (rows + 2) * (width + 2);
        if (places > PLACES) {
            return Optional.empty();
        }
        int columns = out % 64 == 0 ? 64 : 32;
        int buffers = in.last() == DEPTH ? 1 : 2;
        int bytes = TABLE_BYTES + RING * 3 * DEPTH * columns * 2 + buffers * places * DEPTH * 2;
        return Optional.of(new HaloTile(columns, bytes));
    }

    /// Whether 256 pixels are whole rows of 8 and more, of one image or of whole images.
    private static boolean isWhole(int height, int width) {
        long image = (long) height * width;
        return width % 8 == 0 && PIXELS % width == 0 && (image % PIXELS == 0 || PIXELS % image == 0);
    }

    /// @param stem of the kernel's name
    /// @param pixels of all images
    KernelLaunch launch(String stem, int pixels, int out, Arguments arguments) {
        long blocks = (long) ((pixels + PIXELS - 1) / PIXELS) * (out / columns);
        return new KernelLaunch(
                stem + columns,
                KernelLaunch.Extent.of(MatrixLowering.extent("blocks", blocks)),
                KernelLaunch.Extent.of(THREADS),
                bytes,
                arguments);
    }
}
