package dev.rote.theory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.function.DoubleBinaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScalarsTest {
    /// The reference table for tanh and variance 1, to three digits and better.
    @ParameterizedTest
    @CsvSource({
        "0.001, 0.001998, 0.605706, 0.027074, 0.027221, 0.000194",
        "0.01,  0.019801, 0.605706, 0.085233, 0.025542, 0.001874",
        "0.1,   0.181269, 0.605706, 0.257884, 0.013841, 0.013574"
    })
    void agreesWithTheReferenceTable(double t, double delta, double a, double b, double v2, double s2) {
        Scalars found = Scalars.of(Activation.TANH, t, 1);
        assertThat(found.delta()).isCloseTo(delta, within(6e-7));
        assertThat(found.a()).isCloseTo(a, within(6e-7));
        assertThat(found.mu1()).isCloseTo(a, within(6e-7));
        assertThat(found.b()).isCloseTo(b, within(6e-7));
        assertThat(found.v2()).isCloseTo(v2, within(6e-7));
        assertThat(found.s2()).isCloseTo(s2, within(6e-7));
    }

    /// The definitions as they stand, with two and three Gaussian variables, by adaptive Simpson integration.
    @ParameterizedTest
    @CsvSource({"tanh, 0.01, 1", "tanh, 0.1, 1", "tanh, 0.5, 4", "erf, 0.1, 0.25", "sine, 0.2, 1", "arctan, 0.1, 1"})
    void agreesWithTheDefinitionsByAnotherQuadrature(String name, double t, double variance) {
        Activation sigma = Activation.known().stream()
                .filter(known -> known.name().equals(name))
                .findFirst()
                .orElseThrow();
        double delta = 1 - Math.exp(-2 * t);
        double signal = Math.exp(-t) * Math.sqrt(variance);
        double noise = Math.sqrt(delta);
        double gamma = Math.sqrt(signal * signal + delta);
        DoubleBinaryOperator h = (u, v) -> sigma.at(signal * u + noise * v);
        double b = Simpson.mean(u -> Simpson.mean(v -> v * h.applyAsDouble(u, v), 1e-10), 1e-9);
        double a = Simpson.mean(u -> u * Simpson.mean(v -> h.applyAsDouble(u, v), 1e-10), 1e-9) / signal;
        double shared = Simpson.mean(u -> Math.pow(Simpson.mean(v -> h.applyAsDouble(u, v), 1e-10), 2), 1e-9);
        double power = Simpson.mean(z -> Math.pow(sigma.at(gamma * z), 2), 1e-11);
        double mu1 = Simpson.mean(z -> z * sigma.at(gamma * z), 1e-11);
        double v2 = shared - a * a * signal * signal;
        Scalars found = Scalars.of(sigma, t, variance);
        assertThat(found.b()).isCloseTo(b, within(1e-7));
        assertThat(found.a()).isCloseTo(a, within(1e-7));
        assertThat(found.mu1()).isCloseTo(mu1, within(1e-7));
        assertThat(found.v2()).isCloseTo(v2, within(1e-7));
        assertThat(found.s2()).isCloseTo(power - a * a * signal * signal - v2 - b * b, within(1e-7));
        assertThat(found.gamma2()).isCloseTo(gamma * gamma, within(1e-14));
    }

    /// Nothing but the linear part is left of a linear activation.
    @Test
    void aLinearActivationHasNoNonlinearPart() {
        Scalars found = Scalars.of(new Activation("linear", x -> 0.5 * x), 0.3, 2);
        assertThat(found.a()).isCloseTo(0.5, within(1e-12));
        assertThat(found.v2()).isCloseTo(0, within(1e-12));
        assertThat(found.s2()).isCloseTo(0, within(1e-12));
    }

    @Test
    void quadratureIsExactForMomentsOfTheNormalDistribution() {
        GaussHermite normal = new GaussHermite(16);
        assertThat(normal.mean(z -> 1)).isCloseTo(1, within(1e-13));
        assertThat(normal.mean(z -> Math.pow(z, 4))).isCloseTo(3, within(1e-11));
        assertThat(normal.mean(z -> Math.pow(z, 10))).isCloseTo(945, within(1e-8));
        assertThat(new GaussHermite(1).mean(z -> z * z)).isCloseTo(0, within(1e-15));
    }

    /// Abramowitz & Stegun, table 7.1.
    @Test
    void theErrorFunctionHasItsKnownValues() {
        assertThat(Activation.erf(0)).isZero();
        assertThat(Activation.erf(0.5)).isCloseTo(0.5204998778130465, within(1e-15));
        assertThat(Activation.erf(-1)).isCloseTo(-0.8427007929497149, within(1e-15));
        assertThat(Activation.erf(3)).isCloseTo(0.9999779095030014, within(1e-15));
        assertThat(Activation.erf(7)).isEqualTo(1);
    }

    @Test
    void refusesAnActivationWithAGaussianMean() {
        assertThatThrownBy(() -> Scalars.of(new Activation("relu", x -> Math.max(x, 0)), 0.1, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("activation relu: expected a Gaussian mean of zero")
                .hasMessageContaining("found 0.39");
    }

    @Test
    void refusesTimesAndVariancesThatAreNone() {
        assertThatThrownBy(() -> Scalars.of(Activation.TANH, 0, 1)).hasMessageContaining("found 0.0 and 1.0");
        assertThatThrownBy(() -> Scalars.of(Activation.TANH, 0.1, -1)).hasMessageContaining("found 0.1 and -1.0");
        assertThatThrownBy(() -> Scalars.of(Activation.TANH, Double.NaN, 1)).hasMessageContaining("NaN");
    }
}
