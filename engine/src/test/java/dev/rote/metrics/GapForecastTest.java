package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.metrics.GapForecast.Small;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GapForecastTest {
    /// ln(1 + (step / clock)^2) with an origin of its own, from clock / 30 to `share` of the clock.
    private static GapCurve curve(double clock, double share, double origin) {
        List<GapCurve.Look> looks = new ArrayList<>();
        for (double step = clock / 30; step <= share * clock; step *= 1.05) {
            looks.add(new GapCurve.Look(step, origin + Math.log1p(Math.pow(step / clock, 2))));
        }
        return GapCurve.of(looks);
    }

    @Test
    void aGapStaysFromItsLastRiseOn() {
        GapCurve curve = GapCurve.of(List.of(
                new GapCurve.Look(10, 0.5),
                new GapCurve.Look(20, 0.7),
                new GapCurve.Look(40, 1.0),
                new GapCurve.Look(80, 0.65),
                new GapCurve.Look(160, 1.05),
                new GapCurve.Look(320, 1.2)));
        // The origin is 0.6: the gap is -0.1, 0.1, 0.4, 0.05, 0.45, 0.6.
        assertThat(curve.stays(0.25).orElseThrow()).isCloseTo(80 * Math.sqrt(2), within(1e-9));
        assertThat(curve.stays(0.6).orElseThrow()).isCloseTo(320, within(1e-9));
        assertThat(curve.stays(0.61)).isEmpty();
        assertThat(curve.end()).isEqualTo(320);
        assertThat(GapCurve.of(List.of()).stays(0.1)).isEmpty();
        assertThat(GapCurve.of(List.of()).end()).isZero();
        assertThatThrownBy(() -> curve.stays(0)).hasMessageContaining("positive level");
        assertThatThrownBy(() -> GapCurve.of(List.of(new GapCurve.Look(2, 0), new GapCurve.Look(2, 1))))
                .hasMessageContaining("growing steps");
        assertThatThrownBy(() -> new GapCurve.Look(0, 1)).hasMessageContaining("positive step");
    }

    @Test
    void runsWhoseGapsGrowAlikeGiveTheirCommonRatio() {
        List<Small> small = new ArrayList<>();
        for (int n : new int[] {16, 32, 64}) {
            small.add(new Small(n, 20.0 * n, 0.1, curve(20.0 * n, 1.4, 0.03 * n)));
        }
        Interval found = GapForecast.of(small, curve(20 * 64, 0.6, -0.1), 64)
                .orElseThrow()
                .interval();
        assertThat(found.value()).isBetween(20 * 64 * 0.95, 20 * 64 * 1.1);
        assertThat(found.high() / found.low()).isBetween(2.6, 4.0);
    }

    /// Where the losses part at s, tau_mem is s n^0.2: the small runs show it, and the forecast continues it.
    @Test
    void aRatioThatGrowsWithTheImagesIsContinued() {
        List<Small> small = new ArrayList<>();
        for (int n : new int[] {16, 32, 64, 128, 256}) {
            for (int run = 0; run < 20; run++) {
                small.add(new Small(n, 20.0 * n, 0.1, curve(20 * n / Math.pow(n, 0.2), 3, 0)));
            }
        }
        double clock = 20 * 1024 / Math.pow(1024, 0.2);
        double found = GapForecast.of(small, curve(clock, 1, 0), 1024)
                .orElseThrow()
                .interval()
                .value();
        assertThat(found).isBetween(0.9 * 20 * 1024, 1.1 * 20 * 1024);
    }

    @Test
    void aSmallGapSaysNothing() {
        List<Small> small = List.of(new Small(16, 320, 0.1, curve(320, 1.4, 0)));
        assertThat(GapForecast.of(small, curve(20_000, 0.3, 0), 1024)).isEmpty(); // ln 1.09
        assertThat(GapForecast.of(small, curve(20_000, 0.36, 0), 1024)).isPresent(); // ln 1.13
        assertThat(GapForecast.of(List.of(), curve(20_000, 1, 0), 1024)).isEmpty();
    }

    @Test
    void beliefsMultiply() {
        LogNormal both = new LogNormal(1, 0.3).and(new LogNormal(2, 0.6));
        assertThat(both.mean()).isCloseTo((4 * 1 + 2) / 5.0, within(1e-12)); // precisions 4 to 1
        assertThat(both.deviation()).isCloseTo(0.3 * Math.sqrt(0.8), within(1e-12));
        Random random = new Random(7);
        int inside = 0;
        LogNormal prior = new LogNormal(0, 0.5);
        for (int i = 0; i < 4000; i++) {
            double truth = 0.5 * random.nextGaussian();
            double seen = truth + 0.2 * random.nextGaussian();
            inside += prior.and(new LogNormal(seen, 0.2)).interval().contains(Math.exp(truth)) ? 1 : 0;
        }
        assertThat(inside / 4000.0).isBetween(0.94, 0.96);
        assertThat(new LogNormal(1, 0.3).times(Math.E)).isEqualTo(new LogNormal(2, 0.3));
        assertThatThrownBy(() -> new LogNormal(0, 0)).hasMessageContaining("positive deviation");
    }
}
