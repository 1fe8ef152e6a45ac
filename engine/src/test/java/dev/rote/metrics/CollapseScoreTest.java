package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CollapseScoreTest {
    private static final double[] LEVELS = {0.1, 0.5};

    /// Curves of tau / n^1.2, each moved by its own factor.
    private static List<Curve> curves(double[] n, double scatter, long seed) {
        Random random = new Random(seed);
        List<Curve> curves = new ArrayList<>();
        for (double images : n) {
            double scale = Math.pow(images, 1.2) * Math.exp(scatter * random.nextGaussian());
            double[] steps = new double[40];
            double[] values = new double[40];
            for (int i = 0; i < steps.length; i++) {
                steps[i] = 10 * Math.pow(10, i / 8.0);
                values[i] = steps[i] / (steps[i] + 100 * scale);
            }
            curves.add(Curve.of(steps, values));
        }
        return curves;
    }

    @Test
    void drawnAgainTheRunsGiveTheExponentItsInterval() {
        double[] n = new double[16];
        for (int i = 0; i < n.length; i++) {
            n[i] = 16 << i % 4;
        }
        Bootstrap bootstrap = new Bootstrap(200, 0.95, 1);
        Interval exact = CollapseScore.exponentByBootstrap(curves(n, 0, 1), n, LEVELS, bootstrap)
                .orElseThrow();
        assertThat(exact.value()).isCloseTo(1.2, within(0.02));
        int covered = 0;
        for (int study = 0; study < 100; study++) {
            Interval found = CollapseScore.exponentByBootstrap(curves(n, 0.3, 10 + study), n, LEVELS, bootstrap)
                    .orElseThrow();
            assertThat(found.high() - found.low()).isBetween(0.05, 0.8);
            covered += found.contains(1.2) ? 1 : 0;
        }
        assertThat(covered).isBetween(82, 99);
    }

    @Test
    void oneSizeHasNoExponent() {
        double[] n = {8, 8};
        assertThat(CollapseScore.exponentByBootstrap(curves(n, 0.1, 1), n, LEVELS, new Bootstrap(10, 0.95, 1)))
                .isEmpty();
    }
}
