package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.rote.metrics.PhaseBoundary.Copies;
import dev.rote.metrics.PhaseBoundary.Side;
import dev.rote.metrics.PhaseBoundary.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

class PhaseBoundaryTest {
    private static final Bootstrap BOOTSTRAP = new Bootstrap(300, 0.95, 1);
    private static final Bootstrap NONE = new Bootstrap(1, 0.95, 1);
    private static final int SAMPLES = 1_000_000;

    /// f = x / (1 + x) with x = tau / (100 n): f at tau is 1 % at n = tau / (100 * (1/99)) = 0.99 tau.
    private static double share(double tau, double n) {
        double x = tau / (100 * n);
        return x / (1 + x);
    }

    private static Copies copies(DoubleUnaryOperator share, double first, double last, int samples, Random random) {
        List<Double> steps = new ArrayList<>();
        for (double step = first; step <= last * 1.0001; step *= Math.pow(10, 0.1)) {
            steps.add(step);
        }
        int[] hits = new int[steps.size()];
        int[] counts = new int[hits.length];
        for (int i = 0; i < hits.length; i++) {
            double f = share.applyAsDouble(steps.get(i));
            counts[i] = samples;
            if (random == null) {
                hits[i] = (int) Math.round(samples * f);
            } else {
                for (int s = 0; s < samples; s++) {
                    hits[i] += random.nextDouble() < f ? 1 : 0;
                }
            }
        }
        return new Copies(steps.stream().mapToDouble(Double::doubleValue).toArray(), hits, counts);
    }

    private static List<Size> grid(double last, int samples, Random random) {
        List<Size> sizes = new ArrayList<>();
        for (double n = 128; n <= 8192; n *= 2) {
            double images = n;
            sizes.add(new Size(n, List.of(copies(tau -> share(tau, images), 100, last, samples, random))));
        }
        return sizes;
    }

    @Test
    void theBoundaryOfASmoothLawIsWhereFIsAtTheThreshold() {
        for (double threshold : new double[] {0.1, 0.3}) {
            // f = p at n = tau (1 - p) / (100 p)
            double truth = 50_000 * (1 - threshold) / (100 * threshold);
            PhaseBoundary found = PhaseBoundary.at(grid(1e6, SAMPLES, null), 50_000, threshold, NONE);
            assertThat(found.side()).isEqualTo(Side.WITHIN);
            assertThat(found.n()).isBetween(found.below(), found.above());
            // linear between sizes a factor 2 apart: the curve bends, 5 % is what that costs
            assertThat(found.n()).isCloseTo(truth, within(0.05 * truth));
        }
    }

    /// Two measurements of two sizes, by hand: log-interpolated in the step, then in n.
    @Test
    void interpolationEqualsAHandCalculation() {
        double[] steps = {100, 1000};
        Size small = new Size(100, List.of(new Copies(steps, new int[] {0, 40}, new int[] {100, 100})));
        Size large = new Size(400, List.of(new Copies(steps, new int[] {0, 0}, new int[] {100, 100})));
        // at the geometric mean f = 0.2 for n = 100 and 0 for n = 400: 5 % lies at 3/4 of the way in log n
        PhaseBoundary found = PhaseBoundary.at(List.of(small, large), Math.sqrt(1e5), 0.05, BOOTSTRAP);
        assertThat(found.n()).isCloseTo(100 * Math.pow(4, 0.75), within(1e-9));
        assertThat(found.below()).isEqualTo(100);
        assertThat(found.above()).isEqualTo(400);
        PhaseBoundary strict = PhaseBoundary.at(List.of(small, large), 1000, 0, BOOTSTRAP);
        assertThat(strict.n()).isEqualTo(400);
    }

    @Test
    void outsideOfTheMeasuredSizesItIsABound() {
        List<Size> sizes = grid(1e7, SAMPLES, null);
        PhaseBoundary late = PhaseBoundary.at(sizes, 9.9e6, 0.01, NONE);
        assertThat(late.side()).isEqualTo(Side.ABOVE);
        assertThat(late.n()).isEqualTo(8192);
        assertThat(late.interval().high()).isInfinite();
        PhaseBoundary early = PhaseBoundary.at(sizes, 120, 0.01, NONE);
        assertThat(early.side()).isEqualTo(Side.BELOW);
        assertThat(early.n()).isEqualTo(128);
        assertThat(early.interval().low()).isZero();
    }

