package dev.rote.tools.theory;

import dev.rote.theory.Bulks;
import dev.rote.theory.GaussianEquivalent;
import dev.rote.theory.Population;
import dev.rote.theory.Resolvent;
import dev.rote.theory.Scalars;
import dev.rote.theory.SpectralDensity;
import dev.rote.theory.SpectralDensity.Band;
import dev.rote.theory.TrueFeatures;
import dev.rote.tools.report.AuditReport;
import dev.rote.tools.report.Plot;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Eigenvalues of U: density of Theorem 3.1, edges of Theorem 3.2, simulation (Figures 4 and 14 of the paper).
record SpectrumExperiment(TheoryFile file) implements Experiment {
    /// More bands than this are the single eigenvalues of a wide covariance.
    private static final int MOST_BANDS = 12;

    /// One model, computed.
    ///
    /// @param equivalent eigenvalues of the Gaussian equivalent, a list per seed
    /// @param features eigenvalues of the features, a list per seed; empty without draws
    record Found(
            TheoryFile.Case one,
            String words,
            Scalars scalars,
            Bulks bulks,
            SpectralDensity density,
            List<double[]> equivalent,
            List<double[]> features) {}

    @Override
    public int parts() {
        return file.cases().size() * (file.features().draws() > 0 ? 2 : 1);
    }

    @Override
    public Result run(Tools tools) throws InterruptedException {
        List<Found> all = new ArrayList<>();
        List<TheoryFile.Case> cases = file.cases();
        for (int first = 0; first < cases.size(); first += file.seeds()) {
            all.add(compute(cases.subList(first, first + file.seeds()), tools));
        }
        List<Plot> plots = new ArrayList<>();
        List<List<String>> rows = new ArrayList<>();
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        ArrayNode list = json.putArray("spectra");
        double worst = 0;
        double worstOfFeatures = 0;
        for (Found found : all) {
            SpectrumFigures figures = new SpectrumFigures(file, found);
            plots.addAll(figures.plots());
            worst = Math.max(worst, figures.distance());
            rows.addAll(rows(found));
            json(list.addObject(), found, figures);
            worstOfFeatures =
                    Math.max(worstOfFeatures, figures.featuresDistance().orElse(0));
        }
        List<String> facts = facts(all);
        if (file.features().draws() > 0) {
            facts.addFirst(
                    "Of the features themselves, with " + file.features().draws()
                            + " noises per point, it is " + Words.number(100 * worstOfFeatures)
                            + " % from the lower edge of bulk 1 on; below that, finitely many noises spread the point mass out.");
        }
        return new Result(
                "Theory and its Gaussian equivalent: the largest difference between their distribution functions is "
                        + Words.number(100 * worst) + " % of the eigenvalues.",
                facts,
                List.of(table(rows), scalars(all)),
                plots,
                Map.of(),
                csv(all),
                json);
    }

    private Found compute(List<TheoryFile.Case> seeds, Tools tools) throws InterruptedException {
        TheoryFile.Case one = seeds.getFirst();
        Population data = one.law().population(file.model().d(), tools.lapack());
        Scalars scalars =
                Scalars.of(file.model().activation(), one.t(), data.covariance().mean());
        List<double[]> equivalent = new ArrayList<>();
        List<double[]> features = new ArrayList<>();
        String name = label(one);
        for (TheoryFile.Case each : seeds) {
            tools.progress().begin(name + ", seed " + each.seed());
            equivalent.add(
                    GaussianEquivalent.draw(file.sizes(each), scalars, data.covariance(), each.seed(), tools.lapack())
                            .eigenvalues());
            tools.progress().end();
            if (file.features().draws() > 0) {
                tools.progress().begin(name + ", features, seed " + each.seed());
                var u = new TrueFeatures(
                                file.model().activation(), file.features().draws(), 1)
                        .moments(
                                file.sizes(each),
                                scalars,
                                data,
                                each.seed(),
                                tools.lapack(),
                                tools.device().accelerator())
                        .u();
                features.add(tools.lapack().eigen(u, false).values());
                tools.progress().end();
            }
        }
        Bulks bulks = Bulks.of(scalars, one.psiP(), one.psiN());
        SpectralDensity density = SpectralDensity.of(new Resolvent(scalars, one.psiP(), one.psiN(), data.covariance()));
        return new Found(one, one.law().words(data), scalars, bulks, density, equivalent, features);
    }

    static String label(TheoryFile.Case one) {
        return one.law().name() + ", t = " + Words.exact(one.t()) + ", ψp = " + Words.exact(one.psiP()) + ", ψn = "
                + Words.exact(one.psiN());
    }

    private List<String> facts(List<Found> all) {
        List<String> facts = new ArrayList<>();
        for (Found found : all) {
            Bulks bulks = found.bulks;
            facts.add(label(found.one) + " (" + found.words + "): τ_gen = " + Words.number(bulks.generationTime())
                    + ", τ_mem = " + Words.number(bulks.memorizationTime()) + "; a share of "
                    + Words.number(found.density.inert()) + " of the eigenvalues is s² = "
                    + Words.number(found.scalars.s2()) + " (formula " + Words.number(bulks.inert())
                    + "); total mass " + Words.number(found.density.total()) + ".");
        }
        return facts;
    }

