package dev.rote.device.cuda;

import dev.rote.graph.DType;
import dev.rote.graph.TensorType;
import java.util.Optional;
import java.util.stream.Stream;

/// Which channels of an image a block, or each of its warps, of `group_norm_warps.cu` or `group_norm_backward_warps.cu`
/// owns, and where it keeps them: a few vectors per thread in registers, more in shared memory.
///
/// @param run values of a vector that are always of one group: 4, or the group's channels if those are fewer; of groups
///     of 3 and 6 channels 1 and 2
/// @param width channels of a slice: 16, or one group if that is wider; of groups of 3, 6, 12 and 24 channels 24, or 48
///     where they fit and are at most eight groups; 8 where groups of 1 or 2 leave no more
/// @param backward whether dy is kept beside x
record WarpSlice(int images, long pixels, int channels, int run, int width, boolean backward) {
    private static final int WARP = 32;
    /// bf16 values of 16 bytes.
    private static final int VECTOR = 8;
    /// A sector of device memory, 32 bytes: less of a pixel would waste bandwidth.
    private static final int SECTOR = 16;
    /// The longest run of one group in a vector that makes a difference.
    private static final int RUN = 4;
    /// Vectors of a pixel at most: beyond it, lanes have nothing to share.
    private static final int MOST_COLUMNS = 16;
    /// Warps of a block whose warps own a slice each.
    private static final int MOST_TOGETHER = 4;
    /// Vectors of a tensor that a thread has in registers, and warps that share a slice so.
    private static final int HELD = 4;
    private static final int HELD_WARPS = 4;
    /// The same in shared memory. Few threads leave room for more blocks, which hide each other's copies, and spread
    /// what every thread does once over more values; where shared memory ends at three blocks, they would be
    /// too few.
    private static final int STAGED = 16;
    private static final int STAGED_FEW_BLOCKS = 8;
    private static final int STAGED_WARPS = 8;
    /// Groups of 1 or 2 channels make few slices: more warps for each.
    private static final int STAGED_NARROW = 4;
    /// An odd slice is 3, 6 or 12 vectors wide: its threads are a multiple of three warps.
    private static final int ODD = 3;
    private static final int ODD_WARPS = 12;
    /// Of groups of 3 or 6, of which a vector has several.
    private static final int ODD_NARROW_WARPS = 6;
    private static final int MOST_ODD_COLUMNS = 12;
    /// Groups of an odd slice, whose sums the lanes of a warp share.
    private static final int MOST_ODD_GROUPS = 8;
    /// Shared memory of a block on every GPU since sm_80: 99 KiB.
    private static final long SHARED_BYTES = 99 << 10;
    /// Of a block that has two images, so that a multiprocessor has three such blocks, odd ones two.
    private static final long TWO_IMAGES_BYTES = 72 << 10;
    /// What a GPU of compute capability 9.0 has: multiprocessors, shared memory of each, what a block takes of it
    /// besides its own, and registers.
    private static final int MULTIPROCESSORS = 132;
    private static final long MULTIPROCESSOR_BYTES = 228 << 10;
    private static final long RESERVED_BYTES = 1 << 10;
    private static final int MULTIPROCESSOR_REGISTERS = 65_536;
    /// Of a thread of the kernels in shared memory, forward; about, of others.
    private static final int REGISTERS = 80;
    private static final int NARROW_REGISTERS = 128;
    private static final int ODD_NARROW_REGISTERS = 96;
    /// Images of a grid's second dimension.
    private static final int MOST_IMAGES = 65_535;

    /// Empty for shapes that these kernels do not take.
    static Optional<WarpSlice> of(TensorType x, int groups, boolean backward) {
        int channels = x.shape().last();
        int images = x.shape().dim(0);
        int perGroup = channels / groups;
        boolean odd = perGroup % ODD == 0;
        int run = odd ? Math.min(perGroup / ODD, RUN) : Math.min(perGroup, RUN);
        long pixels = x.elements() / images / channels;
        boolean narrow = !odd && run < RUN && channels % SECTOR != 0;
        int width = Math.max(odd ? ODD * VECTOR : narrow ? VECTOR : SECTOR, perGroup);
        boolean whole = x.type() == DType.BF16
                && images <= MOST_IMAGES
                && (perGroup % RUN == 0 || perGroup < RUN || perGroup == 2 * ODD)
                && pixels * perGroup > 1 // whose gradient is 0 only as the other kernels round
                && Integer.bitCount(odd ? perGroup / ODD : perGroup) == 1
                && width <= (odd ? MOST_ODD_COLUMNS : MOST_COLUMNS) * VECTOR
                && channels % width == 0;
        // A slice of 24 channels begins within a sector, one of 48 does not.
        boolean even = width % SECTOR == 0 || channels % (2 * width) != 0 || 2 * width > MOST_ODD_GROUPS * perGroup;
        return (even ? Stream.of(width) : Stream.of(2 * width, width))
                .map(wide -> new WarpSlice(images, pixels, channels, run, wide, backward))
                .filter(candidate -> whole && candidate.fits())
                .findFirst();
    }