    /// A run that ended early is known to copy later if it copied at its end, and is unknown otherwise.
    @Test
    void runsThatEndedBeforeTheMomentStandOnlyWhereTheyAreKnown() {
        double[] steps = {100, 1000};
        Size copied = new Size(64, List.of(new Copies(steps, new int[] {0, 30}, new int[] {100, 100})));
        Size clean = new Size(128, List.of(new Copies(steps, new int[] {0, 0}, new int[] {100, 100})));
        Size long256 =
                new Size(256, List.of(new Copies(new double[] {100, 9000}, new int[] {0, 0}, new int[] {100, 100})));
        PhaseBoundary found = PhaseBoundary.at(List.of(copied, clean, long256), 5000, 0.01, BOOTSTRAP);
        assertThat(found.below()).isEqualTo(64);
        assertThat(found.above()).as("n = 128 is unknown at 5000").isEqualTo(256);
        assertThat(PhaseBoundary.at(List.of(clean), 5000, 0.01, BOOTSTRAP).side())
                .isEqualTo(Side.UNKNOWN);
        assertThat(PhaseBoundary.at(List.of(clean), Double.POSITIVE_INFINITY, 0.01, BOOTSTRAP)
                        .side())
                .isEqualTo(Side.BELOW);
        assertThat(PhaseBoundary.at(List.of(clean), 50, 0.01, BOOTSTRAP).side()).isEqualTo(Side.BELOW);
        Size early = new Size(64, List.of(new Copies(steps, new int[] {30, 40}, new int[] {100, 100})));
        assertThat(PhaseBoundary.at(List.of(early), 50, 0.01, BOOTSTRAP).side()).isEqualTo(Side.UNKNOWN);
    }

    /// The interval over samples and seeds holds the boundary that many samples give, in most of 150 noisy studies.
    @Test
    void theIntervalCoversTheTruthUnderNoise() {
        PhaseBoundary exact = PhaseBoundary.at(grid(1e6, SAMPLES, null), 1e5, 0.3, NONE);
        Random random = new Random(3);
        int covered = 0;
        int studies = 150;
        for (int i = 0; i < studies; i++) {
            PhaseBoundary noisy = PhaseBoundary.at(grid(1e6, 200, random), 1e5, 0.3, BOOTSTRAP);
            covered += noisy.interval().contains(exact.n()) ? 1 : 0;
        }
        assertThat(covered / (double) studies).isBetween(0.89, 1.0);
    }

    @Test
    void theMeanOfSeedsCounts() {
        double[] steps = {100, 1000};
        Copies none = new Copies(steps, new int[] {0, 0}, new int[] {100, 100});
        Copies some = new Copies(steps, new int[] {0, 40}, new int[] {100, 100});
        PhaseBoundary found = PhaseBoundary.at(
                List.of(new Size(10, List.of(some, none)), new Size(1000, List.of(none, none))), 1000, 0.05, BOOTSTRAP);
        assertThat(found.n()).isCloseTo(10 * Math.pow(100, 0.75), within(1e-9));
        assertThat(found.interval().low()).as("both seeds without copies").isZero();
    }

    @Test
    void aBrokenOrderIsPooled() {
        assertThat(PhaseBoundary.falling(new double[] {0.5, 0.1, 0.3, 0}, new double[] {1, 1, 1, 1}))
                .containsExactly(0.5, 0.2, 0.2, 0);
        assertThat(PhaseBoundary.falling(new double[] {0, 0.4}, new double[] {3, 1}))
                .containsExactly(new double[] {0.1, 0.1}, within(1e-12));
        assertThat(PhaseBoundary.falling(new double[] {0.1, 0.2, 0.3}, new double[] {1, 1, 1}))
                .containsExactly(new double[] {0.2, 0.2, 0.2}, within(1e-12));
    }

    @Test
    void sizesMustGrow() {
        Copies run = new Copies(new double[] {1}, new int[] {0}, new int[] {1});
        List<Size> sizes = List.of(new Size(8, List.of(run)), new Size(8, List.of(run)));
        assertThatIllegalArgumentException().isThrownBy(() -> PhaseBoundary.at(sizes, 1, 0, BOOTSTRAP));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Copies(new double[] {1}, new int[] {2}, new int[] {1}));
    }
}
