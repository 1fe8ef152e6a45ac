package dev.rote.tools.theory;

import dev.rote.theory.Bulks;
import dev.rote.theory.GaussianEquivalent;
import dev.rote.theory.GradientFlow;
import dev.rote.theory.Modes;
import dev.rote.theory.Moments;
import dev.rote.theory.Population;
import dev.rote.theory.Scalars;
import dev.rote.theory.TrueFeatures;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Training in closed form over n, t, p and distributions (Figures 5 A, 5 B, 11, 12 and 13 of the paper).
record DynamicsExperiment(TheoryFile file) implements Experiment {
    @Override
    public int parts() {
        return file.cases().size();
    }

    @Override
    public Result run(Tools tools) throws InterruptedException {
        Map<String, Population> populations = new HashMap<>();
        for (Law law : file.laws()) {
            populations.put(law.name(), law.population(file.model().d(), tools.lapack()));
        }
        List<Trajectory> all = new ArrayList<>();
        for (TheoryFile.Case one : file.cases()) {
            tools.progress().begin(SpectrumExperiment.label(one) + ", seed " + one.seed());
            all.add(compute(one, populations.get(one.law().name()), tools));
            tools.progress().end();
        }
        TrajectoryReport report = new TrajectoryReport(file, all, "τ");
        List<TrajectoryFigures.Clock> clocks = List.of(
                new TrajectoryFigures.Clock("", "τ", "training time τ", t -> 1),
                new TrajectoryFigures.Clock(
                        "_over_tau_mem", "τ/τ_mem", "τ / τ_mem", t -> t.bulks().memorizationTime()),
                new TrajectoryFigures.Clock(
                        "_over_n", "τ/ψn", "τ / ψn", t -> t.one().psiN()));
        return new Result(
                report.verdict(),
                report.facts(),
                report.tables(),
                new TrajectoryFigures(file, clocks).plots(report.groups()),
                Map.of(),
                Map.of("losses.csv", report.csv()),
                report.json());
    }

    private Trajectory compute(TheoryFile.Case one, Population data, Tools tools) throws InterruptedException {
        Scalars scalars =
                Scalars.of(file.model().activation(), one.t(), data.covariance().mean());
        Modes modes = file.features().draws() == 0
                ? GaussianEquivalent.draw(file.sizes(one), scalars, data.covariance(), one.seed(), tools.lapack())
                        .modes()
                : Modes.of(moments(file, one, data, scalars, tools), tools.lapack());
        GradientFlow flow = new GradientFlow(modes, tools.lapack());
        return new Trajectory(
                one,
                Bulks.of(scalars, one.psiP(), one.psiN()),
                flow.at(file.times().grid()),
                flow.at(Double.POSITIVE_INFINITY).getFirst());
    }

    /// U and V of a case, by features where the file asks for noises, else of the Gaussian equivalent.
    static Moments moments(TheoryFile file, TheoryFile.Case one, Population data, Scalars scalars, Tools tools)
            throws InterruptedException {
        TheoryFile.Features features = file.features();
        if (features.draws() == 0) {
            return GaussianEquivalent.draw(file.sizes(one), scalars, data.covariance(), one.seed(), tools.lapack())
                    .moments();
        }
        return new TrueFeatures(file.model().activation(), features.draws(), features.testPoints())
                .moments(
                        file.sizes(one),
                        scalars,
                        data,
                        one.seed(),
                        tools.lapack(),
                        tools.device().accelerator());
    }
}
