package dev.rote.device.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Access to native memory by absolute address, for the kernels of this package only.
///
/// The addresses come from a plan whose offsets were checked; a segment per operand would add a bounds and a liveness
/// check to every vector load.
final class Memory {
    /// All of the address space. Its bounds never fail; the plan is what keeps accesses inside.
    static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
    static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Short> HALF =
            VectorSpecies.of(short.class, jdk.incubator.vector.VectorShape.forBitSize(F.vectorBitSize() / 2));

    /// Floats in a vector.
    static final int LANES = F.length();

    static final ByteOrder ORDER = ByteOrder.nativeOrder();

    private Memory() {}

    static FloatVector load(long address) {
        return FloatVector.fromMemorySegment(F, ALL, address, ORDER);
    }

    static void store(FloatVector vector, long address) {
        vector.intoMemorySegment(ALL, address, ORDER);
    }

    static float getFloat(long address) {
        return ALL.get(ValueLayout.JAVA_FLOAT_UNALIGNED, address);
    }

    static void setFloat(long address, float value) {
        ALL.set(ValueLayout.JAVA_FLOAT_UNALIGNED, address, value);
    }

    static int getInt(long address) {
        return ALL.get(ValueLayout.JAVA_INT, address);
    }

    static void setInt(long address, int value) {
        ALL.set(ValueLayout.JAVA_INT, address, value);
    }

    static int getByte(long address) {
        return ALL.get(ValueLayout.JAVA_BYTE, address) & 0xff;
    }

    static void copy(long from, long to, long bytes) {
        MemorySegment.copy(ALL, from, ALL, to, bytes);
    }

    /// Not by `fill` of a slice: the slice is an object wherever `fill` is not inlined.
    static void zero(long address, long bytes) {
        long at = address;
        long end = address + bytes;
        for (; at <= end - 8; at += 8) {
            ALL.set(ValueLayout.JAVA_LONG_UNALIGNED, at, 0L);
        }
        for (; at < end; at++) {
            ALL.set(ValueLayout.JAVA_BYTE, at, (byte) 0);
        }
    }

    /// bf16 to f32: exact.
    static void expand(long bf16, long f32, int count) {
        int index = 0;
        for (; index <= count - LANES; index += LANES) {
            IntVector bits = (IntVector) ShortVector.fromMemorySegment(HALF, ALL, bf16 + 2L * index, ORDER)
                    .convertShape(VectorOperators.ZERO_EXTEND_S2I, I, 0);
            bits.lanewise(VectorOperators.LSHL, 16).intoMemorySegment(ALL, f32 + 4L * index, ORDER);
        }
        for (; index < count; index++) {
            setFloat(f32 + 4L * index, toFloat(ALL.get(ValueLayout.JAVA_SHORT, bf16 + 2L * index)));
        }
    }

    /// f32 to bf16, to nearest, ties to even; NaN stays NaN.
    static void round(long f32, long bf16, int count) {
        int index = 0;
        for (; index <= count - LANES; index += LANES) {
            IntVector bits = IntVector.fromMemorySegment(I, ALL, f32 + 4L * index, ORDER);
            IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
            IntVector rounded = bits.add(odd).add(0x7fff).lanewise(VectorOperators.LSHR, 16);
            var nan = bits.and(0x7fffffff).compare(VectorOperators.GT, 0x7f800000);
            rounded = rounded.blend(0x7fc0, nan);
            ((ShortVector) rounded.convertShape(VectorOperators.I2S, HALF, 0))
                    .intoMemorySegment(ALL, bf16 + 2L * index, ORDER);
        }
        for (; index < count; index++) {
            ALL.set(ValueLayout.JAVA_SHORT, bf16 + 2L * index, toBf16(getFloat(f32 + 4L * index)));
        }
    }

    static float toFloat(short bf16) {
        return Float.intBitsToFloat(bf16 << 16);
    }

    static short toBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return 0x7fc0;
        }
        return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }
}
