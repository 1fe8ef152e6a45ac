package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class KMeansTest {
    private static final int DIMENSION = 19; // no multiple of a vector

    /// Cells are those of the exact search among the centres, ties included, whatever the number of threads.
    @Test
    void cellsAreTheNearestCentres() throws InterruptedException {
        Rows rows = clouds(700, 4);
        for (int cells : new int[] {1, 3, 7}) {
            KMeans fitted = KMeans.fit(rows, cells, 5, 2);
            int[] nearest =
                    NearestNeighbours.search(rows, fitted.centres(), 1, 1).indices();
            assertThat(fitted.cells(rows, 1)).isEqualTo(nearest);
            assertThat(fitted.cells(rows, 3)).isEqualTo(nearest);
            assertThat(KMeans.fit(rows, cells, 5, 1)
                            .centres()
                            .values()
                            .mismatch(fitted.centres().values()))
                    .isEqualTo(-1);
        }
        Rows equal = Rows.of(new float[5 * DIMENSION], DIMENSION);
        assertThat(KMeans.fit(equal, 2, 0, 2).cells(equal, 2)).containsOnly(0);
    }

    /// Centres are the means of their rows: clouds far apart are found, each with its own mean.
    @Test
    void centresAreTheMeansOfTheirCells() throws InterruptedException {
        Rows rows = clouds(800, 4);
        KMeans fitted = KMeans.fit(rows, 4, 1, 2);
        int[] cells = fitted.cells(rows, 2);
        assertThat(IntStream.range(0, 4).map(i -> cells[i]).distinct().count()).isEqualTo(4);
        for (int column = 0; column < DIMENSION; column++) {
            double sum = 0;
            for (int row = 0; row < rows.count(); row += 4) {
                assertThat(cells[row]).isEqualTo(cells[0]);
                sum += rows.at(row, column);
            }
            assertThat(fitted.centres().at(cells[0], column)).isEqualTo((float) (sum / 200));
        }
    }

    @Test
    void rowsThatAreNotFiniteAreRefused() {
        float[] values = new float[3 * DIMENSION];
        values[2 * DIMENSION + 1] = Float.NaN;
        assertThatThrownBy(() -> KMeans.fit(Rows.of(values, DIMENSION), 2, 0, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("row 2, column 1");
    }

    /// Row i lies around the centre i % clouds, 20 away from the others, with deviation 1.
    private static Rows clouds(int count, int clouds) {
        Random random = new Random(3);
        float[] values = new float[count * DIMENSION];
        for (int i = 0; i < values.length; i++) {
            int row = i / DIMENSION;
            float centre = i % DIMENSION % clouds == row % clouds ? 20 : 0;
            values[i] = centre + (float) random.nextGaussian();
        }
        return Rows.of(values, DIMENSION);
    }
}
