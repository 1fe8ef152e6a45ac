package dev.rote.tools.theory;

import dev.rote.errors.NonFiniteException;
import dev.rote.optim.OptimizerConfig;
import dev.rote.theory.Bulks;
import dev.rote.theory.Descent;
import dev.rote.theory.GradientFlow;
import dev.rote.theory.Losses;
import dev.rote.theory.Modes;
import dev.rote.theory.Moments;
import dev.rote.theory.Population;
import dev.rote.theory.Scalars;
import dev.rote.tools.report.Plot;
import dev.rote.tools.report.Plot.Axis;
import dev.rote.tools.report.Plot.Line;
import dev.rote.tools.report.Plot.Shade;
import dev.rote.tools.report.Plot.Style;
import dev.rote.tools.report.Point;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/// Training step by step on a device, by gradient descent or Adam, all models of one p and t side by side (Figure 15 of
/// the paper for Adam). Gradient descent is compared with the closed form.
record DescentExperiment(TheoryFile file) implements Experiment {
    /// Records of the losses per decade of steps.
    private static final int PER_DECADE = 12;

    @Override
    public int parts() {
        return file.cases().size() + file.laws().size() * file.model().t().size();
    }

    /// The models of one law and time.
    ///
    /// @param ends losses at infinite time
    /// @param flows closed forms
    private record Batch(
            List<TheoryFile.Case> cases,
            Scalars scalars,
            List<Moments> models,
            List<GradientFlow> flows,
            List<Losses> ends) {}

    @Override
    public Result run(Tools tools) throws InterruptedException {
        List<Trajectory> all = new ArrayList<>();
        List<Line> compared = new ArrayList<>();
        double worst = 0;
        for (Law law : file.laws()) {
            Population data = law.population(file.model().d(), tools.lapack());
            for (double t : file.model().t()) {
                Batch batch = batch(law, t, data, tools);
                tools.progress()
                        .begin(file.descent().steps() + " steps of " + batch.models.size() + " models on "
                                + tools.device().get().describe());
                List<Trajectory> trained = train(batch, tools);
                tools.progress().end();
                all.addAll(trained);
                if (isFlow()) {
                    worst = Math.max(worst, compare(batch, trained, compared));
                }
            }
        }
        return result(all, compared, worst);
    }

    private boolean isFlow() {
        return file.descent().optimizer() == TheoryFile.Rule.SGD;
    }

