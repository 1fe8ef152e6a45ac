package dev.rote.tools.audit;

import dev.rote.data.DataOptions;
import dev.rote.data.DataSource;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.data.ReadOptions;
import dev.rote.data.TrainingData;
import dev.rote.errors.DataException;
import dev.rote.errors.EnvironmentException;
import dev.rote.metrics.Rows;
import dev.rote.tools.report.ImageBatch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/// Images to be audited, all of one size, as f32 in [0, 1].
final class ImageSet implements AutoCloseable {
    private static final Pattern RANGE = Pattern.compile("(.+)#([0-9]{1,9})?:([0-9]{1,9})?");

    private final String role;
    private final String source;
    private final Arena arena;
    private final Rows rows;
    private final Extent extent;
    private final List<String> names;
    private final int skipped;

    private ImageSet(
            String role, String source, Arena arena, Rows rows, Extent extent, List<String> names, int skipped) {
        this.role = role;
        this.source = source;
        this.arena = arena;
        this.rows = rows;
        this.extent = extent;
        this.names = names;
        this.skipped = skipped;
    }

    /// How images are read.
    ///
    /// @param size height and width wanted, 0 for their own
    /// @param gray colour becomes gray
    /// @param skipUnreadable damaged pictures are left out and counted
    record Reading(int size, boolean gray, boolean skipUnreadable) {}

    /// Reads a source as [DataSource#open] does; `#FROM:TO` after it takes images FROM to TO - 1 only.
    ///
    /// @param role what the images are, for messages: `--samples`
    /// @throws DataException with role, place, expected and found
    static ImageSet read(String role, String source, Reading reading) {
        Matcher range = RANGE.matcher(source);
        boolean part = range.matches();
        String whole = part ? range.group(1) : source;
        DataOptions options = DataOptions.of(whole)
                .withCenter(false)
                .withSize(reading.size())
                .withGray(reading.gray())
                .withSkipUnreadable(reading.skipUnreadable());
        try (TrainingData data = TrainingData.load(options)) {
            int count = data.train().count();
            int from = part && range.group(2) != null ? Integer.parseInt(range.group(2)) : 0;
            int to = part && range.group(3) != null ? Integer.parseInt(range.group(3)) : count;
            if (from >= to || to > count) {
                throw DataException.expected(
                        source, "after '#'", "FROM:TO with FROM below TO and TO at most " + count, from + ":" + to);
            }
            return copy(role, source, data, from, to);
        } catch (DataException e) {
            String message = e.getMessage().replace("or set a size to resize to", "or --size N to resize all");
            throw new DataException(role + ": " + message, e);
        }
    }

    private static ImageSet copy(String role, String source, TrainingData data, int from, int to) {
        Dataset images = data.train();
        int size = images.extent().size();
        int count = to - from;
        Arena arena = Arena.ofShared();
        boolean done = false;
        try {
            MemorySegment values = allocate(arena, (long) count * size * Float.BYTES);
            IntStream.range(0, count).parallel().forEach(i -> {
                float[] image = images.image(from + i);
                MemorySegment.copy(
                        image, 0, values, ValueLayout.JAVA_FLOAT_UNALIGNED, (long) i * size * Float.BYTES, size);
            });
            List<String> names = names(data, from, to);
            Rows rows = new Rows(values, count, size);
            done = true;
            return new ImageSet(role, source, arena, rows, images.extent(), names, data.skipped());
        } finally {
            if (!done) {
                arena.close();
            }
        }
    }

    private static MemorySegment allocate(Arena arena, long bytes) {
        try {
            return arena.allocate(bytes, 64);
        } catch (OutOfMemoryError e) {
            throw new EnvironmentException(
                    "not enough native memory for " + bytes + " bytes of images; free some, or take fewer or smaller"
                            + " images",
                    e);
        }
    }

    private static List<String> names(TrainingData data, int from, int to) {
        try (DataSource opened = DataSource.open(data.options().source(), ReadOptions.DEFAULT)) {
            return Arrays.stream(data.trainIndices(), from, to)
                    .mapToObj(opened::name)
                    .toList();
        }
    }

    int count() {
        return rows.count();
    }

    /// `[count, H*W*C]`, values in [0, 1].
    Rows rows() {
        return rows;
    }

    Extent extent() {
        return extent;
    }

    /// Where it came from, as the user wrote it.
    String source() {
        return source;
    }

    /// Damaged pictures left out.
    int skipped() {
        return skipped;
    }

    /// Where image `i` is.
    String name(int i) {
        return names.get(i);
    }

    /// This set with `channels` channels; gray becomes three equal ones.
    ///
    /// @throws DataException if the sizes differ, or the channels in another way
    ImageSet like(ImageSet other, int channels) {
        if (extent.height() != other.extent.height() || extent.width() != other.extent.width()) {
            throw DataException.expected(
                    role + ": " + source,
                    "size",
                    "images of " + other.extent.height() + " x " + other.extent.width() + ", as " + other.role
                            + " (or --size N to resize all)",
                    extent.height() + " x " + extent.width());
        }
        if (extent.channels() == channels) {
            return this;
        }
        if (extent.channels() != 1) {
            throw DataException.expected(
                    role + ": " + source,
                    "channels",
                    channels + ", as the other images (or --gray for all)",
                    extent.channels() + "");
        }
        return spread(channels);
    }

    private ImageSet spread(int channels) {
        Extent wide = new Extent(extent.height(), extent.width(), channels);
        Arena own = Arena.ofShared();
        MemorySegment values = allocate(own, (long) count() * wide.size() * Float.BYTES);
        IntStream.range(0, count()).parallel().forEach(i -> {
            for (int k = 0; k < wide.size(); k++) {
                values.setAtIndex(
                        ValueLayout.JAVA_FLOAT_UNALIGNED, (long) i * wide.size() + k, rows.at(i, k / channels));
            }
        });
        close();
        return new ImageSet(role, source, own, new Rows(values, count(), wide.size()), wide, names, skipped);
    }

    /// Whether both hold the same images in the same order.
    boolean sameAs(ImageSet other) {
        return count() == other.count()
                && extent.equals(other.extent)
                && rows.values().mismatch(other.rows.values()) < 0;
    }

    /// Images for a sheet, in the given order: gray, or the first three channels.
    ImageBatch pictures(int[] indices) {
        int channels = extent.channels() < 3 ? 1 : 3;
        int pixels = extent.height() * extent.width();
        float[] shown = new float[indices.length * pixels * channels];
        for (int k = 0; k < shown.length; k++) {
            int image = indices[k / (pixels * channels)];
            int pixel = k / channels % pixels;
            shown[k] = rows.at(image, pixel * extent.channels() + k % channels);
        }
        return new ImageBatch(indices.length, extent.height(), extent.width(), channels, shown);
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
