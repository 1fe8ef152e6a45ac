package dev.rote.tools.window;

import dev.rote.config.RunConfig;
import dev.rote.metrics.GenerationForecast;
import dev.rote.metrics.Interval;
import dev.rote.metrics.WindowPrediction.Prior;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// A forecast for people and for programs.
final class ForecastText {
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private ForecastText() {}

    static List<String> lines(Forecast forecast, RunConfig large) {
        List<String> lines = new ArrayList<>();
        String sizes = String.join(
                ", ",
                forecast.runs().stream()
                        .map(run -> Integer.toString(run.n()))
                        .distinct()
                        .toList());
        lines.add(String.format(
                Locale.ROOT,
                "%d small run%s (n = %s) took %,d updates%s",
                forecast.runs().size(),
                forecast.runs().size() == 1 ? "" : "s",
                sizes,
                forecast.updates(),
                forecast.cost()
                        .map(share -> String.format(Locale.ROOT, ", %.1f %% of those up to 2 tau_mem", 100 * share))
                        .orElse("")));
        if (forecast.tauMem().isEmpty()) {
            lines.add("tau_mem: no small run copied within train.steps = "
                    + large.train().steps() + "; raise it, or give smaller --sizes");
            return lines;
        }
        forecast.beginning()
                .ifPresent(run -> lines.add(String.format(
                        Locale.ROOT,
                        "the run itself, at step %,d: %s",
                        run.step(),
                        run.tauMem()
                                .map(tau -> "by the gap of its losses tau_mem is " + updates(tau))
                                .orElse("its losses have not parted enough to tell"))));
        lines.add("tau_mem at n = " + forecast.n() + ": "
                + updates(forecast.tauMem().get()) + ", if it grows as (n + " + Math.round(Prior.MEMORIZATION.offset())
                + ")^"
                + exponent(forecast.exponent().orElseThrow()));
        lines.add("tau_gen: "
                + forecast.tauGen()
                        .map(found -> updates(found.time()) + bounds(forecast))
                        .orElse("not known from these runs"));
        lines.add(window(forecast));
        return lines;
    }

    private static String bounds(Forecast forecast) {
        if (forecast.bounds() == 0) {
            return "";
        }
        return forecast.runs().size() == 1
                ? "; the small run knows only a bound"
                : "; " + forecast.bounds() + " of " + forecast.runs().size() + " small runs know only a bound";
    }

    private static String window(Forecast forecast) {
        double safe = forecast.tauMem().orElseThrow().low();
        if (forecast.tauGen().isEmpty()) {
            return String.format(Locale.ROOT, "stop before %,.0f updates; train with --stop before-memorization", safe);
        }
        double good = forecast.tauGen().get().time().high();
        double open = forecast.tauGen().get().open();
        String chance = String.format(
                Locale.ROOT,
                "window: wider than a factor of %.1f with a probability of %.0f %%",
                GenerationForecast.OPEN,
                100 * open);
        if (good < safe) {
            return String.format(
                    Locale.ROOT,
                    "%s, from %,.0f to %,.0f updates by both intervals; train with --stop before-memorization",
                    chance,
                    good,
                    safe);
        }
        return chance
                + (open >= 0.5
                        ? ", where is not certain; train with --stop before-memorization"
                        : "; more images, or --stop before-memorization and an audit");
    }

    private static String updates(Interval tau) {
        return String.format(
                Locale.ROOT, "%,.0f updates (95 %% interval %,.0f to %,.0f)", tau.value(), tau.low(), tau.high());
    }

    private static String exponent(Interval a) {
        return String.format(Locale.ROOT, "%.2f (%.2f to %.2f)", a.value(), a.low(), a.high());
    }

    static String json(Forecast forecast) {
        ObjectNode root = JSON.createObjectNode();
        root.put("n", forecast.n());
        root.put("updates", forecast.updates());
        forecast.cost().ifPresent(share -> root.put("cost", share));
        forecast.tauMem().ifPresent(tau -> put(root.putObject("tau_mem"), tau));
        forecast.exponent().ifPresent(a -> put(root.putObject("exponent"), a));
        forecast.tauGen().ifPresent(found -> {
            put(root.putObject("tau_gen"), found.time());
            root.putObject("window").put("factor", GenerationForecast.OPEN).put("probability", found.open());
        });
        forecast.beginning().ifPresent(run -> {
            ObjectNode entry = root.putObject("run").put("step", run.step());
            run.tauMem().ifPresent(tau -> put(entry.putObject("tau_mem"), tau));
        });
        var runs = root.putArray("runs");
        for (SmallRun run : forecast.runs()) {
            ObjectNode entry = runs.addObject();
            entry.put("n", run.n()).put("updates", run.steps());
            run.tauMem().ifPresent(tau -> put(entry.putObject("tau_mem"), tau));
            run.tauGen().ifPresent(tau -> entry.put("tau_gen", tau.tau()).put("tau_gen_known", word(tau.known())));
        }
        return root.toPrettyString() + "\n";
    }

    private static String word(GenerationForecast.Known known) {
        return switch (known) {
            case EXACT -> "exact";
            case AT_LEAST -> "at least";
            case AT_MOST -> "at most";
        };
    }

    private static void put(ObjectNode node, Interval interval) {
        node.put("value", interval.value()).put("low", interval.low()).put("high", interval.high());
    }
}