    private List<List<String>> rows(Found found) {
        List<List<String>> rows = new ArrayList<>();
        List<Band> bands = found.density.bands();
        for (int i = 0; i < Math.min(MOST_BANDS, bands.size()); i++) {
            Band band = bands.get(i);
            double below = i == 0 ? found.scalars.s2() * (1 + 1e-9) : boundary(bands.get(i - 1), band);
            double above = i + 1 == bands.size() ? Double.POSITIVE_INFINITY : boundary(band, bands.get(i + 1));
            double[] simulated = extremes(found.equivalent, below, above);
            boolean memorizing = isBulkOne(found, band);
            rows.add(List.of(
                    label(found.one),
                    name(found, i),
                    Words.range(band.low(), band.high()),
                    Words.number(band.mass()),
                    memorizing ? Words.range(found.bulks.low(), found.bulks.high()) : "–",
                    Words.range(simulated[0], simulated[1]),
                    Words.number(simulated[2] / file.sizes(found.one).p()),
                    paper(found, i).orElse("–")));
        }
        return rows;
    }

    private static double boundary(Band low, Band high) {
        return Math.sqrt(low.high() * high.low());
    }

    /// Least and largest eigenvalue between two points, and how many there are; means over seeds.
    private static double[] extremes(List<double[]> seeds, double from, double to) {
        double[] sums = new double[3];
        for (double[] values : seeds) {
            double low = Double.NaN;
            double high = Double.NaN;
            for (double value : values) { // ascending
                if (value > from && value <= to) {
                    low = Double.isNaN(low) ? value : low;
                    high = value;
                    sums[2] += 1.0 / seeds.size();
                }
            }
            sums[0] += low / seeds.size();
            sums[1] += high / seeds.size();
        }
        return sums;
    }

    /// Whether the middle of Theorem 3.2's bulk 1 lies in the band.
    static boolean isBulkOne(Found found, Band band) {
        double middle = 0.5 * (found.bulks.low() + found.bulks.high());
        return band.low() < middle && middle < band.high();
    }

    private static String name(Found found, int i) {
        List<Band> bands = found.density.bands();
        if (isBulkOne(found, bands.get(i))) {
            return "bulk 1";
        }
        boolean small = i == 0 && Math.abs(bands.get(i).mass() * found.one.psiP() - 1) < 0.05;
        return small ? "d just above s²" : i + 1 == bands.size() && bands.size() < 4 ? "bulk 2" : "bulk 2, part";
    }

    /// The paper gives one pair of edges.
    private static Optional<String> paper(Found found, int i) {
        TheoryFile.Case one = found.one;
        boolean figure4 = one.t() == 0.01
                && one.psiP() == 64
                && one.psiN() == 8
                && one.law().covariance() == Law.Covariance.IDENTITY
                && one.law().variance() == 1;
        return figure4 && i + 1 == found.density.bands().size() ? Optional.of("10 to 45") : Optional.empty();
    }

    private static AuditReport.Table table(List<List<String>> rows) {
        return new AuditReport.Table(
                "Bands of the spectrum",
                "Theory: Theorem 3.1, solved; weights are shares of all p eigenvalues. Formula: Theorem 3.2, for large ψ."
                        + " Simulation: Gaussian equivalent, means over the seeds. Paper: arXiv:2505.17638.",
                List.of("model", "band", "theory", "weight", "formula", "simulation", "weight, simulated", "paper"),
                rows);
    }

    private static AuditReport.Table scalars(List<Found> all) {
        List<List<String>> rows = new ArrayList<>();
        for (Found found : all) {
            Scalars s = found.scalars;
            rows.add(List.of(
                    label(found.one),
                    Words.number(s.delta()),
                    Words.number(s.mu1()),
                    Words.number(s.a()),
                    Words.number(s.b()),
                    Words.number(s.v2()),
                    Words.number(s.s2())));
        }
        return new AuditReport.Table(
                "Constants of the theory",
                "By Gauss-Hermite quadrature.",
                List.of("model", "Δ", "μ1", "a", "b", "v²", "s²"),
                rows);
    }

    private static Map<String, String> csv(List<Found> all) {
        StringBuilder values = new StringBuilder("model,source,seed_number,eigenvalue\n");
        StringBuilder density = new StringBuilder("model,lambda,density\n");
        for (Found found : all) {
            String name = '"' + label(found.one) + '"';
            eigenvalues(values, name, "equivalent", found.equivalent);
            eigenvalues(values, name, "features", found.features);
            for (double[] point : SpectrumFigures.curve(found.density)) {
                density.append(name)
                        .append(',')
                        .append(point[0])
                        .append(',')
                        .append(point[1])
                        .append('\n');
            }
        }
        Map<String, String> csv = new LinkedHashMap<>();
        csv.put("eigenvalues.csv", values.toString());
        csv.put("density.csv", density.toString());
        return csv;
    }

    private static void eigenvalues(StringBuilder csv, String name, String source, List<double[]> seeds) {
        for (int seed = 0; seed < seeds.size(); seed++) {
            for (double value : seeds.get(seed)) {
                csv.append(name).append(',').append(source).append(',');
                csv.append(seed).append(',').append(value).append('\n');
            }
        }
    }

    private static void json(ObjectNode node, Found found, SpectrumFigures figures) {
        node.put("law", found.one.law().name()).put("t", found.one.t());
        node.put("psi_p", found.one.psiP()).put("psi_n", found.one.psiN());
        Scalars s = found.scalars;
        node.put("delta", s.delta()).put("mu_1", s.mu1()).put("a", s.a()).put("b", s.b());
        node.put("v2", s.v2()).put("s2", s.s2());
        node.put("tau_mem", found.bulks.memorizationTime()).put("tau_gen", found.bulks.generationTime());
        node.put("formula_low", found.bulks.low()).put("formula_high", found.bulks.high());
        node.put("inert", found.density.inert()).put("total", found.density.total());
        node.put("distribution_distance", figures.distance());
        figures.featuresDistance().ifPresent(distance -> node.put("features_distance", distance));
        ArrayNode bands = node.putArray("bands");
        for (Band band : found.density.bands()) {
            bands.addObject().put("low", band.low()).put("high", band.high()).put("mass", band.mass());
        }
    }
}
