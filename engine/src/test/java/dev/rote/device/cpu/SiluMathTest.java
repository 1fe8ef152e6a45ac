package dev.rote.device.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.util.Random;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;

/// The loops with the sigmoid written out against the sigmoid itself.
class SiluMathTest {
    private static final int COUNT = 4096;

    private final float[] x = new float[COUNT];
    private final float[] dy = new float[COUNT];

    SiluMathTest() {
        Random random = new Random(5);
        for (int i = 0; i < COUNT; i++) {
            x[i] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(5) - 2));
            dy[i] = (float) random.nextGaussian();
        }
        float[] edges = {0f, -0f, 87.3f, -87.3f, 88.3f, -88.3f, 1e30f, -1e30f, Float.MIN_VALUE, Float.MAX_VALUE};
        System.arraycopy(edges, 0, x, 7, edges.length);
    }

    @Test
    void siluIsTheArgumentTimesItsSigmoidBitForBit() {
        float[] expected = new float[COUNT];
        for (int i = 0; i < COUNT; i += Memory.LANES) {
            FloatVector v = FloatVector.fromArray(Memory.F, x, i);
            v.mul(VectorMath.sigmoid(v)).intoArray(expected, i);
        }
        try (Arena arena = Arena.ofConfined()) {
            long in = copy(arena, x);
            long out = copy(arena, dy);
            SiluMath.silu(in, out, COUNT);
            assertThat(read(out)).isEqualTo(expected);
        }
    }

    @Test
    void theSlopeIsTheProductRulesBitForBit() {
        float[] expected = new float[COUNT];
        for (int i = 0; i < COUNT; i += Memory.LANES) {
            FloatVector v = FloatVector.fromArray(Memory.F, x, i);
            FloatVector s = VectorMath.sigmoid(v);
            FloatVector slope = s.mul(v.mul(VectorMath.exp(v.neg()).mul(s)).add(1));
            FloatVector.fromArray(Memory.F, dy, i).mul(slope).intoArray(expected, i);
        }
        try (Arena arena = Arena.ofConfined()) {
            long gradient = copy(arena, dy);
            SiluMath.slope(gradient, copy(arena, x), gradient, COUNT);
            assertThat(read(gradient)).isEqualTo(expected);
        }
    }

    /// 1 - s by subtraction would lose up to 5e-7 where s is near 1.
    @Test
    void theSlopeLosesNothingWhereTheSigmoidIsNearOne() {
        Random random = new Random(8);
        for (int i = 0; i < COUNT; i++) {
            x[i] = random.nextFloat() * 160 - 80;
            dy[i] = 1;
        }
        try (Arena arena = Arena.ofConfined()) {
            long gradient = copy(arena, dy);
            SiluMath.slope(gradient, copy(arena, x), gradient, COUNT);
            float[] found = read(gradient);
            for (int i = 0; i < COUNT; i++) {
                double s = 1 / (1 + Math.exp(-x[i]));
                double rest = 1 / (1 + Math.exp(x[i]));
                assertThat((double) found[i]).isCloseTo(s * (1 + x[i] * rest), within(3e-7));
            }
        }
    }

    private static long copy(Arena arena, float[] values) {
        long address = arena.allocate(4L * COUNT, 64).address();
        for (int i = 0; i < COUNT; i++) {
            Memory.setFloat(address + 4L * i, values[i]);
        }
        return address;
    }

    private static float[] read(long address) {
        float[] values = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            values[i] = Memory.getFloat(address + 4L * i);
        }
        return values;
    }
}
