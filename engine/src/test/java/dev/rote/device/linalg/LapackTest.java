package dev.rote.device.linalg;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

class LapackTest {
    private final Lapack lapack = new Lapack(1);

    private static Matrix random(int rows, int columns, long seed) {
        Random random = new Random(seed);
        Matrix matrix = new Matrix(rows, columns);
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                matrix.set(i, j, random.nextGaussian());
            }
        }
        return matrix;
    }

    @Test
    void productsAreSumsOfProducts() {
        Matrix a = random(5, 7, 1);
        Matrix b = random(7, 3, 2);
        Matrix c = lapack.product(a, false, b, false);
        for (int i = 0; i < 5; i++) {
            for (int j = 0; j < 3; j++) {
                double sum = 0;
                for (int k = 0; k < 7; k++) {
                    sum += a.get(i, k) * b.get(k, j);
                }
                assertThat(c.get(i, j)).isCloseTo(sum, within(1e-13));
            }
        }
    }

    @Test
    void transposedFactorsGiveTheSameProduct() {
        Matrix a = random(5, 7, 1);
        Matrix b = random(7, 3, 2);
        Matrix aT = new Matrix(7, 5);
        Matrix bT = new Matrix(3, 7);
        for (int k = 0; k < 7; k++) {
            for (int i = 0; i < 5; i++) {
                aT.set(k, i, a.get(i, k));
            }
            for (int j = 0; j < 3; j++) {
                bT.set(j, k, b.get(k, j));
            }
        }
        Matrix c = lapack.product(a, false, b, false);
        Matrix t = lapack.product(aT, true, bT, true);
        for (int i = 0; i < 5; i++) {
            for (int j = 0; j < 3; j++) {
                assertThat(t.get(i, j)).isCloseTo(c.get(i, j), within(1e-13));
            }
        }
    }

    @Test
    void aSquareIsTheProductWithItsTranspose() {
        Matrix a = random(6, 4, 3);
        for (boolean transposed : new boolean[] {false, true}) {
            int size = transposed ? 4 : 6;
            Matrix c = new Matrix(size, size);
            lapack.addSquare(2, a, transposed, 0, c);
            Lapack.mirror(c);
            Matrix expected = transposed ? lapack.product(a, true, a, false) : lapack.product(a, false, a, true);
            for (int i = 0; i < size; i++) {
                for (int j = 0; j < size; j++) {
                    assertThat(c.get(i, j)).isCloseTo(2 * expected.get(i, j), within(1e-12));
                }
            }
        }
    }

    @Test
    void eigenvectorsRebuildTheMatrix() {
        int size = 31;
        Matrix a = new Matrix(size, size);
        lapack.addSquare(1, random(size, size, 4), false, 0, a);
        Lapack.mirror(a);
        Eigen eigen = lapack.eigen(a.copy(), true);
        Matrix q = eigen.vectors().orElseThrow();
        assertThat(eigen.values()).isSorted();
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                double sum = 0;
                for (int k = 0; k < size; k++) {
                    sum += eigen.values()[k] * q.get(k, i) * q.get(k, j);
                }
                assertThat(sum).isCloseTo(a.get(i, j), within(1e-11));
            }
        }
        assertThat(lapack.eigen(a, false).values())
                .usingComparatorWithPrecision(1e-10)
                .containsExactly(eigen.values());
    }

    @Test
    void repeatsBitForBitWithTwoThreads() {
        Matrix a = new Matrix(300, 300);
        Lapack two = new Lapack(2);
        two.addSquare(1, random(300, 300, 5), false, 0, a);
        Lapack.mirror(a);
        assertThat(two.eigen(a.copy(), true).values())
                .isEqualTo(two.eigen(a.copy(), true).values());
    }

    @Test
    void refusesWhatDoesNotFit() {
        Matrix a = new Matrix(2, 3);
        assertThatThrownBy(() -> lapack.product(a, false, a, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("matrix 2 x 3 times matrix 2 x 3");
        assertThatThrownBy(() -> lapack.eigen(a, false)).hasMessageContaining("square matrix, found matrix 2 x 3");
        assertThatThrownBy(() -> lapack.addSquare(1, a, true, 0, new Matrix(2, 2)))
                .hasMessageContaining("3 x 3");
        assertThatThrownBy(() -> new Matrix(0, 3)).hasMessageContaining("0 x 3");
        assertThatThrownBy(() -> new Lapack(0)).hasMessageContaining("threads");
    }

    @Test
    void aValueThatIsNotFiniteIsNamed() {
        Matrix a = Matrix.of(2, 2, 1, Double.NaN, Double.NaN, 1);
        assertThatThrownBy(() -> lapack.eigen(a, false))
                .isInstanceOf(ArithmeticException.class)
                .hasMessageContaining("matrix 2 x 2");
    }
}
