package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;

/// What a block of `patch_tile.cuh` works at together: whole rows of an image, or several whole images, for 3x3
/// convolutions in bf16 with few channels.
///
/// It depends on the shapes alone: results are the same on every device.
///
/// @param image shape of what is convolved, after any upsampling, with the channels that are read
/// @param pixels at most
/// @param images of a patch
/// @param rows of each
/// @param count patches of all images
record Patch(Shape image, int pixels, int images, int rows, int count) {
    static final int CHUNK = 8; // channels of 16 bytes
    static final int TAPS = 9;
    static final int MULTIPROCESSORS = 132;
    /// Shared memory of a block on every device.
    static final int SHARED_BYTES = 99 * 1024;

    private static final Conv2d KIND = Conv2d.same(3);
    private static final int MOST_CHANNELS = 96;
    private static final int LEAST_SIDE = 4; // pixels
    private static final int MOST_WIDTH = 128;
    private static final int[] PIXELS = {256, 128, 64};

    /// Tensors of a launch; 0 where there is none.
    ///
    /// @param sharing pixels that share a line of the addend
    record Addresses(long x, long w, long y, long bias, long addend, int sharing, long partial) {
        Addresses(long x, long w, long y, long bias, long partial) {
            this(x, w, y, bias, 0, 1, partial);
        }
    }

    /// Whether a convolution is of this kind. Of multiples of 32 there are kernels for wider tiles.
    ///
    /// @param w shape of the filters
    static boolean takes(Conv2d op, Shape w, DType type, int in, int out) {
        return type == DType.BF16
                && op.reading(Conv2d.Input.PLAIN).equals(KIND)
                && w.dim(1) == 3
                && w.dim(2) == 3
                && in % CHUNK == 0
                && out % CHUNK == 0
                && Math.max(in, out) <= MOST_CHANNELS
                && (in % 32 != 0 || out % 32 != 0);
    }

    /// The largest of which there is one for each multiprocessor, else the smallest.
    ///
    /// @param image shape, with the channels that are read
    /// @param fits whether there is room for it in shared memory
    static Optional<Patch> of(Shape image, Predicate<Patch> fits) {
        int height = image.dim(1);
        int width = image.dim(2);
        if (Math.min(height, width) < LEAST_SIDE || width > MOST_WIDTH) {
            return Optional.empty();
        }
        return IntStream.of(PIXELS)
                .filter(pixels -> width <= pixels)
                .mapToObj(pixels -> of(image, pixels))
                .filter(fits)
                .reduce((larger, smaller) -> larger.count >= MULTIPROCESSORS ? larger : smaller);
    }

    private static Patch of(Shape image, int pixels) {
        int height = image.dim(1);
        int parts = Math.ceilDiv(height, Math.min(height, pixels / image.dim(2)));
        int rows = Math.ceilDiv(height, parts);
        parts = Math.ceilDiv(height, rows);
        int images = parts > 1 ? 1 : Math.max(1, pixels / (height * image.dim(2)));
        long count = Math.ceilDiv((long) image.dim(0), images) * parts;
        return new Patch(image, pixels, images, rows, MatrixLowering.extent("patches", count));
    }

    /// From one to the next in shared memory, of pixels or rows of filters: an odd number of chunks, see the kernels.
    static int pitch(int chunks) {
        return (chunks | 1) * Packing.BYTES;
    }

    int chunks() {
        return image.last() / CHUNK;
    }

    /// With the pixels around.
    int bytes() {
        return images * (rows + 2) * (image.dim(2) + 2) * pitch(chunks());
    }

    /// Pieces of so many pixels.
    int strips(int length) {
        return Math.ceilDiv(images * rows * image.dim(2), length);
    }

    /// Whether what it reads is one run of memory, if nothing is upsampled.
    boolean isRun() {
        return images == 1;
    }

    /// Chunks of such a run that a thread copies at most, where each has a pixel.
    int runOfThread() {
        return Math.ceilDiv((rows + 2) * image.dim(2) * chunks(), pixels);
    }

    /// Whether its rows make cells of 2 x 2 pixels, four to eight columns.
    boolean isOfCells() {
        return rows % 2 == 0 && image.dim(1) % 2 == 0 && image.dim(2) % 8 == 0;
    }

    /// @param shift 1 if x is upsampled, else 0
    /// @param filters channels of y
    Arguments arguments(int shift, int filters, Addresses at, int patchesPerSplit, int stages) {
        MatrixLowering.extent("one image of x", image.elements(1, 4));
        MatrixLowering.extent("pixels of the image", image.elements(0, 3));
        return new Arguments()
                .pointer("x", at.x)
                .pointer("w", at.w)
                .pointer("y", at.y)
                .pointer("bias", at.bias)
                .pointer("addend", at.addend)
                .pointer("partial", at.partial)
                .i32("images", image.dim(0))
                .i32("height", image.dim(1))
                .i32("width", image.dim(2))
                .i32("channels", image.last())
                .i32("filters", filters)
                .i32("shift", shift)
                .i32("addend_pixels", at.sharing)
                .i32("patch_images", images)
                .i32("patch_rows", rows)
                .i32("patches", count)
                .i32("patches_per_split", patchesPerSplit)
                .i32("stages", stages);
    }
}