    private boolean fits() {
        return sharedBytes() <= SHARED_BYTES;
    }

    private int columns() {
        return width / VECTOR;
    }

    /// Of a slice of one tensor.
    private long vectors() {
        return pixels * columns();
    }

    private boolean isOdd() {
        return columns() % ODD == 0;
    }

    private boolean isStaged() {
        return isOdd() || vectors() > HELD * HELD_WARPS * WARP;
    }

    /// Of a slice.
    private int warps() {
        int few = backward || stages() == 2 ? STAGED_FEW_BLOCKS : STAGED;
        int perThread = run < RUN ? STAGED_NARROW : few;
        if (isOdd()) {
            int most = run == RUN ? ODD_WARPS : ODD_NARROW_WARPS;
            return (int) Math.min(ODD * Math.ceilDiv(vectors(), perThread * ODD * WARP), most);
        }
        return isStaged()
                ? (int) Math.min(Math.ceilDiv(vectors(), perThread * WARP), STAGED_WARPS)
                : (int) Math.ceilDiv(vectors(), HELD * WARP);
    }

    /// Slices of a block: of one image, and several only if a warp is enough for one.
    private int together() {
        return warps() > 1 ? 1 : Math.min(MOST_TOGETHER, Integer.lowestOneBit(channels / width));
    }

    /// Images that a block of a norm has in shared memory: one that it works on, and where there is room the next.
    int stages() {
        boolean two = !backward && isStaged() && 2 * vectors() * VECTOR * DType.BF16.bytes() <= TWO_IMAGES_BYTES;
        return two ? 2 : 1;
    }

    /// Pixels of a thread at most.
    int rounds() {
        return Math.toIntExact(Math.ceilDiv(pixels, WARP * warps() / columns()));
    }

    /// As the kernels lay it out: staged vectors, backward an even count per thread and tensor, and what backward's
    /// sums meet in.
    private long sharedBytes() {
        int threads = WARP * warps();
        long even = backward ? Math.ceilDiv(rounds(), 2) * 2 : rounds();
        long staged = isStaged() ? even * threads * VECTOR * DType.BF16.bytes() : 0;
        if (!backward) {
            // Of two images: two sums of each run, of every warp, of all vectors of a pixel or of two lanes; and which
            // channels a dropout keeps.
            long meeting = 2L * warps() * VECTOR / run * (isOdd() ? columns() : 2);
            return isStaged() ? stages() * staged + 2 * Float.BYTES * (meeting + MOST_COLUMNS) : 0;
        }
        int meeting = isOdd() ? warps() + 1 : warps();
        return 2 * staged + (warps() == 1 ? 0 : 4L * meeting * Math.max(columns(), 2) * 2 * VECTOR);
    }

    /// Images after which a multiprocessor has its next block, about.
    int ahead() {
        return Math.max(1, filling() / (channels / width / together()));
    }

    /// Blocks that fill a GPU.
    private int filling() {
        int registers = run == RUN ? REGISTERS : isOdd() ? ODD_NARROW_REGISTERS : NARROW_REGISTERS;
        long room = MULTIPROCESSOR_BYTES / (sharedBytes() + RESERVED_BYTES);
        long blocks = Math.min(room, MULTIPROCESSOR_REGISTERS / (registers * WARP * warps() * together()));
        return Math.toIntExact(MULTIPROCESSORS * Math.max(1, blocks));
    }

    /// Whether there are kernels that leave the sums of dx over the pixels.
    boolean sumsPixels() {
        return !isOdd();
    }

    /// The launch of a gradient.
    KernelLaunch gradient(Arguments arguments, NormRun run) {
        if (run.totals() != null) {
            return launch(arguments, "_totals");
        }
        // Registers are few: a wide slice in registers has its own kernel for a dropout.
        return launch(arguments, kind().equals("_wide") && !isStaged() && run.dropout() != null ? "_dropped" : "");
    }

    private String kind() {
        return switch (run) {
            case 1 -> isOdd() ? "_odd_single" : "_single";
            case 2 -> isOdd() ? "_odd_pair" : "_pair";
            default -> isOdd() ? "_odd" : backward && width > SECTOR ? "_wide" : "";
        };
    }

    /// @param own what the kernel's name ends with
    KernelLaunch launch(Arguments arguments, String own) {
        String kernel = backward ? "group_norm_backward_bf16_warps" : "group_norm_bf16_warps";
        String place = isStaged() ? "_staged" : "_" + HELD;
        int slices = channels / width / together();
        boolean inTurn = isStaged() && !backward;
        KernelLaunch launch = new KernelLaunch(
                kernel + place + kind() + own,
                inTurn ? new KernelLaunch.Extent(turns(slices), slices, 1) : new KernelLaunch.Extent(slices, images, 1),
                KernelLaunch.Extent.of(WARP * warps() * together()),
                Math.toIntExact(sharedBytes()),
                arguments);
        return inTurn ? launch.inTurn(filling()) : launch;
    }

    /// Blocks that take the images of a slice in turn.
    private int turns(int slices) {
        return Math.clamp(filling() / slices, 1, images);
    }
}
