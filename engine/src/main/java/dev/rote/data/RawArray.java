package dev.rote.data;

import dev.rote.errors.DataException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Values without a header: `raw:PATH?shape=N,H,W,C&type=u8`. `shape` may leave out C (1); `type` is `u8`, `f16`,
/// `f32` or `f64`; also `order=le` or `be`, `offset` in bytes, `range=LOW,HIGH` for floats. After the offset, the
/// file must be exactly as long as shape and type say.
final class RawArray {
    static final String PREFIX = "raw:";
    private static final Map<String, ArrayPart.Type> TYPES = Map.of(
            "u8", ArrayPart.Type.U8,
            "f16", ArrayPart.Type.F16,
            "f32", ArrayPart.Type.F32,
            "f64", ArrayPart.Type.F64);

    private RawArray() {}

    static ArraySource open(String source) {
        SourceName name = SourceName.parse(source, source.substring(PREFIX.length()));
        name.allow(Set.of("shape", "type", "order", "offset", "range"));
        ArrayPart.Type type = TYPES.get(name.query().getOrDefault("type", ""));
        if (type == null) {
            throw DataException.expected(
                    source, "type", "u8, f16, f32 or f64", name.query().getOrDefault("type", "none"));
        }
        String order = name.query().getOrDefault("order", "le");
        if (!order.equals("le") && !order.equals("be")) {
            throw DataException.expected(source, "order", "le or be", order);
        }
        long[] shape = shape(source, name.query().getOrDefault("shape", ""));
        Extent extent = Opener.extent(source, "shape", shape[1], shape[2], shape[3]);
        int count = Opener.count(source, "shape", shape[0]);
        long offset = number(source, "offset", name.query().getOrDefault("offset", "0"));
        long imageBytes = (long) extent.size() * type.bytes;
        long end = offset + Opener.product(source, "shape", count, imageBytes);
        double[] range = name.range();
        Path path = name.path();
        Opener.requireFile(path);
        return Opener.guarded(arena -> {
            MemorySegment bytes = Opened.map(path, arena);
            if (bytes.byteSize() != end) {
                throw DataException.expected(
                        path, "size", end + " bytes as shape, type and offset say", bytes.byteSize() + "");
            }
            ArrayPart part = new ArrayPart(
                    path.toString(),
                    bytes,
                    offset,
                    count,
                    extent,
                    ArrayPart.Strides.nhwc(imageBytes, extent, type.bytes),
                    type,
                    order.equals("be") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN,
                    range[0],
                    range[1]);
            return new ArraySource(arena, List.of(part), null);
        });
    }

    private static long[] shape(String source, String text) {
        String[] sizes = text.split(",", -1);
        if (sizes.length != 3 && sizes.length != 4) {
            throw DataException.expected(source, "shape", "N,H,W or N,H,W,C", text.isEmpty() ? "none" : text);
        }
        long[] shape = {0, 0, 0, 1};
        for (int k = 0; k < sizes.length; k++) {
            shape[k] = number(source, "shape", sizes[k]);
        }
        return shape;
    }

    private static long number(String source, String key, String digits) {
        if (!digits.matches("\\d{1,15}")) {
            throw DataException.expected(source, key, "a number", "'" + digits + "'");
        }
        return Long.parseLong(digits);
    }
}
