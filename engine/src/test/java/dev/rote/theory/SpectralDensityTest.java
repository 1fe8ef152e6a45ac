package dev.rote.theory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.rote.device.linalg.Lapack;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpectralDensityTest {
    private static final Scalars SMALL_TIME = Scalars.of(Activation.TANH, 0.01, 1);
    private static final Spectrum IDENTITY = Spectrum.identity(1);

    private static SpectralDensity solve(Scalars scalars, double psiP, double psiN, Spectrum covariance) {
        return SpectralDensity.of(new Resolvent(scalars, psiP, psiN, covariance));
    }

    /// Edges, weight and tau_mem of Theorem 3.2 in the reference table.
    @ParameterizedTest
    @CsvSource({
        "0.01, 64, 8,  0.0873, 0.3762, 0.859, 3.70e4",
        "0.1,  64, 4,  0.1381, 0.3596, 0.922, 2.56e3",
        "0.1,  64, 8,  0.0598, 0.2164, 0.859, 5.90e3",
        "0.1,  64, 32, 0.0159, 0.0942, 0.484, 2.21e4"
    })
    void theoremOfLargeRatiosAgreesWithTheReferenceTable(
            double t, double psiP, double psiN, double low, double high, double inert, double tau) {
        Bulks bulks = Bulks.of(Scalars.of(Activation.TANH, t, 1), psiP, psiN);
        assertThat(bulks.low()).isCloseTo(low, within(6e-5));
        assertThat(bulks.high()).isCloseTo(high, within(6e-5));
        assertThat(bulks.inert()).isCloseTo(inert, within(6e-4));
        assertThat(bulks.memorizationTime()).isCloseTo(tau, within(2.5e-3 * tau));
        assertThat(bulks.generationTime()).isCloseTo(1 / (1 - Math.exp(-2 * t)), within(1e-9));
    }

    /// The case of Figure 4: point mass, d eigenvalues just above it, bulk 1 and bulk 2.
    @Test
    void findsTheBandsOfTheReferenceCase() {
        SpectralDensity density = solve(SMALL_TIME, 64, 8, IDENTITY);
        List<SpectralDensity.Band> bands = density.bands();
        assertThat(bands).hasSize(3);
        assertThat(bands.get(0).low()).isCloseTo(0.0037, within(1e-4));
        assertThat(bands.get(0).high()).isCloseTo(0.0102, within(2e-4));
        assertThat(bands.get(0).mass()).isCloseTo(1.0 / 64, within(1e-6));
        assertThat(bands.get(1).low()).isCloseTo(0.092, within(1e-3));
        assertThat(bands.get(1).high()).isCloseTo(0.358, within(2e-3));
        assertThat(bands.get(1).mass()).isCloseTo(7.0 / 64, within(1e-6));
        assertThat(bands.get(2).low()).isCloseTo(10, within(0.2));
        assertThat(bands.get(2).high()).isCloseTo(44.5, within(0.3));
        assertThat(bands.get(2).mass()).isCloseTo(1.0 / 64, within(1e-6));
        assertThat(density.inert()).isCloseTo(1 - 9.0 / 64, within(1e-6));
        assertThat(density.total()).isCloseTo(1, within(1e-6));
    }

    /// At psi_p = psi_n + 1 the density has a pole at s_t^2, whose innermost part is not looked at.
    @ParameterizedTest
    @CsvSource({"0.1, 64, 32", "0.1, 8, 32", "0.01, 4, 3", "0.5, 2, 1", "0.1, 16, 16"})
    void theWholeMassIsOne(double t, double psiP, double psiN) {
        Scalars scalars = Scalars.of(Activation.TANH, t, 1);
        for (Spectrum covariance : List.of(IDENTITY, Spectrum.twoDelta(0.5, 1.5, 0.5), Spectrum.powerLaw(0.5, 50, 1))) {
            SpectralDensity density = solve(scalars, psiP, psiN, covariance);
            assertThat(density.total())
                    .as(covariance.name())
                    .isCloseTo(1, within(Math.abs(psiP - psiN - 1) < 1e-9 ? 2e-3 : 1e-4));
            assertThat(density.inert()).isCloseTo(Math.max(0, 1 - (1 + psiN) / psiP), within(1e-4));
        }
    }

    /// Without linear parts, U = v^2 Omega Omega^T / n + s^2 I: Marchenko & Pastur 1967.
    @Test
    void withoutLinearPartsItIsMarchenkoPastur() {
        double v2 = 0.3;
        double s2 = 0.2;
        Scalars scalars = new Scalars(0.1, 1, 0.2, 1, 1e-9, 1e-9, 1e-9, v2, s2, v2 + s2);
        double ratio = 0.5; // p / n
        SpectralDensity density = solve(scalars, 1, 2, IDENTITY);
        double low = v2 * Math.pow(1 - Math.sqrt(ratio), 2);
        double high = v2 * Math.pow(1 + Math.sqrt(ratio), 2);
        assertThat(density.bands()).hasSize(1);
        assertThat(density.bands().getFirst().low()).isCloseTo(s2 + low, within(1e-6));
        assertThat(density.bands().getFirst().high()).isCloseTo(s2 + high, within(1e-6));
        for (double x : new double[] {0.1, 0.3, 0.6}) {
            double expected = Math.sqrt((high - x) * (x - low)) / (2 * Math.PI * ratio * v2 * x);
            assertThat(density.at(s2 + x)).isCloseTo(expected, within(1e-7 * expected));
        }
    }

    /// Edges of Theorem 3.2 are the limit of the exact ones: the error falls as both ratios grow.
    @Test
    void theExactEdgesTendToThoseOfTheTheorem() {
        double last = 1;
        for (double psi : new double[] {8, 32, 128}) {
            Bulks bulks = Bulks.of(SMALL_TIME, 8 * psi, psi);
            List<SpectralDensity.Band> bands =
                    solve(SMALL_TIME, 8 * psi, psi, IDENTITY).bands();
            double error = Math.abs(bands.get(1).low() / bulks.low() - 1);
            assertThat(error).isLessThan(0.5 * last);
            last = error;
        }
        assertThat(last).isLessThan(0.005);
    }

    /// Bulk 1 does not see the covariance: half of the eigenvalues 0.5, half 1.5, as in Figure 14.
    @Test
    void theFirstBulkDoesNotSeeTheCovariance() {
        SpectralDensity same = solve(SMALL_TIME, 64, 8, IDENTITY);
        SpectralDensity other = solve(SMALL_TIME, 64, 8, Spectrum.twoDelta(0.5, 1.5, 0.5));
        SpectralDensity.Band first = same.bands().get(1);
        SpectralDensity.Band second = other.bands().stream()
                .filter(band -> Math.abs(band.mass() - 7.0 / 64) < 1e-3)
                .findFirst()
                .orElseThrow();
        assertThat(second.low()).isCloseTo(first.low(), within(0.01 * first.low()));
        assertThat(second.high()).isCloseTo(first.high(), within(0.01 * first.high()));
    }

    /// A simulation of the Gaussian equivalent with d = 100: each band holds its share of the eigenvalues, and the
    /// quantiles of each band agree. Just above s_t^2 lie exactly d, which are not bulk 1.
    @Test
    void agreesWithASimulation() {
        Sizes sizes = Sizes.of(100, 16, 4);
        double[] found = GaussianEquivalent.draw(sizes, SMALL_TIME, IDENTITY, 7, new Lapack(1))
                .eigenvalues();
        SpectralDensity density = solve(SMALL_TIME, 16, 4, IDENTITY);
        assertThat(density.bands()).hasSize(3);
        int inert = (int) Arrays.stream(found)
                .filter(x -> x < SMALL_TIME.s2() * (1 + 1e-9))
                .count();
        assertThat(inert).isEqualTo(sizes.p() - sizes.n() - sizes.d());
        int at = inert;
        int[] counts = {sizes.d(), sizes.n() - sizes.d(), sizes.d()};
        for (int band = 0; band < 3; band++) {
            SpectralDensity.Band one = density.bands().get(band);
            double[] inside = Arrays.copyOfRange(found, at, at + counts[band]);
            assertThat(inside[0]).isCloseTo(one.low(), within(0.1 * one.low()));
            assertThat(inside[inside.length - 1]).isCloseTo(one.high(), within(0.06 * one.high()));
            double median = inside[inside.length / 2];
            assertThat(density.share(one.low(), median) / one.mass()).isCloseTo(0.5, within(0.02));
            at += counts[band];
        }
        double formula = Bulks.of(SMALL_TIME, 16, 4).low();
        assertThat(found[inert]).as("the least of all is none of bulk 1").isLessThan(0.1 * formula);
        assertThat(found[inert + sizes.d()]).as("without the d lowest").isCloseTo(formula, within(0.25 * formula));
    }

    /// The features themselves, averaged over noise, have the spectrum of the Gaussian equivalent.
    @Test
    void trueFeaturesHaveTheSpectrumOfTheTheory() throws InterruptedException {
        Scalars scalars = Scalars.of(Activation.TANH, 0.1, 1);
        Sizes sizes = Sizes.of(60, 8, 4);
        Population data = new Population.Elliptical(IDENTITY, 60, 0);
        Moments moments = new TrueFeatures(Activation.TANH, 60, 100).moments(sizes, scalars, data, 3, new Lapack(1));
        double[] found = new Lapack(1).eigen(moments.u(), false).values();
        SpectralDensity density = solve(scalars, 8, 4, IDENTITY);
        SpectralDensity.Band top = density.bands().getLast();
        assertThat(found[sizes.p() - 1]).isCloseTo(top.high(), within(0.08 * top.high()));
        assertThat(found[sizes.p() - 60]).isCloseTo(top.low(), within(0.1 * top.low()));
        double middle = 0.5
                * (top.low() + density.bands().get(density.bands().size() - 2).high());
        assertThat(Arrays.stream(found).filter(x -> x > middle).count()).isEqualTo(60);
        double mean = Arrays.stream(found).sum() / sizes.p();
        assertThat(mean).isCloseTo(scalars.power(), within(0.01 * scalars.power()));
    }

    @Test
    void refusesWhatIsNoSpectrum() {
        assertThatThrownBy(() -> new Spectrum("x", new double[] {1}, new double[] {0.5}))
                .hasMessageContaining("sum 1, found 0.5");
        assertThatThrownBy(() -> Spectrum.empirical("x", new double[] {-1, 1}))
                .hasMessageContaining("at least 0 and weights above 0, found -1.0");
        assertThatThrownBy(() -> Spectrum.empirical("x", new double[] {0, 0})).hasMessageContaining("zeros only");
        assertThatThrownBy(() -> Spectrum.powerLaw(-1, 10, 1)).hasMessageContaining("found 10 and -1.0");
        assertThatThrownBy(() -> Bulks.of(SMALL_TIME, 0, 1)).hasMessageContaining("found 0.0 and 1.0");
        assertThatThrownBy(() -> new Resolvent(SMALL_TIME, 64, 8, Spectrum.identity(2)))
                .hasMessageContaining("scalars of variance 2.0");
        assertThatThrownBy(() -> new Sizes(0, 1, 1)).hasMessageContaining("found 0, 1 and 1");
    }

    @Test
    void spectraHaveTheMeanThatWasAskedFor() {
        assertThat(Spectrum.powerLaw(1.5, 100, 2).mean()).isCloseTo(2, within(1e-12));
        assertThat(Spectrum.twoDelta(0.5, 1.5, 0.25).mean()).isCloseTo(1.25, within(1e-12));
        assertThat(Spectrum.twoDelta(0.5, 1.5, 0.25).eigenvalues(4)).containsExactly(0.5, 1.5, 1.5, 1.5);
        assertThat(Spectrum.powerLaw(1, 3, 1).eigenvalues(3))
                .usingComparatorWithPrecision(1e-12)
                .containsExactly(6.0 / 11, 9.0 / 11, 18.0 / 11);
    }
}
