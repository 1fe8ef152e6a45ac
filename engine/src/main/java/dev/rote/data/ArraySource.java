package dev.rote.data;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.rote.errors.DataException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/// Images that lie as numbers in mapped files or unpacked memory, in one or several parts of the same [Frame].
///
/// A mapped file must not be shortened by somebody else while it is open.
final class ArraySource implements DataSource {
    /// How far a float may lie outside its range before it counts as wrong; what lies within is clamped.
    private static final double TOLERANCE = 1e-5;

    private final Arena arena;
    private final List<ArrayPart> parts;
    private final int count;
    private final Extent extent;
    private final int[] labels;

    /// Takes over `arena`; `labels` may be null.
    ArraySource(Arena arena, List<ArrayPart> parts, int[] labels) {
        this.arena = arena;
        this.parts = List.copyOf(parts);
        this.extent = parts.getFirst().extent();
        long total = 0;
        for (ArrayPart part : parts) {
            if (!part.extent().equals(extent) || part.type() != parts.getFirst().type()) {
                throw DataException.expected(
                        part.path(),
                        "images",
                        extent + " as in " + parts.getFirst().path(),
                        part.extent() + "");
            }
            total += part.count();
        }
        if (total > Integer.MAX_VALUE - 8) {
            throw DataException.expected(parts.getFirst().path(), "count", "fewer than 2^31 images", total + "");
        }
        if (total == 0) {
            throw DataException.expected(parts.getFirst().path(), "count", "at least one image", "0");
        }
        this.count = (int) total;
        if (labels != null && labels.length != count) {
            throw DataException.expected(
                    parts.getFirst().path(), "labels", "one for each of " + count + " images", labels.length + "");
        }
        this.labels = labels;
    }

    @Override
    public int count() {
        return count;
    }

    @Override
    public Frame frame(int i) {
        Objects.checkIndex(i, count);
        return new Frame(extent, parts.getFirst().type() == ArrayPart.Type.U8);
    }

    @Override
    public String name(int i) {
        int first = 0;
        for (ArrayPart part : parts) {
            if (i < first + part.count()) {
                return part.path() + ": image " + (i - first);
            }
            first += part.count();
        }
        throw new IndexOutOfBoundsException(i);
    }

    @Override
    public Optional<int[]> labels() {
        return Optional.ofNullable(labels).map(int[]::clone);
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    @Override
    public Image read(int i) {
        Objects.checkIndex(i, count);
        int first = 0;
        int p = 0;
        while (i >= first + parts.get(p).count()) {
            first += parts.get(p++).count();
        }
        ArrayPart part = parts.get(p);
        return part.type() == ArrayPart.Type.U8
                ? Image.of(extent, bytes(part, i - first))
                : Image.of(extent, floats(part, i - first));
    }

    private byte[] bytes(ArrayPart part, int i) {
        byte[] image = new byte[extent.size()];
        if (part.strides().packed(extent)) {
            MemorySegment.copy(part.bytes(), JAVA_BYTE, part.address(i, 0, 0, 0), image, 0, image.length);
            return image;
        }
        int k = 0;
        for (int h = 0; h < extent.height(); h++) {
            for (int w = 0; w < extent.width(); w++) {
                for (int c = 0; c < extent.channels(); c++) {
                    image[k++] = part.bytes().get(JAVA_BYTE, part.address(i, h, w, c));
                }
            }
        }
        return image;
    }

    private float[] floats(ArrayPart part, int i) {
        float[] image = new float[extent.size()];
        int k = 0;
        for (int h = 0; h < extent.height(); h++) {
            for (int w = 0; w < extent.width(); w++) {
                for (int c = 0; c < extent.channels(); c++) {
                    double value = number(part, part.address(i, h, w, c));
                    double unit = (value - part.low()) / (part.high() - part.low());
                    if (!(unit >= -TOLERANCE && unit <= 1 + TOLERANCE)) {
                        throw DataException.expected(
                                part.path(),
                                "image " + i + ", row " + h + ", column " + w + ", channel " + c,
                                "a value from " + part.low() + " to " + part.high()
                                        + " (or ?range=LOW,HIGH after the path)",
                                value + "");
                    }
                    image[k++] = (float) Math.clamp(unit, 0.0, 1.0);
                }
            }
        }
        return image;
    }

    private static double number(ArrayPart part, long address) {
        return switch (part.type()) {
            case U8 -> part.bytes().get(JAVA_BYTE, address) & 0xff;
            case F16 -> Float.float16ToFloat(part.bytes().get(JAVA_SHORT_UNALIGNED.withOrder(part.order()), address));
            case F32 -> part.bytes().get(JAVA_FLOAT_UNALIGNED.withOrder(part.order()), address);
            case F64 -> part.bytes().get(JAVA_DOUBLE_UNALIGNED.withOrder(part.order()), address);
        };
    }
}
