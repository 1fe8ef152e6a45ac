package dev.rote.tools.theory;

import dev.rote.theory.SpectralDensity;
import dev.rote.theory.SpectralDensity.Band;
import dev.rote.tools.report.Plot;
import dev.rote.tools.report.Plot.Axis;
import dev.rote.tools.report.Plot.Line;
import dev.rote.tools.report.Plot.Shade;
import dev.rote.tools.report.Plot.Style;
import dev.rote.tools.report.Point;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/// Histograms of a spectrum over the density of the theory.
final class SpectrumFigures {
    private static final int BINS = 60;
    private static final int CURVE_POINTS = 80;

    private final TheoryFile file;
    private final SpectrumExperiment.Found found;
    private final double[] edges;
    private final double[] expected;

    SpectrumFigures(TheoryFile file, SpectrumExperiment.Found found) {
        this.file = file;
        this.found = found;
        List<Band> bands = found.density().bands();
        double low = 0.8 * (bands.getFirst().low() - found.scalars().s2())
                + found.scalars().s2();
        double high = 1.15 * bands.getLast().high();
        edges = new double[BINS + 1];
        for (int i = 0; i <= BINS; i++) {
            edges[i] = low * Math.pow(high / low, (double) i / BINS);
        }
        expected = new double[BINS];
        for (int i = 0; i < BINS; i++) {
            expected[i] = found.density().share(edges[i], edges[i + 1]);
        }
    }

    /// Largest difference of the distribution functions of theory and Gaussian equivalent at the bins' edges, above the
    /// point mass.
    double distance() {
        return distance(found.equivalent(), 0);
    }

    /// The same of the features, but only above the lower edge of bulk 1: a finite number of noises spreads the point
    /// mass out. Empty without features.
    OptionalDouble featuresDistance() {
        double edge = found.density().bands().stream()
                .filter(band -> SpectrumExperiment.isBulkOne(found, band))
                .findFirst()
                .map(Band::low)
                .orElse(found.bulks().low());
        return found.features().isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of(distance(found.features(), edge));
    }

    private double distance(List<double[]> simulated, double from) {
        double[] shares = shares(simulated, edges);
        double difference = 0;
        double worst = 0;
        for (int i = BINS - 1; i >= 0 && edges[i] >= from; i--) {
            difference += shares[i] - expected[i];
            worst = Math.max(worst, Math.abs(difference));
        }
        return worst;
    }

    List<Plot> plots() {
        String id = Words.fileName(SpectrumExperiment.label(found.one()));
        String title = "Spectrum of U, " + SpectrumExperiment.label(found.one());
        List<Plot> plots = new ArrayList<>();
        List<Point> curve = new ArrayList<>();
        for (double[] point : curve(found.density())) {
            curve.add(Point.of(point[0], point[0] * point[1]));
        }
        List<Line> lines = lines(edges, true, curve);
        plots.add(new Plot(
                "spectrum_" + id,
                id,
                "all",
                title,
                "Share of the p eigenvalues per unit of log λ. Left out: the point mass at s² = "
                        + Words.number(found.scalars().s2()) + ", a share of "
                        + Words.number(found.density().inert()) + ". The leftmost group are the d eigenvalues that"
                        + " Theorem 3.2 counts to the point mass; then bulk 1 (training points) and bulk 2 (population)."
                        + (found.features().isEmpty()
                                ? ""
                                : " Of the features, the point mass is spread out by the finite number of noises."),
                new Axis("eigenvalue λ", true),
                new Axis("λ ρ(λ)", true),
                lines));
        List<Band> bands = found.density().bands();
        bands.stream()
                .filter(band -> SpectrumExperiment.isBulkOne(found, band))
                .findFirst()
                .ifPresent(band -> plots.add(zoom(id, title, "bulk 1", "bulk_1_", band.low(), band.high())));
        double half = 0;
        int first = bands.size();
        while (first > 0 && half < 0.9 / found.one().psiP()) {
            half += bands.get(--first).mass();
        }
        if (!SpectrumExperiment.isBulkOne(found, bands.get(first))) {
            plots.add(zoom(
                    id,
                    title,
                    "bulk 2",
                    "bulk_2_",
                    bands.get(first).low(),
                    bands.getLast().high()));
        }
        return plots;
    }

    private Plot zoom(String id, String title, String tab, String prefix, double low, double high) {
        double[] linear = new double[BINS * 2 / 3 + 1];
        double from = Math.max(found.scalars().s2(), low - 0.08 * (high - low));
        double to = high + 0.08 * (high - low);
        for (int i = 0; i < linear.length; i++) {
            linear[i] = from + (to - from) * i / (linear.length - 1);
        }
        List<Point> curve = new ArrayList<>();
        for (double[] point : curve(found.density())) {
            if (Double.isNaN(point[1]) || (point[0] >= from && point[0] <= to)) {
                curve.add(Point.of(Math.clamp(point[0], from, to), point[1]));
            }
        }
        return new Plot(
                prefix + id,
                id,
                tab,
                title + ": " + tab,
                "Density ρ(λ), a share of all p eigenvalues.",
                new Axis("eigenvalue λ", false),
                new Axis("ρ(λ)", false),
                lines(linear, false, curve));
    }

    private List<Line> lines(double[] bins, boolean log, List<Point> curve) {
        List<Line> lines = new ArrayList<>();
        lines.add(new Line("theory", new Shade(0, 0), Style.SOLID, curve));
        int seeds = file.seeds();
        String drawn = seeds == 1 ? "one draw" : seeds + " draws";
        lines.add(new Line(
                "Gaussian equivalent, " + drawn, new Shade(1, 0), Style.POINTS, bars(found.equivalent(), bins, log)));
        if (!found.features().isEmpty()) {
            lines.add(new Line(
                    "features, " + file.features().draws() + " noises per point, " + drawn,
                    new Shade(2, 0),
                    Style.POINTS,
                    bars(found.features(), bins, log)));
        }
        return lines;
    }

    private static List<Point> bars(List<double[]> seeds, double[] bins, boolean log) {
        double[] shares = shares(seeds, bins);
        List<Point> points = new ArrayList<>();
        for (int i = 0; i < shares.length; i++) {
            double width = log ? Math.log(bins[i + 1] / bins[i]) : bins[i + 1] - bins[i];
            double at = log ? Math.sqrt(bins[i] * bins[i + 1]) : 0.5 * (bins[i] + bins[i + 1]);
            if (shares[i] > 0) {
                points.add(Point.of(at, shares[i] / width));
            }
        }
        return points;
    }

    /// Shares of all eigenvalues by bins, means over seeds.
    private static double[] shares(List<double[]> seeds, double[] bins) {
        double[] shares = new double[bins.length - 1];
        for (double[] values : seeds) {
            int bin = 0;
            for (double value : values) { // ascending
                while (bin < shares.length && value > bins[bin + 1]) {
                    bin++;
                }
                if (bin < shares.length && value > bins[bin]) {
                    shares[bin] += 1.0 / values.length / seeds.size();
                }
            }
        }
        return shares;
    }

    /// Points (lambda, density) of each band, with a gap (NaN) between bands.
    static List<double[]> curve(SpectralDensity density) {
        List<double[]> points = new ArrayList<>();
        for (Band band : density.bands()) {
            for (int i = 0; i < CURVE_POINTS; i++) {
                double part = 0.5 - 0.5 * Math.cos(Math.PI * (i + 0.5) / CURVE_POINTS);
                double x = band.low() + (band.high() - band.low()) * part;
                points.add(new double[] {x, density.at(x)});
            }
            points.add(new double[] {band.high(), Double.NaN});
        }
        return points;
    }
}
