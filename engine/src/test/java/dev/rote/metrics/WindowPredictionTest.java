package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.metrics.WindowPrediction.Point;
import dev.rote.metrics.WindowPrediction.Prior;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class WindowPredictionTest {
    private static final double[] SIZES = {16, 24, 36};

    @Test
    void aWidePriorGivesLeastSquares() {
        double[] tau = {300, 500, 700};
        List<Point> points = new ArrayList<>();
        for (int i = 0; i < SIZES.length; i++) {
            points.add(new Point(SIZES[i], tau[i], 0));
        }
        PowerLawFit fit = PowerLawFit.of(SIZES, tau, 0.95);
        WindowPrediction found = WindowPrediction.of(points, new Prior(1, 1e4), 0.1);
        assertThat(found.slope()).isCloseTo(fit.exponent().value(), within(1e-5));
        assertThat(found.at(1000).value())
                .isCloseTo(fit.line(1000).value(), within(1e-3 * fit.line(1000).value()));
    }

    @Test
    void aNarrowPriorGivesItsExponentAndTheMeanOfTheRuns() {
        List<Point> points = List.of(new Point(10, 100, 0), new Point(20, 400, 0)); // slope 2
        WindowPrediction found = WindowPrediction.of(points, new Prior(1, 1e-6), 0.1);
        assertThat(found.slope()).isCloseTo(1, within(1e-6));
        // ln tau - ln n has the mean ln sqrt(10 * 20)
        assertThat(found.at(1000).value()).isCloseTo(1000 * Math.sqrt(200), within(1.0));
    }

    @Test
    void aWorseKnownRunWeighsLess() {
        List<Point> points = List.of(new Point(10, 100, 0), new Point(10, 200, 2));
        assertThat(WindowPrediction.of(points, Prior.MEMORIZATION, 0.1).at(10).value())
                .isBetween(99.0, 103.0);
    }

    @Test
    void itsIntervalHoldsANewRunInNineteenOfTwenty() {
        Random random = new Random(4);
        int held = 0;
        int trials = 2000;
        for (int trial = 0; trial < trials; trial++) {
            double slope = Prior.MEMORIZATION.mean() + Prior.MEMORIZATION.deviation() * random.nextGaussian();
            List<Point> points = new ArrayList<>();
            for (double n : SIZES) {
                double error = 0.15 * Math.hypot(random.nextGaussian(), 0) * Math.signum(random.nextDouble() - 0.5);
                double own = 0.2 * random.nextGaussian();
                points.add(new Point(n, Math.exp(3 + slope * Math.log(n + 16) + error + own), 0.2));
            }
            double truth = Math.exp(3 + slope * Math.log(1024 + 16) + 0.15 * random.nextGaussian());
            held += WindowPrediction.of(points, Prior.MEMORIZATION, 0.15)
                            .at(1024)
                            .contains(truth)
                    ? 1
                    : 0;
        }
        assertThat((double) held / trials).isBetween(0.935, 0.965); // three deviations of the binomial
    }

    /// tau = 20 (n + 30).
    @Test
    void anOffsetStraightensALawThatBends() {
        List<Point> points = List.of(new Point(10, 800, 0), new Point(40, 1400, 0), new Point(100, 2600, 0));
        WindowPrediction bent = WindowPrediction.of(points, new Prior(1, 10), 0.1);
        WindowPrediction straight = WindowPrediction.of(points, new Prior(1, 10, 30), 0.1);
        assertThat(bent.at(1000).value()).isLessThan(0.5 * 20 * 1030);
        assertThat(straight.at(1000).value()).isCloseTo(20 * 1030, within(1.0));
        assertThat(straight.slope()).isCloseTo(1, within(1e-4));
    }

    @Test
    void badArgumentsAreRefused() {
        assertThatThrownBy(() -> new Point(0, 1, 0)).hasMessageContaining("positive n");
        assertThatThrownBy(() -> new Prior(1, 0)).hasMessageContaining("positive deviation");
        assertThatThrownBy(() -> new Prior(1, 1, -1)).hasMessageContaining("offset of 0 or more");
        assertThatThrownBy(() -> WindowPrediction.of(List.of(), Prior.MEMORIZATION, 0.1))
                .hasMessageContaining("expected runs");
    }
}
