package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.F;
import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.PanelProduct.PAIR;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import jdk.incubator.vector.FloatVector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// 2^x against the library's, and the loops with it written out against itself.
class RowMathTest {
    private static final int ROWS = 37;

    private final float[] scores = new float[ROWS * PAIR];
    private final float[] gradients = new float[ROWS * PAIR];
    private final float[] perRow = new float[ROWS + 3];

    RowMathTest() {
        Random random = new Random(6);
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(4) - 1));
            gradients[i] = (float) random.nextGaussian();
        }
        for (int i = 0; i < perRow.length; i++) {
            perRow[i] = (float) random.nextGaussian();
        }
    }

    @Test
    void powersOfTwoAreTrueToTwoTenMillionths() {
        Random random = new Random(7);
        float[] x = new float[LANES];
        float[] y = new float[LANES];
        double worst = 0;
        for (int i = 0; i < 50_000; i++) {
            for (int lane = 0; lane < LANES; lane++) {
                x[lane] = random.nextFloat() * 252 - 126;
            }
            VectorMath.exp2(FloatVector.fromArray(F, x, 0)).intoArray(y, 0);
            for (int lane = 0; lane < LANES; lane++) {
                worst = Math.max(worst, Math.abs(y[lane] / Math.pow(2, x[lane]) - 1));
            }
        }
        assertThat(worst).isBetween(3e-8, 2e-7);
    }

    @Test
    void powersOfTwoAreExactAtIntegersAndBoundedBelow() {
        float least = 0x1p-126f;
        assertThat(exp2(0)).isEqualTo(1);
        assertThat(exp2(127)).isEqualTo(0x1p127f);
        assertThat(exp2(-126)).isEqualTo(least);
        for (float x : new float[] {-126.5f, -1e9f, -1e30f, Float.NEGATIVE_INFINITY}) {
            assertThat(exp2(x)).isEqualTo(least);
        }
        assertThat(exp2(Float.NaN)).isNaN();
        assertThat(exp2(Float.intBitsToFloat(0xffc00000))).isNaN();
    }

    private static float exp2(float x) {
        return VectorMath.exp2(FloatVector.broadcast(F, x)).lane(0);
    }

    @Test
    void columnsOfAStripArePowersOfTwo() {
        float[] largest = new float[PAIR];
        RowMath.columnMax(scores, ROWS, largest);
        float[] expected = new float[scores.length];
        float[] sums = new float[PAIR];
        for (int column = 0; column < PAIR; column++) {
            float most = Float.NEGATIVE_INFINITY;
            for (int r = 0; r < ROWS; r++) {
                most = Math.max(most, scores[r * PAIR + column]);
            }
            assertThat(largest[column]).isEqualTo(most);
            for (int r = 0; r < ROWS; r++) {
                expected[r * PAIR + column] = exp2(scores[r * PAIR + column] - most);
                sums[column] += expected[r * PAIR + column];
            }
        }
        float[] found = scores.clone();
        float[] foundSums = new float[PAIR];
        RowMath.columnExp2(found, ROWS, largest, foundSums);
        assertThat(found).isEqualTo(expected);
        assertThat(foundSums).isEqualTo(sums);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9})
    void theLargestIsThatOfTheRows(int rows) {
        float[] x = new float[(rows + 4) * PAIR];
        Arrays.fill(x, rows * PAIR, x.length, 1e30f);
        float[] largest = new float[PAIR];
        for (int row = 0; row < rows; row++) {
            Arrays.fill(x, 0, rows * PAIR, -2);
            Arrays.fill(x, row * PAIR, (row + 1) * PAIR, -1);
            RowMath.columnMax(x, rows, largest);
            assertThat(largest).as("row %d of %d", row, rows).containsOnly(-1);
        }
    }

    @Test
    void rowsOfASlopeAreTheProductRules() {
        float[] p = new float[scores.length];
        float[] slope = new float[scores.length];
        for (int i = 0; i < p.length; i++) {
            p[i] = exp2(scores[i] / 100 - perRow[3 + i / PAIR]);
            slope[i] = (gradients[i] - perRow[3 + i / PAIR]) * p[i];
        }
        float[] found = scores.clone();
        for (int i = 0; i < found.length; i++) {
            found[i] = scores[i] / 100;
        }
        float[] foundSlope = gradients.clone();
        RowMath.softmaxSlope(found, foundSlope, ROWS, perRow, perRow, 3);
        assertThat(found).isEqualTo(p);
        assertThat(foundSlope).isEqualTo(slope);
    }
}
