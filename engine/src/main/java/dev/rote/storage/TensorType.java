package dev.rote.storage;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Element types of a safetensors file, under the names that the format gives them. All are little-endian.
public enum TensorType {
    F64(8),
    F32(4),
    F16(2),
    BF16(2),
    I64(8),
    I32(4),
    I16(2),
    I8(1),
    U8(1),
    BOOL(1);

    static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int bytes;

    TensorType(int bytes) {
        this.bytes = bytes;
    }

    /// Bytes of one element.
    public int bytes() {
        return bytes;
    }

    /// Copies `out.length` elements of `data` to floats. F32, F16, BF16, I16, I8, U8 and BOOL (0 or 1) are exact,
    /// NaN payloads included where the type is F32 or BF16; F64, I64 and I32 are rounded to nearest.
    void toFloats(MemorySegment data, float[] out) {
        if (this == F32) {
            MemorySegment.copy(data, FLOAT, 0, out, 0, out.length);
            return;
        }
        for (int i = 0; i < out.length; i++) {
            long at = (long) i * bytes;
            out[i] = switch (this) {
                case F64 -> (float) data.get(DOUBLE, at);
                case F32 -> data.get(FLOAT, at);
                case F16 -> Float.float16ToFloat(data.get(SHORT, at));
                case BF16 -> Float.intBitsToFloat(data.get(SHORT, at) << 16);
                case I64 -> (float) data.get(LONG, at);
                case I32 -> (float) data.get(INT, at);
                case I16 -> data.get(SHORT, at);
                case I8 -> data.get(ValueLayout.JAVA_BYTE, at);
                case U8 -> data.get(ValueLayout.JAVA_BYTE, at) & 0xff;
                case BOOL -> data.get(ValueLayout.JAVA_BYTE, at) == 0 ? 0f : 1f;
            };
        }
    }
}
