package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.metrics.GenerationForecast.Known;
import dev.rote.metrics.GenerationForecast.Point;
import dev.rote.metrics.GenerationForecast.Prior;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GenerationForecastTest {
    private static final LogNormal FAR = new LogNormal(Math.log(1e7), 0.1);
    private static final double DEVIATION = Math.sqrt(2) * Prior.RECORDED.scatter(); // of two runs' difference

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
        double expected = 500 * Math.pow(16, Prior.RECORDED.exponent());
        assertThat(found.time().value()).isCloseTo(expected, within(0.01 * expected));
        double deviation = Math.hypot(DEVIATION, Prior.RECORDED.deviation() * Math.log(16));
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
            double a = Prior.RECORDED.exponent() + Prior.RECORDED.deviation() * random.nextGaussian();
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

    /// One run of the same size: ln tau is normal with twice the variance of a run, as far as tau_mem lets it.
    @Test
    void aScoreIsTheLogarithmOfWhatWasSaid() {
        List<Point> points = List.of(exact(64, 500));
        for (double tau : new double[] {100, 500, 3000}) {
            double z = Math.log(tau / 500) / DEVIATION;
            double density = -0.5 * z * z - Math.log(DEVIATION * Math.sqrt(2 * Math.PI));
            assertThat(score(points, exact(64, tau))).isCloseTo(density, within(0.01));
            double later = NormalTail.log(z);
            assertThat(score(points, new Point(64, tau, Known.AT_LEAST))).isCloseTo(later, within(0.01));
            double sooner = NormalTail.log(-z);
            assertThat(score(points, new Point(64, tau, Known.AT_MOST))).isCloseTo(sooner, within(0.01));
        }
        assertThat(score(points, exact(64, 1e12))).isFinite().isLessThan(-500);
    }

    /// The score is proper: what the runs were drawn from scores highest in the mean.
    @Test
    void thePriorThatTheRunsFollowScoresHighest() {
        Prior own = new Prior(0.4, 0.3, 0.5);
        List<Prior> others = List.of(
                new Prior(0, 0.3, 0.5), new Prior(0.8, 0.3, 0.5), new Prior(0.4, 0.3, 0.25), new Prior(0.4, 0.3, 1));
        Random random = new Random(3);
        double best = 0;
        double[] sums = new double[others.size()];
        for (int i = 0; i < 400; i++) {
            double a = own.exponent() + own.deviation() * random.nextGaussian();
            List<Point> points = List.of(exact(64, draw(6 + a * Math.log(64.0 / 1024), random)));
            Point truth = exact(1024, draw(6, random));
            best += GenerationForecast.score(points, 1024, FAR, own, truth);
            for (int j = 0; j < sums.length; j++) {
                sums[j] += GenerationForecast.score(points, 1024, FAR, others.get(j), truth);
            }
        }
        assertThat(sums).hasSize(4);
        for (double sum : sums) {
            assertThat(sum).isLessThan(best - 4);
        }
    }

    private static double score(List<Point> points, Point truth) {
        return GenerationForecast.score(points, truth.n(), FAR, Prior.RECORDED, truth);
    }

    private static double draw(double level, Random random) {
        return Math.exp(level + Prior.RECORDED.scatter() * random.nextGaussian());
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
        assertThatThrownBy(() -> GenerationForecast.of(List.of(exact(64, 500)), 0, FAR))
                .hasMessageContaining("positive n");
        assertThatThrownBy(() -> new Prior(0, 0, 1)).hasMessageContaining("positive deviation");
    }
}
