package dev.rote.data;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.rote.errors.DataException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.IntStream;

/// Training and test images, ready for a device.
///
/// @param train the training images
/// @param test the disjoint test images, with the training images' scale and offset; may be empty
/// @param mean what was subtracted, in network units: the mean of `low + (high - low) x` over the training images, or 0
/// @param trainIndices position in the source of each training image
/// @param testIndices position in the source of each test image
/// @param skipped damaged pictures left out
/// @param options what was asked for
public record TrainingData(
        Dataset train,
        Dataset test,
        float mean,
        int[] trainIndices,
        int[] testIndices,
        int skipped,
        DataOptions options)
        implements AutoCloseable {

    /// Loads with [ReadOptions#DEFAULT].
    public static TrainingData load(DataOptions options) {
        return load(options, ReadOptions.DEFAULT);
    }

    /// Opens the source and prepares the chosen images, as study 1 does (Bonnaire et al. 2025, arXiv:2505.17638,
    /// released code): the last `test` images are the test set; of the others, shuffled if there is a seed, images
    /// `index*n` to `(index+1)*n - 1` train. Each is brought to [0, 1], its short side resized to `size` (antialiased
    /// bilinear), its center cropped, colour made gray; then comes the value range and the subtraction of the training
    /// images' scalar mean, which live in [Dataset#scale] and [Dataset#offset]. Bytes stay bytes where no value
    /// changes. If some of the chosen pictures are gray and some coloured, all get three channels.
    ///
    /// `skipUnreadable` decodes every picture once before choosing. Images are decoded in parallel; the result and the
    /// error do not depend on it. The caller closes the result.
    ///
    /// @throws DataException for bad files, images of different sizes without `size`, or too few images
    public static TrainingData load(DataOptions options, ReadOptions limits) {
        try (DataSource source = DataSource.open(options.source(), limits)) {
            int[] usable = options.skipUnreadable()
                    ? readable(source)
                    : IntStream.range(0, source.count()).toArray();
            int[] train = trainIndices(options, usable);
            int[] test = Arrays.copyOfRange(usable, usable.length - options.test(), usable.length);
            Preparation preparation = preparation(source, options, train, test, limits);
            Filled tested = fill(source, preparation, test);
            boolean done = false;
            try {
                Filled trained = fill(source, preparation, train);
                done = true;
                double span = (double) options.high() - options.low();
                double mean = options.center() ? options.low() + span * mean(trained) : 0;
                var range = new Dataset.Range(
                        (float) (preparation.eightBit() ? span / 255 : span), (float) (options.low() - mean));
                return new TrainingData(
                        trained.dataset(labels(source, train), range),
                        tested.dataset(labels(source, test), range),
                        (float) mean,
                        train,
                        test,
                        source.count() - usable.length,
                        options);
            } finally {
                if (!done) {
                    tested.arena().close();
                }
            }
        }
    }

    private static int[] readable(DataSource source) {
        int[] usable = IntStream.range(0, source.count())
                .parallel()
                .filter(i -> problem(() -> source.read(i)).isEmpty())
                .toArray();
        if (usable.length == 0) {
            throw problem(() -> source.read(0)).orElseThrow();
        }
        return usable;
    }

    private static int[] trainIndices(DataOptions options, int[] usable) {
        long pool = (long) usable.length - options.test();
        long n = options.n() == 0 ? pool : options.n();
        long end = n * (options.index() + 1L);
        if (pool <= 0 || end > pool) {
            String blocks = options.index() == 0 ? "" : " (block " + options.index() + " of " + n + ")";
            throw DataException.expected(
                    options.source(),
                    "count",
                    Math.max(end, 1) + " training" + blocks + " and " + options.test() + " test images",
                    usable.length + " images");
        }
        int[] rest = Arrays.copyOf(usable, (int) pool);
        options.shuffleSeed().ifPresent(seed -> Shuffle.shuffle(rest, seed));
        return Arrays.copyOfRange(rest, (int) (end - n), (int) end);
    }

    /// Looks at the header of every chosen image and decides size, channels and storage of the result.
    private static Preparation preparation(
            DataSource source, DataOptions options, int[] train, int[] test, ReadOptions limits) {
        Extent first = source.frame(train[0]).extent();
        int channels = 1;
        boolean eightBit = true;
        for (int i : IntStream.concat(Arrays.stream(train), Arrays.stream(test)).toArray()) {
            DataSource.Frame frame = source.frame(i);
            Extent e = frame.extent();
            if (options.size() == 0 && (e.height() != first.height() || e.width() != first.width())) {
                throw DataException.expected(
                        source.name(i),
                        "size",
                        first.height() + " x " + first.width() + " like " + source.name(train[0])
                                + " (or set a size to resize to)",
                        e.height() + " x " + e.width());
            }
            if (options.gray() && e.channels() != 1 && e.channels() != 3) {
                throw DataException.expected(source.name(i), "channels", "1 or 3 to make gray", e.channels() + "");
            }
            channels = Math.max(channels, e.channels());
            eightBit &= frame.eightBit() && Preparation.exact(e, options.size(), options.gray());
        }
        int height = options.size() == 0 ? first.height() : options.size();
        int width = options.size() == 0 ? first.width() : options.size();
        Extent out = new Extent(height, width, options.gray() ? 1 : channels);
        return new Preparation(options.size(), options.gray(), out, eightBit, limits.maxPixels());
    }

    /// Images in memory, not yet handed to a data set.
    private record Filled(Arena arena, MemorySegment values, Preparation preparation, int count) {
        Dataset dataset(int[] labels, Dataset.Range range) {
            return new Dataset(arena, values, preparation.eightBit(), count, preparation.out(), labels, range);
        }
    }

    private static Filled fill(DataSource source, Preparation preparation, int[] indices) {
        Arena arena = Arena.ofShared();
        boolean filled = false;
        try {
            long imageBytes = (long) preparation.out().size() * (preparation.eightBit() ? 1 : 4);
            MemorySegment values = Dataset.allocate(arena, imageBytes * indices.length);
            Optional<DataException> first = IntStream.range(0, indices.length)
                    .parallel()
                    .mapToObj(j -> problem(
                            () -> put(source, preparation, indices[j], values.asSlice(j * imageBytes, imageBytes))))
                    .flatMap(Optional::stream)
                    .findFirst();
            if (first.isPresent()) {
                throw first.get();
            }
            filled = true;
            return new Filled(arena, values, preparation, indices.length);
        } finally {
            if (!filled) {
                arena.close();
            }
        }
    }

    private static Optional<DataException> problem(Runnable reading) {
        try {
            reading.run();
            return Optional.empty();
        } catch (DataException e) {
            return Optional.of(e);
        }
    }

    private static void put(DataSource source, Preparation preparation, int i, MemorySegment target) {
        Image image = source.read(i);
        if (preparation.eightBit()) {
            byte[] bytes = preparation.bytes(image);
            MemorySegment.copy(bytes, 0, target, JAVA_BYTE, 0, bytes.length);
        } else {
            float[] floats = preparation.floats(image, source.name(i));
            MemorySegment.copy(
                    floats, 0, target, JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0, floats.length);
        }
    }

    /// Mean in [0, 1] units: exact for bytes; for floats the mean of the images' means, summed in double.
    private static double mean(Filled filled) {
        int size = filled.preparation().out().size();
        double total = 0;
        long bytes = 0;
        for (int i = 0; i < filled.count(); i++) {
            double sum = 0;
            long start = (long) i * size;
            for (int k = 0; k < size; k++) {
                if (filled.preparation().eightBit()) {
                    bytes += filled.values().get(JAVA_BYTE, start + k) & 0xff;
                } else {
                    sum += filled.values()
                            .get(JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 4 * (start + k));
                }
            }
            total += sum / size;
        }
        return filled.preparation().eightBit()
                ? bytes / 255.0 / ((double) filled.count() * size)
                : total / filled.count();
    }

    private static int[] labels(DataSource source, int[] indices) {
        return source.labels()
                .map(all -> Arrays.stream(indices).map(i -> all[i]).toArray())
                .orElse(null);
    }

    /// Gives the memory of both sets back.
    @Override
    public void close() {
        train.close();
        test.close();
    }
}
