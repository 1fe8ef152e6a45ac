package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.metrics.GenerationForecast.Known;
import dev.rote.metrics.GenerationForecast.Point;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GenerationForecastTest {
    private static final LogNormal FAR = new LogNormal(Math.log(1e7), 0.1);
    private static final double DEVIATION = Math.sqrt(2) * GenerationForecast.SCATTER; // of two runs' difference

    /// Of the same size: ln tau has the mean of the run and twice its variance.
    @Test
    void aRunOfTheSameSizeIsTheForecast() {
        GenerationForecast found = GenerationForecast.of(List.of(exact(64, 500)), 64, FAR);
        assertThat(found.time().value()).isCloseTo(500, within(1.0));
        double margin = Math.exp(Interval.NORMAL_975 * DEVIATION);
        assertThat(found.time().low()).isCloseTo(500 / margin, within(0.01 * 500 / margin));
        assertThat(found.time().high()).isCloseTo(500 * margin, within(0.01 * 500 * margin));
        assertThat(found.open()).isCloseTo(1, within(1e-4));
    }

    @Test
    void theLawIsContinuedByThePrior() {
        GenerationForecast found = GenerationForecast.of(List.of(exact(64, 500)), 1024, FAR);
        double expected = 500 * Math.pow(16, GenerationForecast.EXPONENT);
        assertThat(found.time().value()).isCloseTo(expected, within(0.01 * expected));
        double deviation = Math.hypot(DEVIATION, GenerationForecast.EXPONENT_DEVIATION * Math.log(16));
        assertThat(Math.log(found.time().high() / found.time().low()))
                .isCloseTo(2 * Interval.NORMAL_975 * deviation, within(0.01));
    }

    /// tau_mem is known to be 1,000: what is later falls away, and the window is as likely as the rest allows.
    @Test
    void tauGenIsBeforeTauMem() {
        LogNormal tauMem = new LogNormal(Math.log(1000), 1e-3);
        GenerationForecast found = GenerationForecast.of(List.of(exact(64, 1000)), 64, tauMem);
        assertThat(found.time().high()).isBetween(950.0, 1011.0);
        // the lower half of a normal distribution: its median is at 0.6745 deviations
        double median = 1000 * Math.exp(-0.67448975 * DEVIATION);
        assertThat(found.time().value()).isCloseTo(median, within(0.02 * median));
        double open = 2 * NormalTail.probability(Math.log(GenerationForecast.OPEN) / DEVIATION);
        assertThat(found.open()).isCloseTo(open, within(0.02));
    }

    @Test
    void boundsLeaveTheirSideOpen() {
        LogNormal tauMem = new LogNormal(Math.log(50_000), 0.2);
        GenerationForecast later = GenerationForecast.of(List.of(new Point(64, 500, Known.AT_LEAST)), 64, tauMem);
        assertThat(later.time().low()).isBetween(250.0, 1000.0);
        assertThat(later.time().high()).isBetween(25_000.0, 70_000.0);
        GenerationForecast sooner = GenerationForecast.of(List.of(new Point(64, 500, Known.AT_MOST)), 64, tauMem);
        assertThat(sooner.time().low()).isBetween(1.0, 3.0);
        assertThat(sooner.time().high()).isBetween(250.0, 1500.0);
        GenerationForecast between = GenerationForecast.of(
                List.of(new Point(64, 500, Known.AT_LEAST), new Point(64, 4000, Known.AT_MOST)), 64, tauMem);
        assertThat(between.time().value()).isCloseTo(Math.sqrt(500 * 4000), within(20.0));
    }

    /// Levels are drawn evenly over ln tau, as the flat prior has it; runs that copy first give bounds.
    @Test
    void itsIntervalHoldsANewRunInNineteenOfTwenty() {
        Random random = new Random(7);
        int held = 0;
        int trials = 0;
        double said = 0;
        int open = 0;
        while (trials < 1000) {
            double level = random.nextDouble() * Math.log(150_000);
            double a = GenerationForecast.EXPONENT + GenerationForecast.EXPONENT_DEVIATION * random.nextGaussian();
            double truth = draw(level, random);
            LogNormal tauMem = new LogNormal(Math.log(10_000), 0.3);
            double end = Math.exp(tauMem.mean() + tauMem.deviation() * random.nextGaussian());
            if (truth > end) {
                continue; // is looked for before tau_mem
            }
            List<Point> points = new ArrayList<>();
            for (double n : new double[] {32, 64}) {
                double tau = draw(level + a * Math.log(n / 1024), random);
                double limit = 10 * n;
                points.add(
                        tau < 30
                                ? new Point(n, 30, Known.AT_MOST)
                                : tau > limit ? new Point(n, limit, Known.AT_LEAST) : exact(n, tau));
            }
            GenerationForecast found = GenerationForecast.of(points, 1024, tauMem);
            trials++;
            held += found.time().contains(truth) ? 1 : 0;
            said += found.open();
            open += end >= GenerationForecast.OPEN * truth ? 1 : 0;
        }
        assertThat((double) held / trials).isBetween(0.929, 0.971); // three deviations of the binomial
        assertThat(said / trials).isCloseTo((double) open / trials, within(0.03));
    }

    private static double draw(double level, Random random) {
        return Math.exp(level + GenerationForecast.SCATTER * random.nextGaussian());
    }

    private static Point exact(double n, double tau) {
        return new Point(n, tau, Known.EXACT);
    }

    @Test
    void theNormalTailIsThatOfTables() {
        assertThat(NormalTail.probability(0)).isCloseTo(0.5, within(1e-15));
        assertThat(NormalTail.probability(1.959963984540054)).isCloseTo(0.025, within(1e-14));
        assertThat(NormalTail.probability(-1.959963984540054)).isCloseTo(0.975, within(1e-14));
        assertThat(NormalTail.probability(6)).isCloseTo(9.865876450377018e-10, within(1e-20));
        assertThat(NormalTail.probability(-20)).isEqualTo(1);
        assertThat(NormalTail.log(40)).isCloseTo(-804.6084420137538, within(1e-9));
    }

    @Test
    void badArgumentsAreRefused() {
        assertThatThrownBy(() -> new Point(0, 1, Known.EXACT)).hasMessageContaining("positive n");
        assertThatThrownBy(() -> new Point(1, 0.5, Known.EXACT)).hasMessageContaining("1 update or more");
        assertThatThrownBy(() -> GenerationForecast.of(List.of(), 64, FAR)).hasMessageContaining("expected runs");
    }
}
