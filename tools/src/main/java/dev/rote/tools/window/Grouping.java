package dev.rote.tools.window;

import dev.rote.config.DataConfig;
import dev.rote.config.RunConfig;
import dev.rote.config.StopConfig;
import dev.rote.config.TrainConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;

/// By what runs are told apart when a rule is judged part by part.
enum Grouping {
    IMAGES("images"),
    SIZE("image size"),
    N("n"),
    WIDTH("width"),
    OPTIMIZER("optimizer"),
    BATCH("batch");

    /// Runs that are alike in one thing.
    ///
    /// @param by that thing
    /// @param value what it is
    /// @param all how the rule did
    /// @param open how it did where the window is wider than [GenerationForecast#OPEN]
    record Part(String by, String value, Judgement all, Judgement open) {}

    /// @param order where it stands among the values of its kind
    private record Value(double order, String text) {
        static final Comparator<Value> BY_ORDER =
                Comparator.comparingDouble(Value::order).thenComparing(Value::text);

        static Value of(int number) {
            return new Value(number, Integer.toString(number));
        }
    }

    /// Where a class of n begins: a factor of 4, so that two sizes that double fall into each.
    private static final int[] CLASSES = {16, 64, 256, 1024};

    private final String words;

    Grouping(String words) {
        this.words = words;
    }

    /// The parts of every grouping with more than one.
    ///
    /// @param runs of which those with a known window are judged
    static List<Part> parts(Rule rule, List<RecordedRun> runs, StopConfig stop) {
        List<Part> parts = new ArrayList<>();
        List<RecordedRun> known =
                runs.stream().filter(run -> run.width(stop) > 0).toList();
        for (Grouping grouping : values()) {
            TreeMap<Value, List<RecordedRun>> groups = new TreeMap<>(Value.BY_ORDER);
            known.forEach(run -> groups.computeIfAbsent(grouping.of(run.config()), key -> new ArrayList<>())
                    .add(run));
            if (groups.size() > 1) {
                groups.forEach((value, group) -> parts.add(new Part(
                        grouping.words,
                        value.text(),
                        Judgement.of(rule, group, stop),
                        Judgement.of(rule, RecordedRun.open(group, stop), stop))));
            }
        }
        return parts;
    }

    private Value of(RunConfig config) {
        return switch (this) {
            case IMAGES -> new Value(0, images(config.data()));
            case SIZE -> size(config.data().size());
            case N -> n(config.data().n());
            case WIDTH -> Value.of(config.model().width());
            case OPTIMIZER -> new Value(0, optimizer(config.train()));
            case BATCH -> Value.of(config.train().effectiveBatch(config.data().n()));
        };
    }

    /// A built-in set's name, or the last part of a path.
    static String images(DataConfig data) {
        String[] parts = data.source().split("[/\\\\:]+");
        return parts.length == 0 ? data.source() : parts[parts.length - 1];
    }

    private static Value size(int side) {
        return side == 0 ? new Value(0, "as they are") : new Value(side, side + "x" + side);
    }

    private static Value n(int n) {
        if (n < CLASSES[0]) {
            return new Value(0, "below " + CLASSES[0]);
        }
        int i = CLASSES.length - 1;
        while (n < CLASSES[i]) {
            i--;
        }
        String text = i == CLASSES.length - 1
                ? String.format(Locale.ROOT, "%,d and more", CLASSES[i])
                : String.format(Locale.ROOT, "%,d to %,d", CLASSES[i], CLASSES[i + 1] - 1);
        return new Value(CLASSES[i], text);
    }

    private static String optimizer(TrainConfig train) {
        return train.optimizer().word() + (train.ema() > 0 ? ", EMA " + train.ema() : ", no EMA");
    }
}
