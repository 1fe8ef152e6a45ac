package dev.rote.tools.window;

import dev.rote.metrics.GenerationForecast;
import dev.rote.metrics.GenerationForecast.Known;
import dev.rote.metrics.GenerationForecast.Point;
import dev.rote.metrics.GenerationForecast.Prior;
import dev.rote.metrics.Interval;
import dev.rote.metrics.LogNormal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/// Which prior of tau_gen recorded runs would choose: the one under which forecasts from their small runs give what the
/// large ones did the highest mean logarithmic score ([GenerationForecast#score]). Whether such a choice serves other
/// images too is seen by leaving out one kind at a time.
final class PriorChoice {
    private static final double[] EXPONENTS = {0, 0.2, 0.4, 0.6, 0.8};
    private static final double[] DEVIATIONS = {0.1, 0.2, 0.3, 0.5};
    private static final double[] SCATTERS = {0.3, 0.4, 0.5, 0.7, 1};

    private static final List<String> HEAD = List.of(
            "| exponent | its deviation | scatter | which | forecasts | mean score | interval holds the truth"
                    + " | median width of the interval |",
            "|---|---|---|---|---|---|---|---|");

    /// Rows of the best ones.
    private static final int SHOWN = 5;

    /// A forecast to be made with any prior, and what it should have said.
    private record Case(String images, List<Point> points, LogNormal tauMem, Point truth) {
        double score(Prior prior) {
            return GenerationForecast.score(points, truth.n(), tauMem, prior, truth);
        }

        Interval interval(Prior prior) {
            return GenerationForecast.of(points, truth.n(), tauMem, prior).time();
        }
    }

    private final List<Case> cases = new ArrayList<>();

    /// Of the scores of each prior, by kind of images.
    private final Map<Prior, Map<String, Double>> sums = new LinkedHashMap<>();

    /// @param trials without the beginning of the run; those of the same run from the same small ones count once
    PriorChoice(List<PredictionTrial> trials) {
        Set<List<Object>> seen = new LinkedHashSet<>();
        for (PredictionTrial trial : trials) {
            List<SmallRun> small = trial.forecast().runs();
            List<Point> points = Forecast.generation(small);
            if (!points.isEmpty() && seen.add(List.of(trial.large(), small))) {
                LogNormal tauMem = Forecast.memorization(small).orElseThrow().about(trial.n());
                String images = Grouping.images(trial.large().config().data());
                trial.truth()
                        .generation(trial.n())
                        .ifPresent(truth -> cases.add(new Case(images, points, tauMem, truth)));
            }
        }
        for (Prior prior : candidates()) {
            Map<String, Double> each = new LinkedHashMap<>();
            cases.forEach(one -> each.merge(one.images(), one.score(prior), Double::sum));
            sums.put(prior, each);
        }
    }

    private static List<Prior> candidates() {
        List<Prior> priors = new ArrayList<>(List.of(Prior.RECORDED));
        for (double exponent : EXPONENTS) {
            for (double deviation : DEVIATIONS) {
                for (double scatter : SCATTERS) {
                    Prior prior = new Prior(exponent, deviation, scatter);
                    if (!priors.contains(prior)) {
                        priors.add(prior);
                    }
                }
            }
        }
        return priors;
    }

    /// The best priors beside the one in use; no table where there is nothing to choose by.
    List<String> best() {
        if (cases.isEmpty()) {
            return List.of();
        }
        List<String> lines = new ArrayList<>(HEAD);
        lines.add(row(Prior.RECORDED, "in use", cases));
        sums.keySet().stream()
                .sorted(Comparator.comparingDouble((Prior prior) -> without(prior, ""))
                        .reversed())
                .limit(SHOWN)
                .forEach(prior -> lines.add(row(prior, "best", cases)));
        return lines;
    }

    /// What the other kinds of images choose, judged by the one that is left out; no table of one kind.
    List<String> leavingOneOut() {
        List<String> kinds =
                cases.stream().map(Case::images).distinct().sorted().toList();
        if (kinds.size() < 2) {
            return List.of();
        }
        List<String> lines = new ArrayList<>(HEAD);
        for (String kind : kinds) {
            List<Case> inside =
                    cases.stream().filter(one -> one.images().equals(kind)).toList();
            lines.add(row(without(kind), "chosen without " + kind + ", judged by it", inside));
            lines.add(row(Prior.RECORDED, "in use, judged by " + kind, inside));
        }
        return lines;
    }

    /// The best one by all other kinds.
    private Prior without(String kind) {
        return sums.keySet().stream()
                .max(Comparator.comparingDouble(prior -> without(prior, kind)))
                .orElseThrow();
    }

    private double without(Prior prior, String kind) {
        return sums.get(prior).entrySet().stream()
                .filter(sum -> !sum.getKey().equals(kind))
                .mapToDouble(Map.Entry::getValue)
                .sum();
    }

    private static String row(Prior prior, String what, List<Case> judged) {
        int known = 0;
        int held = 0;
        List<Double> widths = new ArrayList<>();
        for (Case one : judged) {
            Interval interval = one.interval(prior);
            widths.add(interval.high() / interval.low());
            if (one.truth().known() == Known.EXACT) {
                known++;
                held += interval.contains(one.truth().tau()) ? 1 : 0;
            }
        }
        OptionalDouble width =
                Judgement.median(widths.stream().mapToDouble(x -> x).toArray());
        return String.format(
                Locale.ROOT,
                "| %.1f | %.1f | %.1f | %s | %d | %.3f | %d of %d | a factor of %.1f |",
                prior.exponent(),
                prior.deviation(),
                prior.scatter(),
                what,
                judged.size(),
                judged.stream().mapToDouble(one -> one.score(prior)).average().orElseThrow(),
                held,
                known,
                width.orElseThrow());
    }
}
