package dev.rote.measure;

import dev.rote.metrics.Interval;
import dev.rote.metrics.MemorizedFraction;
import dev.rote.storage.TensorBoardEvents;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import tools.jackson.databind.node.ObjectNode;

/// The records of `metrics.jsonl` and their TensorBoard counterparts.
///
/// | kind | fields |
/// |---|---|
/// | `start` | `step`, `device`, `threads` |
/// | `base_rate` | `step` 0, `memorized_fraction`: list of fractions, of held-out images |
/// | `train` | `step`, `loss` (mean since the last record), `images_per_second` |
/// | `measure` | `step`, `samples`, `memorized_fraction` (a list), `ratios`, `frechet`, `scores`, `losses`, `seconds` |
/// | `check` | `step`, `gap`, `copies`, `samples`, `tau_mem`, `passed`, `kept`, `seconds`: of `stop.rule` |
/// | `stop` | `step`, `early`, `kept`, `why`: complete, `early` if it copied; `best.safetensors` is of step `kept` |
/// | `end` | `step`: the run is complete |
///
/// `scores` is a list of {`name`, `space`, `value`, `low`, `high`}, the last two where they are known; absent if none
/// is wanted. `frechet` is {`value`, `low`, `high`, `features`}, `losses` a list of {`t`, `train`, `test`}. A
/// fraction is {`k`, `value`, `low`, `high`, `wilson_low`, `wilson_high`}, an interval {`value`, `low`, `high`},
/// both at 95 %.
final class RunRecords {
    private RunRecords() {}

    static Map<String, Object> record(String kind, int step) {
        Map<String, Object> record = new LinkedHashMap<>();
        record.put("kind", kind);
        record.put("step", step);
        return record;
    }

    static Map<String, Object> training(int step, float[] losses, double imagesPerSecond) {
        double sum = 0;
        for (float loss : losses) {
            sum += loss;
        }
        Map<String, Object> record = record("train", step);
        record.put("loss", sum / losses.length);
        record.put("images_per_second", imagesPerSecond);
        return record;
    }

    static List<Map<String, Object>> fractions(List<MemorizedFraction> fractions) {
        List<Map<String, Object>> list = new ArrayList<>();
        for (MemorizedFraction fraction : fractions) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("k", fraction.k());
            entry.putAll(interval(fraction.bootstrap()));
            entry.put("wilson_low", fraction.wilson().low());
            entry.put("wilson_high", fraction.wilson().high());
            list.add(entry);
        }
        return list;
    }

    private static Map<String, Object> interval(Interval interval) {
        Map<String, Object> entry = new LinkedHashMap<>();
        entry.put("value", interval.value());
        entry.put("low", interval.low());
        entry.put("high", interval.high());
        return entry;
    }

    static Map<String, Object> measurement(Measurement measurement) {
        Map<String, Object> record = record("measure", measurement.step());
        record.put("samples", measurement.samples());
        if (!measurement.memorized().isEmpty()) {
            record.put("memorized_fraction", fractions(measurement.memorized()));
            record.put("ratios", measurement.ratios());
        }
        measurement.frechet().ifPresent(value -> {
            // Not Map.of: its order differs from process to process.
            Map<String, Object> entry = interval(value);
            entry.put("features", measurement.features());
            record.put("frechet", entry);
        });
        if (!measurement.scores().isEmpty()) {
            record.put("scores", scores(measurement.scores()));
        }
        List<Map<String, Object>> losses = new ArrayList<>();
        measurement.losses().forEach((time, pair) -> {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("t", time);
            entry.put("train", interval(pair.train()));
            pair.test().ifPresent(test -> entry.put("test", interval(test)));
            losses.add(entry);
        });
        record.put("losses", losses);
        record.put("seconds", measurement.seconds());
        return record;
    }

    private static List<Map<String, Object>> scores(List<Measurement.Score> scores) {
        List<Map<String, Object>> list = new ArrayList<>();
        for (Measurement.Score score : scores) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("name", score.name());
            entry.put("space", score.space());
            entry.put("value", score.value());
            if (!Double.isNaN(score.low())) {
                entry.put("low", score.low());
                entry.put("high", score.high());
            }
            list.add(entry);
        }
        return list;
    }

    /// `gap` is absent without held-out images, `copies`, `samples` and `tau_mem` before images are generated, `kept`
    /// if no model is early enough.
    static Map<String, Object> check(StopRule.Check check, StopRule.Decision decision, double seconds) {
        Map<String, Object> record = record("check", check.step());
        check.gap().ifPresent(gap -> record.put("gap", gap));
        check.copies().ifPresent(copies -> {
            record.put("copies", copies);
            record.put("samples", check.samples());
        });
        decision.onset().ifPresent(onset -> record.put("tau_mem", interval(onset)));
        record.put("passed", decision.passed());
        decision.kept().ifPresent(step -> record.put("kept", step));
        record.put("seconds", seconds);
        return record;
    }

    /// Reads back what [#check(StopRule.Check, StopRule.Decision, double)] wrote.
    static StopRule.Check check(ObjectNode record) {
        return new StopRule.Check(
                record.path("step").asInt(),
                record.has("gap") ? OptionalDouble.of(record.path("gap").asDouble()) : OptionalDouble.empty(),
                record.has("copies") ? OptionalInt.of(record.path("copies").asInt()) : OptionalInt.empty(),
                record.path("samples").asInt(0));
    }

    static Map<String, Object> stop(int step, StopRule.Decision decision, String why) {
        Map<String, Object> record = record("stop", step);
        record.put("early", decision.stop());
        decision.kept().ifPresent(kept -> record.put("kept", kept));
        record.put("why", why);
        return record;
    }

    static void plot(TensorBoardEvents events, StopRule.Check check, StopRule.Decision decision) {
        check.gap().ifPresent(gap -> events.scalar("stop/gap", check.step(), (float) gap));
        check.copies()
                .ifPresent(copies -> events.scalar("stop/copies", check.step(), (float) copies / check.samples()));
        events.scalar("stop/passed", check.step(), (float) decision.passed());
    }

    static void plot(TensorBoardEvents events, Measurement measurement) {
        int step = measurement.step();
        for (MemorizedFraction fraction : measurement.memorized()) {
            events.scalar("memorized_fraction/k=%.3g".formatted(fraction.k()), step, (float) fraction.value());
        }
        measurement
                .frechet()
                .ifPresent(value -> events.scalar("frechet/" + measurement.features(), step, (float) value.value()));
        for (Measurement.Score score : measurement.scores()) {
            events.scalar(score.name() + "@" + score.space(), step, (float) score.value());
        }
        measurement.losses().forEach((time, pair) -> {
            events.scalar(
                    "loss_t=" + time + "/train", step, (float) pair.train().value());
            pair.test().ifPresent(test -> events.scalar("loss_t=" + time + "/test", step, (float) test.value()));
        });
    }
}
