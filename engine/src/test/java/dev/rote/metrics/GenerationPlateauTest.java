package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.OptionalDouble;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GenerationPlateauTest {
    /// 20 (1 + 10^3 / tau): on 1.5 times the plateau at tau = 2000.
    private static Curve curve(double from, double to, double noise, long seed) {
        Random random = new Random(seed);
        int count = (int) Math.round(10 * Math.log10(to / from)) + 1;
        double[] steps = IntStream.range(0, count)
                .mapToDouble(i -> from * Math.pow(10, i / 10.0))
                .toArray();
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = 20 * (1 + 1e3 / steps[i]) * Math.exp(noise * random.nextGaussian());
        }
        return Curve.of(steps, values);
    }

    private static GenerationPlateau of(Curve curve) {
        return GenerationPlateau.of(curve, OptionalDouble.empty(), 1.5).orElseThrow();
    }

    @Test
    void aFallingCurveReachesItsPlateauWhereItShould() {
        GenerationPlateau found = of(curve(10, 1e7, 0, 1));
        assertThat(found.level()).isCloseTo(20, within(0.2));
        assertThat(found.step()).isCloseTo(2000, within(60.0));
        assertThat(found.censored()).isFalse();
        assertThat(found.falling()).isFalse();
        assertThat(found.minimumStep()).isCloseTo(1e7, within(1.0));
    }

    /// One low point among noisy ones does not move it, while it moves the time that is read off the minimum.
    @Test
    void oneLowPointDoesNotMoveIt() {
        Curve noisy = curve(10, 1e6, 0.1, 2);
        double before = of(noisy).step();
        noisy.values()[12] = 15; // at step 158, where the curve is at 147
        assertThat(of(noisy).step()).isEqualTo(before);
        assertThat(TimeScales.generation(noisy, OptionalDouble.empty(), 1.1)
                        .orElseThrow()
                        .step())
                .isLessThan(200);
    }

    @Test
    void boundsAreNamed() {
        assertThat(of(curve(1e4, 1e7, 0, 1)).censored()).isTrue();
        assertThat(of(curve(1, 300, 0, 1)).falling()).isTrue();
        assertThat(GenerationPlateau.of(curve(10, 1e6, 0, 1), OptionalDouble.of(20), 1.5))
                .isEmpty();
    }

    @Test
    void whatComesAfterMemorizationDoesNotCount() {
        Curve curve = curve(10, 1e7, 0, 1);
        for (int i = 0; i < curve.length(); i++) {
            if (curve.steps()[i] > 1e5) {
                curve.values()[i] = 2;
            }
        }
        GenerationPlateau found =
                GenerationPlateau.of(curve, OptionalDouble.of(1e5), 1.5).orElseThrow();
        // the plateau is the curve at 10^4.5, 20 (1 + 0.0316): 1.5 times that is reached at 10^3 / 0.547
        assertThat(found.step()).isCloseTo(1827, within(50.0));
        assertThat(found.minimum()).isGreaterThan(20);
    }
}
