package dev.rote.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class DrawTest {
    private static final int DRAWS = 1_000_000;
    private static final int[] EXTREMES = {
        0,
        1,
        2,
        0x1ff,
        0x200,
        0xffff,
        0x10000,
        0x1fffffff,
        0x20000000,
        0x20000001,
        0x3fffffff,
        0x40000000,
        0x5fffffff,
        0x60000000,
        0x7fffffff,
        0x80000000,
        0x80000001,
        0x9fffffff,
        0xa0000000,
        0xb504f333,
        0xb504f334,
        0xdfffffff,
        0xe0000000,
        0xffffff00,
        0xffffff7f,
        0xffffff80,
        0xfffffffe,
        0xffffffff
    };

    @Test
    void uniformIsStrictlyInsideZeroAndOneAndSymmetric() {
        assertThat(Draw.uniform(0)).isEqualTo(0x1p-24f);
        assertThat(Draw.uniform(-1)).isEqualTo(1f - 0x1p-24f).isLessThan(1f);
        for (int word : EXTREMES) {
            assertThat(Draw.uniform(word)).isEqualTo(1f - Draw.uniform(~word)).isBetween(0x1p-24f, 1f - 0x1p-24f);
        }
    }

    @Test
    void belowCoversItsRangeEvenly() {
        assertThat(Draw.below(-1, Integer.MAX_VALUE)).isEqualTo(Integer.MAX_VALUE - 1);
        assertThat(Draw.below(-1, 1)).isEqualTo(0);
        assertThat(Draw.below(0x80000000, 10)).isEqualTo(5);
        assertThatThrownBy(() -> Draw.below(1, 0)).isInstanceOf(IllegalArgumentException.class);
        int[] counts = new int[10];
        for (int e = 0; e < DRAWS; e++) {
            counts[Draw.below(Philox.elementWord(1, e, 0, Purpose.BOOTSTRAP.code()), 10)]++;
        }
        double chi2 = Arrays.stream(counts)
                .mapToDouble(c -> (c - DRAWS / 10.0) * (c - DRAWS / 10.0) / (DRAWS / 10.0))
                .sum();
        assertThat(chi2).isLessThan(27.9); // 9 degrees of freedom, p = 0.001
    }

    @Test
    void normalsAgreeWithTheSameFormulaInDouble() {
        double worst = 0;
        int radiusWord = 0;
        int angleWord = 0;
        for (int i = 0; i < 4_000_000; i++) {
            radiusWord += 0x9E3779B9; // visits the whole circle evenly
            angleWord += 0x85EBCA6B;
            worst = Math.max(worst, error(radiusWord >>> (i & 15), angleWord));
        }
        for (int radius : EXTREMES) {
            for (int angle : EXTREMES) {
                worst = Math.max(worst, error(radius, angle));
            }
        }
        assertThat(worst).isBetween(1e-8, 9e-7);
    }

    /// |float - double|, both from the radius argument u after its one rounding.
    private static double error(int radiusWord, int angleWord) {
        double u = (float) ((Integer.toUnsignedLong(radiusWord) + 0.5) * 0x1p-32);
        double radius = Math.sqrt(-2 * Math.log(u));
        double angle = 2 * Math.PI * angleWord * 0x1p-32;
        float cos = Draw.normalCos(radiusWord, angleWord);
        float sin = Draw.normalSin(radiusWord, angleWord);
        double error = Math.max(Math.abs(cos - radius * Math.cos(angle)), Math.abs(sin - radius * Math.sin(angle)));
        return Float.isFinite(cos) && Float.isFinite(sin) ? error : Double.POSITIVE_INFINITY;
    }

    @Test
    void everyRadiusIsFiniteAndTheLargestIsThatOfWordZero() {
        assertThat(Draw.radius(0)).isEqualTo((float) Math.sqrt(66 * Math.log(2)), within(1e-6f));
        assertThat(Draw.radius(-1)).isEqualTo(0f);
        float last = Float.POSITIVE_INFINITY;
        for (int word = 0; word < 1 << 20; word++) {
            float radius = Draw.radius(word);
            assertThat(radius <= last + 1e-6f).as("radius at %d", word).isTrue();
            last = radius;
        }
        for (long word = 0; word < 1L << 32; word += 251) {
            float radius = Draw.radius((int) word);
            if (!(radius >= 0f && radius < 6.77f)) {
                throw new AssertionError("radius " + radius + " at word " + word);
            }
        }
    }

    @Test
    void momentsAndTailsAreThoseOfTheNormalDistribution() {
        double[] moment = new double[7];
        int beyond4 = 0;
        float[] z = normals(4 * DRAWS);
        for (float value : z) {
            double power = 1;
            for (int k = 1; k <= 6; k++) {
                power *= value;
                moment[k] += power / z.length;
            }
            beyond4 += Math.abs(value) > 4 ? 1 : 0;
        }
        // Five standard errors of each moment: sqrt(var(z^k) / 4e6), var = 1, 2, 15, 96, 945, 10170.
        assertThat(moment[1]).isEqualTo(0, within(0.0025));
        assertThat(moment[2]).isEqualTo(1, within(0.0036));
        assertThat(moment[3]).isEqualTo(0, within(0.0097));
        assertThat(moment[4]).isEqualTo(3, within(0.0245));
        assertThat(moment[5]).isEqualTo(0, within(0.077));
        assertThat(moment[6]).isEqualTo(15, within(0.26));
        assertThat(beyond4).isBetween(175, 335); // 253 expected (6.334e-5), five standard deviations
    }

    @Test
    void pairsAreUncorrelatedAlsoInTheirSquares() {
        float[] z = normals(DRAWS);
        for (int lag = 1; lag <= 4; lag++) {
            double product = 0;
            double squares = 0;
            for (int i = 0; i + lag < z.length; i++) {
                product += z[i] * z[i + lag];
                squares += ((double) z[i] * z[i] - 1) * ((double) z[i + lag] * z[i + lag] - 1);
            }
            assertThat(product / z.length).isEqualTo(0, within(0.005));
            assertThat(squares / z.length).isEqualTo(0, within(0.01));
        }
    }

    @Test
    void aMillionNormalsPassKolmogorovAndSmirnov() {
        float[] z = normals(DRAWS);
        Arrays.sort(z);
        double distance = 0;
        for (int i = 0; i < z.length; i++) {
            double cdf = cumulative(z[i]);
            distance = Math.max(distance, Math.max(cdf - i / (double) DRAWS, (i + 1) / (double) DRAWS - cdf));
        }
        assertThat(distance * Math.sqrt(DRAWS)).isBetween(0.3, 1.95); // p between 0.001 and 0.99999
    }

    private static float[] normals(int count) {
        float[] z = new float[count];
        RandomFill.fillNormal(MemorySegment.ofArray(z), count, 20_250_101L, 3, Purpose.NOISE, 0);
        return z;
    }

    /// Normal distribution function, by Simpson's rule over [0, z] with steps of at most 1/64: error below 1e-9.
    private static double cumulative(double z) {
        int n = 2 * (1 + (int) (Math.abs(z) * 32));
        double h = z / n;
        double sum = 0;
        for (int i = 0; i <= n; i++) {
            double weight = i == 0 || i == n ? 1 : (i & 1) == 1 ? 4 : 2;
            sum += weight * Math.exp(-0.5 * (i * h) * (i * h));
        }
        return 0.5 + sum * h / 3 / Math.sqrt(2 * Math.PI);
    }
}
