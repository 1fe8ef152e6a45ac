package dev.rote.tools.theory;

import dev.rote.metrics.CollapseScore;
import dev.rote.metrics.Interval;
import dev.rote.metrics.PowerLawFit;
import dev.rote.metrics.StudentT;
import dev.rote.theory.Losses;
import dev.rote.tools.report.AuditReport;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/// Tables, sentences and files about trainings, in closed form or step by step.
final class TrajectoryReport {
    /// The paper's exponent of the least E_score, not an accurate estimate by its own words.
    private static final double PAPER_EXPONENT = -0.59;

    private final TheoryFile file;
    private final List<Scaling> groups;
    private final String clock;

    /// @param clock name of the training time
    TrajectoryReport(TheoryFile file, List<Trajectory> all, String clock) {
        this.file = file;
        this.groups = groups(file, all);
        this.clock = clock;
    }

    static List<Scaling> groups(TheoryFile file, List<Trajectory> all) {
        Map<String, List<Trajectory>> groups = new LinkedHashMap<>();
        for (Trajectory each : all) {
            groups.computeIfAbsent(Words.group(file, each.one()), name -> new ArrayList<>())
                    .add(each);
        }
        return groups.entrySet().stream()
                .map(entry -> new Scaling(entry.getKey(), entry.getValue()))
                .toList();
    }

    List<Scaling> groups() {
        return groups;
    }

    String verdict() {
        List<PowerLawFit> fixed = groups.stream()
                .flatMap(group -> group.fit(group::time).stream())
                .toList();
        List<PowerLawFit> own = groups.stream()
                .flatMap(group -> group.fit(Trajectory::half).stream())
                .toList();
        if (fixed.isEmpty() || own.isEmpty()) {
            return groups.stream().mapToInt(group -> group.all().size()).sum() + " trainings.";
        }
        return "The time at which L_gen reaches one level for all n grows as n^" + exponents(fixed)
                + "; that of half of its own end as n^" + exponents(own) + ".";
    }

    /// One exponent with its interval, or the least and the largest of several groups.
    private static String exponents(List<PowerLawFit> fits) {
        if (fits.size() == 1) {
            return exponent(fits.getFirst());
        }
        double[] values = fits.stream()
                .mapToDouble(fit -> fit.exponent().value())
                .sorted()
                .toArray();
        return plain(values[0]) + " to n^" + plain(values[values.length - 1]) + " in " + fits.size() + " groups";
    }

    List<String> facts() {
        List<String> facts = new ArrayList<>();
        for (Scaling group : groups) {
            List<String> parts = new ArrayList<>();
            group.fit(group::time)
                    .ifPresent(fit ->
                            parts.add("time of L_gen = " + Words.number(group.level()) + " ~ n^" + exponent(fit)));
            group.fit(Trajectory::half).ifPresent(fit -> parts.add("time of half of its own end ~ n^" + exponent(fit)));
            group.fit(Trajectory::split).ifPresent(fit -> parts.add("loss split ~ n^" + exponent(fit)));
            if (scored(group)) {
                group.fit(t -> t.bestScore().score()).ifPresent(fit -> parts.add("least E_score ~ n^" + exponent(fit)));
            }
            group.collapse(t -> t.bulks().memorizationTime())
                    .ifPresent(score -> parts.add("as a function of " + clock + "/τ_mem, curves of L_gen agree within a"
                            + " factor " + factor(score.collapsed()) + " in time (of " + clock + " itself: "
                            + factor(score.raw()) + ")"));
            if (!parts.isEmpty()) {
                facts.add(Words.titled(group.group(), String.join("; ", parts)) + ".");
            }
        }
        return facts;
    }

    private static boolean scored(Scaling group) {
        return group.all().stream().allMatch(t -> Double.isFinite(t.end().score()));
    }

    private static String exponent(PowerLawFit fit) {
        return plain(fit.exponent().value()) + range(fit.exponent());
    }

    private static String plain(double exponent) {
        return Words.number(exponent);
    }

    private static String range(Interval interval) {
        return Double.isFinite(interval.low())
                ? " (95 %: " + plain(interval.low()) + " to " + plain(interval.high()) + ")"
                : "";
    }

    private static String factor(double score) {
        return Words.number(Math.exp(Math.sqrt(score)));
    }

    List<AuditReport.Table> tables() {
        return List.of(runs(), laws());
    }

    private AuditReport.Table runs() {
        List<List<String>> rows = new ArrayList<>();
        for (Scaling group : groups) {
            Map<Double, List<Trajectory>> byPsi = new LinkedHashMap<>();
            group.all().forEach(t -> byPsi.computeIfAbsent(t.one().psiN(), psi -> new ArrayList<>())
                    .add(t));
            byPsi.forEach((psi, seeds) -> rows.add(row(group, psi, seeds)));
        }
        return new AuditReport.Table(
                "Trainings",
                "Means over " + file.seeds() + " draw"
                        + (file.seeds() == 1 ? "" : "s, with 95 % intervals (Student’s t)")
                        + ". Training time: " + clock
                        + ". τ_mem of Theorem 3.2 holds for p ≫ n ≫ d. Split: the test loss is"
                        + " 10 % above the train loss; with few points per dimension the plateau itself, whose gap falls as"
                        + " ψn^−0.5, is above that. Level: half of the least L_gen at infinite time in the group.",
                List.of(
                        "group",
                        "ψn",
                        "τ_mem",
                        "least E_score",
                        "at",
                        "least test loss",
                        "train at ∞",
                        "test at ∞",
                        "split",
                        "L_gen at the level",
                        "half of its end"),
                rows);
    }

