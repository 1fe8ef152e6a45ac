package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.metrics.MemorizationOnset.Count;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class MemorizationOnsetTest {
    private static final int SAMPLES = 64;

    private static double fraction(double step, double tau, double slope) {
        return 1 / (1 + 99 * Math.pow(step / tau, -slope)); // 1 % at tau
    }

    private static List<Count> curve(double tau, double slope, double until, Random random) {
        List<Count> counts = new ArrayList<>();
        for (int i = 0; ; i++) {
            double step = Math.rint(50 * Math.pow(10, i / 16.0));
            if (step > until) {
                return counts;
            }
            int copies = 0;
            for (int j = 0; j < SAMPLES; j++) {
                copies += random.nextDouble() < fraction(step, tau, slope) ? 1 : 0;
            }
            counts.add(new Count(step, copies, SAMPLES));
        }
    }

    /// With exact shares there is one answer whatever the prior says.
    @Test
    void manyExactSharesGiveTheStep() {
        List<Count> counts = new ArrayList<>();
        for (double step : new double[] {500, 1000, 1500, 2000, 3000}) {
            int samples = 10_000_000;
            counts.add(new Count(step, (int) Math.round(samples * fraction(step, 1234, 3.5)), samples));
        }
        Interval found = MemorizationOnset.of(counts, 0.01).interval();
        assertThat(found.value()).isBetween(1234 * 0.98, 1234 * 1.02);
        assertThat(found.high() / found.low()).isLessThan(1.05);
    }

    @Test
    void itsNinetyPerCentIntervalHoldsTheStepInNineOfTenRuns() {
        Random random = new Random(11);
        int held = 0;
        int runs = 300;
        for (int run = 0; run < runs; run++) {
            double tau = 1000 * Math.exp(random.nextDouble());
            // Slopes as the prior has them.
            double slope = 3.5 * Math.exp(0.4 * Math.clamp(random.nextGaussian(), -2, 2));
            List<Count> counts = curve(tau, slope, 1.6 * tau, random);
            held += MemorizationOnset.of(counts, 0.01).interval().contains(tau) ? 1 : 0;
        }
        assertThat((double) held / runs).isBetween(0.84, 0.96); // binomial: 0.9 +- 0.035 at two deviations
    }

    @Test
    void probabilityAndQuantileAreInverse() {
        MemorizationOnset onset = MemorizationOnset.of(curve(800, 4, 1500, new Random(3)), 0.01);
        for (double p : new double[] {0.02, 0.1, 0.5, 0.9, 0.98}) {
            assertThat(onset.passed(onset.quantile(p))).isBetween(p - 1e-9, p + 1e-9);
        }
        assertThat(onset.passed(1e-3)).isZero();
        assertThat(onset.passed(1e9)).isBetween(1 - 1e-12, 1 + 1e-12);
    }

    @Test
    void withoutACopyTheStepLiesMostProbablyAhead() {
        List<Count> counts = List.of(new Count(100, 0, 64), new Count(200, 0, 64), new Count(400, 0, 64));
        MemorizationOnset onset = MemorizationOnset.of(counts, 0.01);
        assertThat(onset.passed(400)).isLessThan(0.35);
        // Many samples without a copy leave no doubt.
        MemorizationOnset sure = MemorizationOnset.of(List.of(new Count(400, 0, 100_000)), 0.01);
        assertThat(sure.passed(400)).isLessThan(1e-3);
    }

    @Test
    void badArgumentsAreRefused() {
        assertThatThrownBy(() -> new Count(0, 0, 1)).hasMessageContaining("positive step");
        assertThatThrownBy(() -> new Count(1, 2, 1)).hasMessageContaining("2 among 1");
        assertThatThrownBy(() -> MemorizationOnset.of(List.of(), 0.01)).hasMessageContaining("expected counts");
        assertThatThrownBy(() -> MemorizationOnset.of(List.of(new Count(1, 0, 1)), 1))
                .hasMessageContaining("level between 0 and 1");
    }
}
