package dev.rote.tools.theory;

import dev.rote.theory.GaussianEquivalent;
import dev.rote.theory.GradientFlow;
import dev.rote.theory.Losses;
import dev.rote.theory.Population;
import dev.rote.theory.Scalars;
import dev.rote.tools.report.AuditReport;
import dev.rote.tools.report.HeatMap;
import dev.rote.tools.report.Plot;
import dev.rote.tools.report.Plot.Axis;
import dev.rote.tools.report.Plot.Line;
import dev.rote.tools.report.Plot.Shade;
import dev.rote.tools.report.Plot.Style;
import dev.rote.tools.report.Point;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// L_gen over (psi_n, psi_p) at fixed training times (Figure 5 C of the paper), from the closed form.
record MapExperiment(TheoryFile file) implements Experiment {
    /// Where the boundary between generalization and memorization is drawn.
    private static final double LEVEL = 0.1;

    @Override
    public int parts() {
        return file.cases().size();
    }

    /// Values of one law and diffusion time.
    ///
    /// @param gap L_gen `[time][psi_p][psi_n]`, means over seeds
    private record Grid(Law law, double t, double[][][] gap) {}

    @Override
    public Result run(Tools tools) throws InterruptedException {
        List<Grid> grids = new ArrayList<>();
        StringBuilder csv = new StringBuilder("law,t,psi_p,psi_n,seed,tau,train,test\n");
        for (Law law : file.laws()) {
            Population data = law.population(file.model().d(), tools.lapack());
            for (double t : file.model().t()) {
                grids.add(grid(law, t, data, tools, csv));
            }
        }
        Map<String, HeatMap> maps = new LinkedHashMap<>();
        List<AuditReport.Table> tables = new ArrayList<>();
        List<Plot> plots = new ArrayList<>();
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        ArrayNode list = json.putArray("maps");
        List<String> facts = new ArrayList<>();
        for (Grid grid : grids) {
            for (int i = 0; i < file.times().at().size(); i++) {
                maps.put(
                        "map_" + name(grid) + "_tau"
                                + Words.exact(file.times().at().get(i)),
                        map(grid, i));
            }
            tables.add(table(grid));
            plots.add(boundaries(grid));
            facts.add(rises(grid));
            json(list.addObject(), grid);
        }
        return new Result(
                facts.getFirst(),
                facts.subList(1, facts.size()),
                tables,
                plots,
                maps,
                Map.of("losses.csv", csv.toString()),
                json);
    }

    private Grid grid(Law law, double t, Population data, Tools tools, StringBuilder csv) throws InterruptedException {
        double[] at =
                file.times().at().stream().mapToDouble(Double::doubleValue).toArray();
        double[][][] gap = new double[at.length][file.model().psiP().size()]
                [file.model().psiN().size()];
        Scalars scalars =
                Scalars.of(file.model().activation(), t, data.covariance().mean());
        for (TheoryFile.Case one : file.cases()) {
            if (!one.law().equals(law) || one.t() != t) {
                continue;
            }
            tools.progress().begin(SpectrumExperiment.label(one) + ", seed " + one.seed());
            var drawn =
                    GaussianEquivalent.draw(file.sizes(one), scalars, data.covariance(), one.seed(), tools.lapack());
            List<Losses> losses = new GradientFlow(drawn.modes(), tools.lapack()).at(at);
            int row = file.model().psiP().indexOf(one.psiP());
            int column = file.model().psiN().indexOf(one.psiN());
            for (int i = 0; i < at.length; i++) {
                gap[i][row][column] += losses.get(i).gap() / file.seeds();
                csv.append(law.name()).append(',').append(t).append(',').append(one.psiP());
                csv.append(',')
                        .append(one.psiN())
                        .append(',')
                        .append(one.seed())
                        .append(',')
                        .append(at[i]);
                csv.append(',')
                        .append(losses.get(i).train())
                        .append(',')
                        .append(losses.get(i).test())
                        .append('\n');
            }
            tools.progress().end();
        }
        return new Grid(law, t, gap);
    }

    private String name(Grid grid) {
        return Words.fileName(grid.law.name() + "_t" + Words.exact(grid.t));
    }

    private HeatMap map(Grid grid, int time) {
        return new HeatMap(
                "L_gen at τ = " + Words.exact(file.times().at().get(time)) + ", t = " + Words.exact(grid.t) + " ("
                        + grid.law.name() + ")",
                new HeatMap.Labels("ψp = p/d", words(file.model().psiP())),
                new HeatMap.Labels("ψn = n/d", words(file.model().psiN())),
                transposed(grid.gap[time]),
                LEVEL,
                "test minus train loss; colours are logarithmic; black line: " + LEVEL);
    }

