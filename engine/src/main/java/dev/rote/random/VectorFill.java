package dev.rote.random;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ROL;
import static jdk.incubator.vector.VectorOperators.SQRT;
import static jdk.incubator.vector.VectorOperators.XOR;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/// [Draw] and [Philox] on as many lanes as the machine has. One pass writes Philox words to a stretch of `dst` that
/// fits the first-level cache, a second turns them into values where they lie: two small loops,
/// each of which fits the vector registers. The loops
/// call nothing of ours: the compiler inlines the Vector API always, but other methods only up to a limit that these
/// loops exceed, and each vector that crosses a call is an allocation.
final class VectorFill {
    private static final VectorSpecies<Long> LONGS = LongVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();

    /// Elements of one iteration: two vectors.
    private static final int GROUP = 2 * FLOATS.length();

    /// Elements of one stretch: 16 KiB, half of the smallest first-level cache.
    private static final int STRETCH = 4096;

    private static final long LOW = 0xFFFFFFFFL;

    private static final LongVector IOTA = LongVector.zero(LONGS).addIndex(1);
    private static final VectorShuffle<Long> ZIP_LOW = VectorShuffle.makeZip(LONGS, 0);
    private static final VectorShuffle<Long> ZIP_HIGH = VectorShuffle.makeZip(LONGS, 1);

    private static final FloatVector L0 = all(Draw.L0);
    private static final FloatVector L1 = all(Draw.L1);
    private static final FloatVector L2 = all(Draw.L2);
    private static final FloatVector L3 = all(Draw.L3);
    private static final FloatVector L4 = all(Draw.L4);
    private static final FloatVector L5 = all(Draw.L5);
    private static final FloatVector L6 = all(Draw.L6);
    private static final FloatVector L7 = all(Draw.L7);
    private static final FloatVector S0 = all(Draw.S0);
    private static final FloatVector S1 = all(Draw.S1);
    private static final FloatVector S2 = all(Draw.S2);
    private static final FloatVector S3 = all(Draw.S3);
    private static final FloatVector C0 = all(Draw.C0);
    private static final FloatVector C1 = all(Draw.C1);
    private static final FloatVector C2 = all(Draw.C2);
    private static final FloatVector C3 = all(Draw.C3);
    private static final FloatVector LN2 = all(Draw.LN2);
    private static final FloatVector MINUS_HALF = all(-0.5f);
    private static final FloatVector SIXTEENTH_BIT = all(0x1p-16f);
    private static final FloatVector ONE = all(1f);

    private VectorFill() {}

    static int bits() {
        return FLOATS.vectorBitSize();
    }

    /// Fills `dst[from ..]` as far as whole groups go and returns where it stopped. `from + elementOffset` is a
    /// multiple of 4; `kind` is 0 for words, 1 for uniforms, 2 for normals.
    static long fill(
            int kind, MemorySegment dst, long from, long to, long seed, int step, int purpose, long elementOffset) {
        long done = from;
        while (to - done >= GROUP) {
            int count = (int) Math.min(STRETCH, (to - done) / GROUP * GROUP);
            words(dst, done, count, seed, step, purpose, (done + elementOffset) >>> 2);
            switch (kind) {
                case 0 -> {}
                case 1 -> uniforms(dst, done, count);
                case 2 -> {
                    radii(dst, done, count);
                    normals(dst, done, count);
                }
                default -> throw new AssertionError("kind " + kind);
            }
            done += count;
        }
        return done;
    }

    private static void words(
            MemorySegment dst, long start, int count, long seed, int step, int purpose, long firstBlock) {
        // Shifted right like the other factors: so the compiler sees that a 32-bit multiplication is enough.
        LongVector m0 = LongVector.broadcast(LONGS, Philox.M0 << 32).lanewise(LSHR, 32);
        LongVector m1 = LongVector.broadcast(LONGS, Philox.M1 << 32).lanewise(LSHR, 32);
        LongVector lastHalf = LongVector.broadcast(LONGS, ((long) step << 32) | Integer.toUnsignedLong(purpose));
        for (int i = 0; i < count; i += GROUP) {
            LongVector block = IOTA.add(firstBlock + (i >>> 2));
            LongVector a = block.lanewise(ROL, 32);
            LongVector b = lastHalf;
            int k0 = (int) seed;
            int k1 = (int) (seed >>> 32);
            for (int round = 0; round < Philox.ROUNDS; round++) {
                LongVector productB = b.lanewise(LSHR, 32).mul(m1);
                LongVector productA = a.lanewise(LSHR, 32).mul(m0);
                LongVector next =
                        productB.lanewise(XOR, a.lanewise(XOR, (long) k0).lanewise(LSHL, 32));
                b = productA.lanewise(XOR, b.lanewise(XOR, (long) k1).lanewise(LSHL, 32));
                a = next;
                k0 += Philox.WEYL0;
                k1 += Philox.WEYL1;
            }
            LongVector first = a.lanewise(ROL, 32);
            LongVector second = b.lanewise(ROL, 32);
            long at = 4 * (start + i);
            first.rearrange(ZIP_LOW, second).reinterpretAsFloats().intoMemorySegment(dst, at, ORDER);
            first.rearrange(ZIP_HIGH, second)
                    .reinterpretAsFloats()
                    .intoMemorySegment(dst, at + LONGS.vectorByteSize(), ORDER);
        }
    }