    private Batch batch(Law law, double t, Population data, Tools tools) throws InterruptedException {
        Scalars scalars =
                Scalars.of(file.model().activation(), t, data.covariance().mean());
        Batch batch = new Batch(new ArrayList<>(), scalars, new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        for (TheoryFile.Case one : file.cases()) {
            if (!one.law().equals(law) || one.t() != t) {
                continue;
            }
            tools.progress().begin(SpectrumExperiment.label(one) + ", seed " + one.seed());
            Moments moments = DynamicsExperiment.moments(file, one, data, scalars, tools);
            GradientFlow flow = new GradientFlow(Modes.of(moments, tools.lapack()), tools.lapack());
            batch.cases.add(one);
            batch.models.add(moments);
            batch.flows.add(flow);
            batch.ends.add(flow.at(Double.POSITIVE_INFINITY).getFirst());
            tools.progress().end();
        }
        return batch;
    }

    private List<Trajectory> train(Batch batch, Tools tools) throws InterruptedException {
        List<List<Losses>> records = new ArrayList<>();
        batch.cases.forEach(one -> records.add(new ArrayList<>()));
        double rate = rate(batch);
        try (Descent descent = Descent.open(tools.device().get(), batch.models, optimizer(rate))) {
            for (long step : steps()) {
                if (Thread.interrupted()) {
                    throw new InterruptedException("cancelled");
                }
                descent.run(step - descent.steps());
                List<Losses> losses = descent.losses();
                for (int i = 0; i < losses.size(); i++) {
                    Losses one = losses.get(i);
                    if (!Double.isFinite(one.train())) {
                        throw new NonFiniteException("step " + step + ": the train loss of "
                                + SpectrumExperiment.label(batch.cases.get(i)) + " is " + one.train()
                                + "; take a smaller descent.lr than " + rate);
                    }
                    double clock = isFlow() ? one.tau() : step;
                    records.get(i).add(new Losses(clock, one.train(), one.test(), one.score()));
                }
            }
        }
        List<Trajectory> trained = new ArrayList<>();
        for (int i = 0; i < records.size(); i++) {
            TheoryFile.Case one = batch.cases.get(i);
            trained.add(new Trajectory(
                    one, Bulks.of(batch.scalars, one.psiP(), one.psiN()), records.get(i), batch.ends.get(i)));
        }
        return trained;
    }

    private double rate(Batch batch) {
        double given = file.descent().lr();
        return given > 0 ? given : Descent.authorsRate(batch.models.getFirst().sizes(), batch.scalars.delta());
    }

    private OptimizerConfig optimizer(double rate) {
        return isFlow() ? OptimizerConfig.sgd((float) rate, 0) : OptimizerConfig.adam((float) rate);
    }

    /// Steps at which losses are recorded.
    private List<Long> steps() {
        List<Long> steps = new ArrayList<>();
        int last = file.descent().steps();
        for (int i = 0; ; i++) {
            long step = Math.min(last, Math.round(Math.pow(10, (double) i / PER_DECADE)));
            if (steps.isEmpty() || step > steps.getLast()) {
                steps.add(step);
            }
            if (step >= last) {
                return steps;
            }
        }
    }

    /// Adds the closed form's curve of each first draw, and returns the largest difference of a loss.
    private double compare(Batch batch, List<Trajectory> trained, List<Line> lines) {
        double worst = 0;
        List<Double> psi = file.model().psiN();
        for (int i = 0; i < trained.size(); i++) {
            Trajectory one = trained.get(i);
            List<Losses> expected = batch.flows.get(i).at(one.tau());
            List<Point> points = new ArrayList<>();
            List<Point> exact = new ArrayList<>();
            for (int k = 0; k < expected.size(); k++) {
                Losses found = one.losses().get(k);
                worst = Math.max(worst, Math.abs(found.test() - expected.get(k).test()));
                worst = Math.max(worst, Math.abs(found.train() - expected.get(k).train()));
                points.add(Point.of(found.tau(), found.test()));
                exact.add(Point.of(found.tau(), expected.get(k).test()));
            }
            if (one.one().seed() == file.seed()) {
                String group = Words.group(file, one.one());
                String label = (group.isEmpty() ? "" : group + ", ") + "ψn = "
                        + Words.exact(one.one().psiN());
                Shade shade = new Shade(psi.indexOf(one.one().psiN()), psi.size());
                lines.add(new Line(label, shade, Style.POINTS, points));
                lines.add(new Line(label, shade, Style.SOLID, exact));
            }
        }
        return worst;
    }

    private Result result(List<Trajectory> all, List<Line> compared, double worst) {
        String clock = isFlow() ? "τ" : "steps";
        TrajectoryReport report = new TrajectoryReport(file, all, clock);
        List<TrajectoryFigures.Clock> clocks = List.of(
                new TrajectoryFigures.Clock("", clock, isFlow() ? "training time τ" : "steps of Adam", t -> 1),
                new TrajectoryFigures.Clock(
                        "_over_n", clock + "/ψn", clock + " / ψn", t -> t.one().psiN()));
        List<Plot> plots = new ArrayList<>(new TrajectoryFigures(file, clocks).plots(report.groups()));
        List<String> facts = new ArrayList<>(report.facts());
        if (isFlow()) {
            facts.addFirst("Largest difference between a loss of gradient descent and of the closed form: "
                    + Words.number(worst) + ".");
            plots.addFirst(new Plot(
                    "descent",
                    "descent",
                    "descent",
                    "Gradient descent against the closed form: test loss",
                    "Points: steps on the device. Lines: gradient flow. First draw.",
                    new Axis("training time τ", true),
                    new Axis("test loss", false),
                    compared));
        }
        for (Scaling group : report.groups()) {
            group.collapse(t -> t.one().psiN())
                    .ifPresent(score -> facts.add(Words.titled(
                            group.group(),
                            "L_gen collapses best in " + clock + "/n^" + Words.number(score.bestExponent())
                                    + "; in " + clock + "/n times agree within a factor "
                                    + Words.number(Math.exp(Math.sqrt(score.collapsed()))) + ", in " + clock
                                    + " within " + Words.number(Math.exp(Math.sqrt(score.raw()))) + ".")));
        }
        ObjectNode json = report.json();
        if (isFlow()) {
            json.put("largest_difference_from_closed_form", worst);
        }
        return new Result(
                report.verdict(), facts, report.tables(), plots, Map.of(), Map.of("losses.csv", report.csv()), json);
    }
}
