package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.rote.metrics.CensoredPowerLaw.Time;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CensoredPowerLawTest {
    private static final double[] N = {128, 256, 512, 1024};
    private static final double[] W = {8, 16, 32};

    /// tau = 9600 n / W times scatter, two runs per setting; runs end after `end` updates.
    private static List<Time> runs(double scatter, double end, Random random) {
        List<Time> times = new ArrayList<>();
        for (double n : N) {
            for (double w : W) {
                for (int seed = 0; seed < 2; seed++) {
                    double tau = 9600 * n / w * Math.exp(scatter * random.nextGaussian());
                    times.add(tau < end ? Time.known(tau, n, w) : Time.atLeast(end, n, w));
                }
            }
        }
        return times;
    }

    @Test
    void findsAnExactLawOfTwoVariables() {
        CensoredPowerLaw law =
                CensoredPowerLaw.of(runs(0, Double.MAX_VALUE, new Random(1))).orElseThrow();
        assertThat(law.exponents().get(0).value()).isCloseTo(1, within(1e-10));
        assertThat(law.exponents().get(1).value()).isCloseTo(-1, within(1e-10));
        assertThat(law.prefactor().value()).isCloseTo(9600, within(1e-5));
        assertThat(law.at(2048, 64)).isCloseTo(9600.0 * 32, within(1e-3));
        assertThat(law.known()).isEqualTo(24);
        assertThat(law.bounded()).isZero();
    }

    @Test
    void withoutBoundsItIsTheOrdinaryRegression() {
        Random random = new Random(2);
        double[] n = new double[12];
        double[] tau = new double[12];
        List<Time> times = new ArrayList<>();
        for (int i = 0; i < n.length; i++) {
            n[i] = 16 << i % 4;
            tau[i] = 50 * Math.pow(n[i], 1.2) * Math.exp(0.2 * random.nextGaussian());
            times.add(Time.known(tau[i], n[i]));
        }
        PowerLawFit fit = PowerLawFit.of(n, tau, 0.95);
        CensoredPowerLaw law = CensoredPowerLaw.of(times).orElseThrow();
        assertSame(law.exponents().getFirst(), fit.exponent());
        assertSame(law.prefactor(), fit.prefactor());
        assertThat(law.residual()).isCloseTo(fit.residual(), within(1e-12));
    }

    private static void assertSame(Interval ours, Interval theirs) {
        assertThat(ours.value()).isCloseTo(theirs.value(), within(1e-9 * theirs.value()));
        assertThat(ours.low()).isCloseTo(theirs.low(), within(1e-9 * theirs.value()));
        assertThat(ours.high()).isCloseTo(theirs.high(), within(1e-9 * theirs.value()));
    }

    /// Where slow runs end too early, leaving them out bends the law; as bounds they keep it straight.
    @Test
    void boundsKeepTheExponentsUnbiased() {
        double kept = 0;
        double leftOut = 0;
        int studies = 200;
        for (int i = 0; i < studies; i++) {
            List<Time> times = runs(0.5, 450_000, new Random(100 + i));
            kept += CensoredPowerLaw.of(times)
                            .orElseThrow()
                            .exponents()
                            .getFirst()
                            .value()
                    / studies;
            List<Time> known = times.stream().filter(Time::isKnown).toList();
            leftOut += CensoredPowerLaw.of(known)
                            .orElseThrow()
                            .exponents()
                            .getFirst()
                            .value()
                    / studies;
        }
        assertThat(kept).isCloseTo(1, within(0.03));
        assertThat(leftOut).isLessThan(0.93);
    }

    @Test
    void upperBoundsKeepThemUnbiasedToo() {
        double kept = 0;
        int studies = 200;
        for (int i = 0; i < studies; i++) {
            List<Time> times = runs(0.5, Double.MAX_VALUE, new Random(500 + i)).stream()
                    .map(time -> time.low() < 60_000 ? Time.atMost(60_000, time.x()) : time)
                    .toList();
            kept += CensoredPowerLaw.of(times)
                            .orElseThrow()
                            .exponents()
                            .getFirst()
                            .value()
                    / studies;
        }
        assertThat(kept).isCloseTo(1, within(0.03));
    }

    /// 95 % intervals hold the truth in about 95 % of studies, with and without bounds: 500 studies have a standard
    /// error of 1 %.
    @Test
    void intervalsCoverTheTruth() {
        for (double end : new double[] {Double.MAX_VALUE, 450_000}) {
            int[] covered = new int[2];
            int studies = 500;
            for (int i = 0; i < studies; i++) {
                CensoredPowerLaw law =
                        CensoredPowerLaw.of(runs(0.3, end, new Random(900 + i))).orElseThrow();
                covered[0] += law.exponents().get(0).contains(1) ? 1 : 0;
                covered[1] += law.exponents().get(1).contains(-1) ? 1 : 0;
            }
            assertThat(covered[0] / (double) studies)
                    .as("n, runs end at %s", end)
                    .isBetween(0.92, 0.98);
            assertThat(covered[1] / (double) studies)
                    .as("W, runs end at %s", end)
                    .isBetween(0.92, 0.98);
        }
    }

    /// The likelihood falls in every direction from what was found, whatever it was begun from.
    @Test
    void nothingNearbyIsMoreLikely() {
        for (int i = 0; i < 50; i++) {
            Random random = new Random(700 + i);
            List<Time> times = runs(0.5, 450_000, random).stream()
                    .map(time -> time.low() < 30_000 ? Time.atMost(30_000, time.x()) : time)
                    .toList();
            CensoredRegression far = CensoredRegression.of(runs(2, 1e6, random)).orElseThrow();
            CensoredRegression found =
                    CensoredRegression.of(times, Optional.of(far)).orElseThrow();
            CensoredRegression again = CensoredRegression.of(times).orElseThrow();
            assertThat(found.coefficients()).containsExactly(again.coefficients(), within(1e-7));
            double most = likelihood(times, found.coefficients(), found.sigma(), found);
            for (int k = 0; k < 40; k++) {
                double[] other = found.coefficients().clone();
                for (int j = 0; j < other.length; j++) {
                    other[j] += 1e-2 * random.nextGaussian();
                }
                double sigma = found.sigma() * Math.exp(1e-2 * random.nextGaussian());
                assertThat(likelihood(times, other, sigma, found)).isLessThan(most);
            }
        }
    }

    /// By the definition, with the normal tail as an integral.
    private static double likelihood(List<Time> times, double[] beta, double sigma, CensoredRegression about) {
        double sum = 0;
        for (int i = 0; i < times.size(); i++) {
            Time time = times.get(i);
            double mean = 0;
            for (int j = 0; j < beta.length; j++) {
                mean += beta[j] * about.design()[i][j];
            }
            double z = (Math.log(time.low() > 0 ? time.low() : time.high()) - mean) / sigma;
            sum += time.isKnown()
                    ? -Math.log(sigma) - 0.5 * z * z
                    : Math.log(tail(time.low() > 0 ? z : -z) * Math.sqrt(2 * Math.PI));
        }
        return sum;
    }

    /// Simpson's rule.
    private static double tail(double z) {
        int steps = 2000;
        double width = 12.0 / steps;
        double sum = 0;
        for (int k = 0; k <= steps; k++) {
            double x = z + k * width;
            sum += (k == 0 || k == steps ? 1 : k % 2 == 1 ? 4 : 2) * Math.exp(-0.5 * x * x);
        }
        return sum * width / 3 / Math.sqrt(2 * Math.PI);
    }

    /// On a line with bounds that agree, sigma falls to 0 and the law is the line.
    @Test
    void aLineWithBoundsThatAgreeIsTheLine() {
        List<Time> times = runs(0, 200_000, new Random(3));
        assertThat(times).anyMatch(time -> !time.isKnown());
        CensoredPowerLaw law = CensoredPowerLaw.of(times).orElseThrow();
        assertThat(law.exponents().get(0).value()).isCloseTo(1, within(1e-6));
        assertThat(law.exponents().get(1).value()).isCloseTo(-1, within(1e-6));
        assertThat(law.residual()).isLessThan(1e-6);
    }

    @Test
    void drawnAgainTheRunsGiveAnIntervalOfLikeWidth() {
        List<Time> times = runs(0.3, 450_000, new Random(4));
        Interval regression =
                CensoredPowerLaw.of(times).orElseThrow().exponents().getFirst();
        Interval drawn = CensoredPowerLaw.exponentsByBootstrap(times, new Bootstrap(300, 0.95, 1))
                .orElseThrow()
                .getFirst();
        assertThat(drawn.value()).isEqualTo(regression.value());
        double ratio = (drawn.high() - drawn.low()) / (regression.high() - regression.low());
        assertThat(ratio).isBetween(0.6, 1.5);
    }

    @Test
    void whatTheKnownTimesDoNotDecideIsNoLaw() {
        assertThat(CensoredPowerLaw.of(List.of())).isEmpty();
        List<Time> oneWidth = List.of(Time.known(1, 8, 4), Time.known(2, 16, 4), Time.known(4, 32, 4));
        assertThat(CensoredPowerLaw.of(oneWidth)).isEmpty();
        List<Time> together = List.of(Time.known(1, 8, 4), Time.known(2, 16, 8), Time.known(4, 32, 16));
        assertThat(CensoredPowerLaw.of(together)).isEmpty();
        List<Time> bounds = List.of(Time.known(1, 8), Time.atLeast(2, 16), Time.atLeast(4, 32));
        assertThat(CensoredPowerLaw.of(bounds)).isEmpty();
        CensoredPowerLaw two = CensoredPowerLaw.of(List.of(Time.known(1, 8), Time.known(2, 16)))
                .orElseThrow();
        assertThat(two.exponents().getFirst().value()).isCloseTo(1, within(1e-12));
        assertThat(two.exponents().getFirst().high()).isInfinite();
    }

    @Test
    void timesThatAreNoneAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> Time.known(0, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> Time.known(1, -1));
        assertThatIllegalArgumentException().isThrownBy(() -> new Time(new double[] {1}, 0, Double.POSITIVE_INFINITY));
        assertThatIllegalArgumentException().isThrownBy(() -> new Time(new double[] {1}, 2, 3));
    }

    /// phi/(1 - Phi) from tables: 0.797884560802865 at 0, 1.525135276160981 at 1, 3.283098630386 at 3 on either branch.
    @Test
    void theTailIsExactOnBothBranches() {
        assertThat(NormalTail.hazard(0)).isCloseTo(Math.sqrt(2 / Math.PI), within(1e-15));
        assertThat(NormalTail.hazard(1)).isCloseTo(1.525135276160981, within(1e-12));
        assertThat(NormalTail.hazard(3)).isCloseTo(NormalTail.hazard(Math.nextUp(3.0)), within(1e-11));
        assertThat(NormalTail.hazard(3)).isCloseTo(3.283098630386, within(1e-6));
        assertThat(NormalTail.hazard(40)).isCloseTo(40 + 1 / 40.0, within(1e-4));
        assertThat(NormalTail.hazard(-12)).isCloseTo(0, within(1e-30));
    }
}