    private static void uniforms(MemorySegment dst, long start, int count) {
        for (int i = 0; i < count; i += FLOATS.length()) {
            long at = 4 * (start + i);
            IntVector word =
                    FloatVector.fromMemorySegment(FLOATS, dst, at, ORDER).reinterpretAsInts();
            FloatVector value = (FloatVector) word.lanewise(LSHR, 9).convertShape(I2F, FLOATS, 0);
            value.add(0.5f).mul(0x1p-23f).intoMemorySegment(dst, at, ORDER);
        }
    }

    /// Words lie as radius, angle, radius, angle: each long of memory is a pair. Pairs of two vectors are merged so
    /// that one vector holds words of one kind only, and split again. This pass turns radius words into radii
    /// ([Draw#radius(int)]).
    private static void radii(MemorySegment dst, long start, int count) {
        for (int i = 0; i < count; i += GROUP) {
            long at = 4 * (start + i);
            LongVector pairs0 =
                    FloatVector.fromMemorySegment(FLOATS, dst, at, ORDER).reinterpretAsLongs();
            LongVector pairs1 = FloatVector.fromMemorySegment(FLOATS, dst, at + LONGS.vectorByteSize(), ORDER)
                    .reinterpretAsLongs();
            IntVector word = pairs0.and(LOW).or(pairs1.lanewise(LSHL, 32)).reinterpretAsInts();
            FloatVector low = (FloatVector) word.and(0xffff).convertShape(I2F, FLOATS, 0);
            FloatVector high = (FloatVector) word.lanewise(LSHR, 16).convertShape(I2F, FLOATS, 0);
            low = low.add(0.5f).mul(0x1p-32f);
            IntVector bits = high.fma(SIXTEENTH_BIT, low).reinterpretAsInts();
            IntVector exponent = bits.sub(Draw.SQRT_HALF_BITS).lanewise(ASHR, 23);
            FloatVector f =
                    bits.sub(exponent.lanewise(LSHL, 23)).reinterpretAsFloats().sub(1f);
            FloatVector p =
                    L7.fma(f, L6).fma(f, L5).fma(f, L4).fma(f, L3).fma(f, L2).fma(f, L1);
            p = p.fma(f, L0).fma(f, MINUS_HALF).fma(f.mul(f), f);
            FloatVector power = (FloatVector) exponent.convertShape(I2F, FLOATS, 0);
            LongVector radius = power.fma(LN2, p).mul(-2f).lanewise(SQRT).reinterpretAsLongs();
            pairs0 = pairs0.and(~LOW).or(radius.and(LOW));
            pairs1 = pairs1.and(~LOW).or(radius.lanewise(LSHR, 32));
            pairs0.reinterpretAsFloats().intoMemorySegment(dst, at, ORDER);
            pairs1.reinterpretAsFloats().intoMemorySegment(dst, at + LONGS.vectorByteSize(), ORDER);
        }
    }

    /// Turns pairs of radius and angle word into pairs of normals ([Draw#normalCos(int, int)]).
    private static void normals(MemorySegment dst, long start, int count) {
        for (int i = 0; i < count; i += GROUP) {
            long at = 4 * (start + i);
            LongVector pairs0 =
                    FloatVector.fromMemorySegment(FLOATS, dst, at, ORDER).reinterpretAsLongs();
            LongVector pairs1 = FloatVector.fromMemorySegment(FLOATS, dst, at + LONGS.vectorByteSize(), ORDER)
                    .reinterpretAsLongs();
            FloatVector radius = pairs0.and(LOW)
                    .or(pairs1.lanewise(LSHL, 32))
                    .reinterpretAsInts()
                    .reinterpretAsFloats();
            IntVector angle = pairs0.lanewise(LSHR, 32).or(pairs1.and(~LOW)).reinterpretAsInts();
            IntVector turned = angle.add(0x20000000);
            FloatVector x = (FloatVector) angle.sub(turned.and(0xC0000000)).convertShape(I2F, FLOATS, 0);
            x = x.mul(0x1p-29f);
            FloatVector square = x.mul(x);
            IntVector sine =
                    S3.fma(square, S2).fma(square, S1).fma(square, S0).mul(x).reinterpretAsInts();
            IntVector cosine = C3.fma(square, C2)
                    .fma(square, C1)
                    .fma(square, C0)
                    .fma(square, ONE)
                    .reinterpretAsInts();
            // In odd quadrants the two are swapped; then each takes its quadrant's sign.
            IntVector odd = turned.lanewise(LSHL, 1).lanewise(ASHR, 31);
            IntVector swap = cosine.lanewise(XOR, sine).and(odd);
            IntVector first = cosine.lanewise(XOR, swap)
                    .lanewise(XOR, turned.add(0x40000000).and(0x80000000));
            IntVector second = sine.lanewise(XOR, swap).lanewise(XOR, turned.and(0x80000000));
            LongVector cosines = radius.mul(first.reinterpretAsFloats()).reinterpretAsLongs();
            LongVector sines = radius.mul(second.reinterpretAsFloats()).reinterpretAsLongs();
            pairs0 = cosines.and(LOW).or(sines.lanewise(LSHL, 32));
            pairs1 = cosines.lanewise(LSHR, 32).or(sines.and(~LOW));
            pairs0.reinterpretAsFloats().intoMemorySegment(dst, at, ORDER);
            pairs1.reinterpretAsFloats().intoMemorySegment(dst, at + LONGS.vectorByteSize(), ORDER);
        }
    }

    private static FloatVector all(float value) {
        return FloatVector.broadcast(FLOATS, value);
    }
}
