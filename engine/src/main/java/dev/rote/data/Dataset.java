package dev.rote.data;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.rote.errors.EnvironmentException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Optional;

/// Images of one size, `[count, height, width, channels]` with channels innermost, immutable, in native memory.
///
/// Stored are either unsigned bytes or floats in [0, 1], of synthetic points any floats. What a network sees is
/// `fma(stored, scale, offset)` in float: `scale` and `offset` carry the value range and the subtracted mean, so
/// 8-bit images stay 8-bit on a device.
///
/// The data set owns its memory until [#close]; use after that throws [IllegalStateException]. Reading is safe from
/// several threads.
public final class Dataset implements AutoCloseable {
    private static final ValueLayout.OfFloat FLOAT = JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Arena arena;
    private final MemorySegment values;
    private final boolean eightBit;
    private final int count;
    private final Extent extent;
    private final int[] labels;
    private final float scale;
    private final float offset;

    /// Takes over `arena`, which holds `values`; `labels` may be null.
    Dataset(Arena arena, MemorySegment values, boolean eightBit, int count, Extent extent, int[] labels, Range range) {
        this.arena = arena;
        this.values = values;
        this.eightBit = eightBit;
        this.count = count;
        this.extent = extent;
        this.labels = labels;
        this.scale = range.scale();
        this.offset = range.offset();
    }

    /// The map from stored values to network values.
    record Range(float scale, float offset) {
        /// Stored value to [0, 1].
        static Range unit(boolean eightBit) {
            return new Range(eightBit ? 1f / 255f : 1f, 0f);
        }
    }

    /// A copy of 8-bit images `[count, extent]`; the network sees them in [0, 1].
    public static Dataset of(int count, Extent extent, byte[] images) {
        requireLength(count, extent, images.length);
        return of(count, extent, true, MemorySegment.ofArray(images));
    }

    /// A copy of float images `[count, extent]` with values in [0, 1]; the network sees them unchanged.
    public static Dataset of(int count, Extent extent, float[] images) {
        requireLength(count, extent, images.length);
        for (int i = 0; i < images.length; i++) {
            if (!(images[i] >= 0f && images[i] <= 1f)) {
                throw new IllegalArgumentException("images: value " + i + ": expected 0 to 1, found " + images[i]);
            }
        }
        return of(count, extent, false, MemorySegment.ofArray(images));
    }

    private static Dataset of(int count, Extent extent, boolean eightBit, MemorySegment source) {
        Arena arena = Arena.ofShared();
        MemorySegment copy = allocate(arena, source.byteSize());
        copy.copyFrom(source);
        return new Dataset(arena, copy, eightBit, count, extent, null, Range.unit(eightBit));
    }

    private static void requireLength(int count, Extent extent, int length) {
        if (count < 0 || (long) count * extent.size() != length) {
            throw new IllegalArgumentException(
                    "images: expected " + count + " x (" + extent + ") values, found " + length);
        }
    }

    /// Native memory of `bytes` bytes.
    ///
    /// @throws EnvironmentException when the machine has not that much
    static MemorySegment allocate(Arena arena, long bytes) {
        try {
            return arena.allocate(bytes, 64);
        } catch (OutOfMemoryError e) {
            throw new EnvironmentException(
                    "not enough native memory for " + bytes
                            + " bytes of images; free some, take fewer or smaller images"
                            + " or raise -XX:MaxDirectMemorySize",
                    e);
        }
    }

    public int count() {
        return count;
    }

    public int height() {
        return extent.height();
    }

    public int width() {
        return extent.width();
    }

    public int channels() {
        return extent.channels();
    }

    /// Size of one image.
    public Extent extent() {
        return extent;
    }

    /// True when bytes are stored, false for floats.
    public boolean eightBit() {
        return eightBit;
    }

    /// Factor from a stored value to what the network sees.
    public float scale() {
        return scale;
    }

    /// Summand from a stored value to what the network sees.
    public float offset() {
        return offset;
    }

    /// One class number per image, where the source has them.
    public Optional<int[]> labels() {
        return Optional.ofNullable(labels).map(int[]::clone);
    }

    /// The stored values `[count, height, width, channels]`, unsigned bytes or little-endian floats; read-only, valid
    /// until [#close].
    public MemorySegment values() {
        return values.asReadOnly();
    }

    /// Image `i` `[height, width, channels]` with values in [0, 1].
    public float[] image(int i) {
        Objects.checkIndex(i, count);
        float[] image = new float[extent.size()];
        long start = (long) i * extent.size();
        for (int k = 0; k < image.length; k++) {
            image[k] = eightBit ? (int) stored(start + k) / 255f : stored(start + k);
        }
        return image;
    }

    /// Writes images `from` to `to - 1` as the network sees them, f32 `[to - from, height, width, channels]`, to the
    /// start of `target`.
    public void copyTo(int from, int to, MemorySegment target) {
        Objects.checkFromToIndex(from, to, count);
        long start = (long) from * extent.size();
        long length = (long) (to - from) * extent.size();
        if (target.byteSize() < 4 * length) {
            throw new IllegalArgumentException(
                    "target: expected at least " + 4 * length + " bytes, found " + target.byteSize());
        }
        for (long k = 0; k < length; k++) {
            target.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, k, Math.fma(stored(start + k), scale, offset));
        }
    }

    private float stored(long k) {
        return eightBit ? values.get(JAVA_BYTE, k) & 0xff : values.get(FLOAT, 4 * k);
    }

    /// A copy of the images at `indices`, in that order (repetition allowed), with their labels, scale and offset.
    public Dataset select(int... indices) {
        for (int i : indices) {
            Objects.checkIndex(i, count);
        }
        long imageBytes = (long) extent.size() * (eightBit ? 1 : 4);
        Arena own = Arena.ofShared();
        MemorySegment copy = allocate(own, imageBytes * indices.length);
        int[] chosen = labels == null ? null : new int[indices.length];
        for (int j = 0; j < indices.length; j++) {
            MemorySegment.copy(values, indices[j] * imageBytes, copy, j * imageBytes, imageBytes);
            if (chosen != null) {
                chosen[j] = labels[indices[j]];
            }
        }
        return new Dataset(own, copy, eightBit, indices.length, extent, chosen, new Range(scale, offset));
    }

    /// Names the data in run records: SHA-256, in hex, of the text `rote-data u8|f32 count height width channels\n`,
    /// the stored bytes, and the labels as little-endian 32-bit integers where there are any. Scale and offset are
    /// not part of it.
    public String contentHash() {
        var digest = Digests.sha256();
        digest.update(("rote-data " + (eightBit ? "u8 " : "f32 ") + count + " " + height() + " " + width() + " "
                        + channels() + "\n")
                .getBytes(StandardCharsets.US_ASCII));
        Digests.update(digest, values);
        if (labels != null) {
            var bytes = ByteBuffer.allocate(4 * labels.length).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asIntBuffer().put(labels);
            digest.update(bytes.array());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /// Gives the memory back.
    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    @Override
    public String toString() {
        return count + " x " + extent + (eightBit ? " u8" : " f32");
    }
}