    private static List<String> row(Scaling group, double psi, List<Trajectory> seeds) {
        return List.of(
                group.group().isEmpty() ? "all" : group.group(),
                Words.exact(psi),
                Words.number(seeds.getFirst().bulks().memorizationTime()),
                mean(seeds, t -> t.bestScore().score()),
                mean(seeds, t -> t.bestScore().tau()),
                mean(seeds, t -> t.bestTest().test()),
                mean(seeds, t -> t.end().train()),
                mean(seeds, t -> t.end().test()),
                mean(seeds, Trajectory::split),
                mean(seeds, group::time),
                mean(seeds, Trajectory::half));
    }

    private static String mean(List<Trajectory> seeds, ToDoubleFunction<Trajectory> value) {
        double[] values = seeds.stream().mapToDouble(value).toArray();
        for (double one : values) {
            if (!Double.isFinite(one)) {
                return "–";
            }
        }
        return Words.interval(StudentT.mean(values, 0.95));
    }

    private AuditReport.Table laws() {
        List<List<String>> rows = new ArrayList<>();
        for (Scaling group : groups) {
            String name = group.group().isEmpty() ? "all" : group.group();
            law(
                    rows,
                    name,
                    "time of L_gen = " + Words.number(group.level()),
                    group.fit(group::time),
                    "1 where p ≫ n ≫ d");
            law(rows, name, "time of half of its own end", group.fit(Trajectory::half), "–");
            law(rows, name, "loss split", group.fit(Trajectory::split), "–");
            law(rows, name, "τ_mem of Theorem 3.2", group.fit(t -> t.bulks().memorizationTime()), "1 where p ≫ n ≫ d");
            if (scored(group)) {
                law(rows, name, "least E_score", group.fit(t -> t.bestScore().score()), Words.number(PAPER_EXPONENT));
            }
        }
        return new AuditReport.Table(
                "Exponents in n",
                "Least squares in log-log over all draws, 95 % intervals of the regression. Paper: arXiv:2505.17638,"
                        + " section 3 and Figure 13.",
                List.of("group", "quantity", "exponent", "R²", "paper"),
                rows);
    }

    private static void law(
            List<List<String>> rows, String group, String quantity, Optional<PowerLawFit> fit, String paper) {
        fit.ifPresent(found -> rows.add(
                List.of(group, quantity, Words.interval(found.exponent()), Words.number(found.rSquared()), paper)));
    }

    String csv() {
        StringBuilder csv = new StringBuilder("law,t,psi_p,psi_n,seed," + fileClock() + ",train,test,e_score\n");
        for (Scaling group : groups) {
            for (Trajectory each : group.all()) {
                TheoryFile.Case one = each.one();
                String head = one.law().name() + "," + one.t() + "," + one.psiP() + "," + one.psiN() + "," + one.seed();
                List<Losses> rows = new ArrayList<>(each.losses());
                rows.add(each.end());
                for (Losses losses : rows) {
                    csv.append(head)
                            .append(',')
                            .append(losses.tau())
                            .append(',')
                            .append(losses.train());
                    csv.append(',')
                            .append(losses.test())
                            .append(',')
                            .append(losses.score())
                            .append('\n');
                }
            }
        }
        return csv.toString();
    }

    private String fileClock() {
        return clock.equals("τ") ? "tau" : "steps";
    }

    ObjectNode json() {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        ArrayNode trainings = root.putArray("trainings");
        ArrayNode fits = root.putArray("exponents");
        for (Scaling group : groups) {
            for (Trajectory each : group.all()) {
                TheoryFile.Case one = each.one();
                ObjectNode node = trainings.addObject();
                node.put("law", one.law().name()).put("t", one.t()).put("psi_p", one.psiP());
                node.put("psi_n", one.psiN()).put("seed", one.seed());
                number(node, "tau_mem", each.bulks().memorizationTime());
                number(node, "least_e_score", each.bestScore().score());
                number(node, "least_e_score_at", each.bestScore().tau());
                number(node, "least_test", each.bestTest().test());
                number(node, "final_train", each.end().train());
                number(node, "final_test", each.end().test());
                number(node, "split", each.split());
                number(node, "l_gen_at_level", group.time(each));
                number(node, "half_l_gen", each.half());
            }
            fit(fits, group, "l_gen_at_level", group.fit(group::time));
            fit(fits, group, "half_l_gen", group.fit(Trajectory::half));
            fit(fits, group, "split", group.fit(Trajectory::split));
            fit(fits, group, "tau_mem", group.fit(t -> t.bulks().memorizationTime()));
            fit(
                    fits,
                    group,
                    "least_e_score",
                    scored(group) ? group.fit(t -> t.bestScore().score()) : Optional.empty());
            Optional<CollapseScore> collapse = group.collapse(t -> t.bulks().memorizationTime());
            collapse.ifPresent(score -> fits.addObject()
                    .put("group", group.group())
                    .put("quantity", "collapse_in_tau_mem")
                    .put("score", score.collapsed())
                    .put("raw", score.raw()));
        }
        return root;
    }

    /// JSON knows neither NaN nor infinity.
    private static void number(ObjectNode node, String key, double value) {
        if (Double.isFinite(value)) {
            node.put(key, value);
        } else {
            node.putNull(key);
        }
    }

    private static void fit(ArrayNode fits, Scaling group, String quantity, Optional<PowerLawFit> fit) {
        fit.ifPresent(found -> {
            ObjectNode node = fits.addObject().put("group", group.group()).put("quantity", quantity);
            number(node, "exponent", found.exponent().value());
            number(node, "low", found.exponent().low());
            number(node, "high", found.exponent().high());
            number(node, "r_squared", found.rSquared());
        });
    }
}