    private static List<String> words(List<Double> values) {
        return values.stream().map(Words::exact).toList();
    }

    private static double[][] transposed(double[][] values) {
        double[][] turned = new double[values[0].length][values.length];
        for (int i = 0; i < values.length; i++) {
            for (int j = 0; j < values[i].length; j++) {
                turned[j][i] = values[i][j];
            }
        }
        return turned;
    }

    /// psi_n above which L_gen is below the level, interpolated between the grid's points in logarithms; NaN if it
    /// is at every one, infinite if at none.
    private double boundary(double[] gap) {
        List<Double> psi = file.model().psiN();
        int last = -1;
        for (int i = 0; i < gap.length; i++) {
            last = gap[i] > LEVEL ? i : last;
        }
        if (last < 0) {
            return Double.NaN;
        }
        if (last + 1 == gap.length) {
            return Double.POSITIVE_INFINITY;
        }
        double below = Math.max(gap[last + 1], 1e-12);
        double part = Math.log(gap[last] / LEVEL) / Math.log(gap[last] / below);
        return psi.get(last) * Math.pow(psi.get(last + 1) / psi.get(last), part);
    }

    private String rises(Grid grid) {
        int compared = 0;
        int risen = 0;
        for (int row = 0; row < file.model().psiP().size(); row++) {
            for (int time = 1; time < grid.gap.length; time++) {
                double before = boundary(grid.gap[time - 1][row]);
                double after = boundary(grid.gap[time][row]);
                if (Double.isFinite(before) && !Double.isNaN(after)) {
                    compared++;
                    risen += after > before ? 1 : 0;
                }
            }
        }
        return Words.titled(grid.law.name() + ", t = " + Words.exact(grid.t), "")
                + "between training times, the boundary L_gen = " + LEVEL + " moves to more training points at " + risen
                + " of " + compared + " values of ψp (paper, Figure 5 C: it moves up with τ).";
    }

    private AuditReport.Table table(Grid grid) {
        List<String> head = new ArrayList<>(List.of("ψp"));
        file.times().at().forEach(tau -> head.add("ψn at τ = " + Words.exact(tau)));
        List<List<String>> rows = new ArrayList<>();
        for (int row = 0; row < file.model().psiP().size(); row++) {
            List<String> cells =
                    new ArrayList<>(List.of(Words.exact(file.model().psiP().get(row))));
            for (double[][] values : grid.gap) {
                double at = boundary(values[row]);
                cells.add(
                        Double.isNaN(at)
                                ? "below the map"
                                : Double.isInfinite(at) ? "above the map" : Words.number(at));
            }
            rows.add(cells);
        }
        return new AuditReport.Table(
                "Boundary, " + grid.law.name() + ", t = " + Words.exact(grid.t),
                "Number of training points per dimension above which L_gen is below " + LEVEL + ".",
                head,
                rows);
    }

    private Plot boundaries(Grid grid) {
        List<Line> lines = new ArrayList<>();
        List<Double> at = file.times().at();
        for (int time = 0; time < at.size(); time++) {
            List<Point> points = new ArrayList<>();
            for (int row = 0; row < file.model().psiP().size(); row++) {
                double psi = boundary(grid.gap[time][row]);
                points.add(Point.of(file.model().psiP().get(row), Double.isInfinite(psi) ? Double.NaN : psi));
            }
            lines.add(new Line("τ = " + Words.exact(at.get(time)), new Shade(time, at.size()), Style.SOLID, points));
        }
        List<Point> diagonal =
                file.model().psiP().stream().map(psi -> Point.of(psi, psi)).toList();
        lines.add(new Line("ψn = ψp (large τ)", new Shade(1, 0), Style.DASHED, diagonal));
        return new Plot(
                "boundary_" + name(grid),
                name(grid),
                "boundary",
                "Boundary of memorization, t = " + Words.exact(grid.t) + " (" + grid.law.name() + ")",
                "ψn above which L_gen < " + LEVEL
                        + " at that training time. Dashed: the architectural threshold at infinite" + " time.",
                new Axis("ψp = p/d", true),
                new Axis("ψn = n/d", true),
                lines);
    }

    private void json(ObjectNode node, Grid grid) {
        node.put("law", grid.law.name()).put("t", grid.t).put("level", LEVEL);
        ArrayNode cells = node.putArray("l_gen");
        for (int time = 0; time < grid.gap.length; time++) {
            for (int row = 0; row < grid.gap[time].length; row++) {
                for (int column = 0; column < grid.gap[time][row].length; column++) {
                    cells.addObject()
                            .put("tau", file.times().at().get(time))
                            .put("psi_p", file.model().psiP().get(row))
                            .put("psi_n", file.model().psiN().get(column))
                            .put("value", grid.gap[time][row][column]);
                }
            }
        }
    }
}
