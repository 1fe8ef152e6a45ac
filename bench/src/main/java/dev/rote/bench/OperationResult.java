package dev.rote.bench;

import dev.rote.errors.DataException;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// The time of one operation of a step.
///
/// @param count how often the step has it
/// @param launches runs of the operation in one sample
/// @param timing of one run
/// @param checked whether its result was compared with the definition
record OperationResult(
        Case timed, int count, int launches, Timing timing, long flops, long bytes, double floorMs, boolean checked) {

    /// Milliseconds of the step.
    double stepMs() {
        return count * timing.medianMs();
    }

    String json() {
        return JsonMapper.shared()
                .createObjectNode()
                .put("benchmark", timed.benchmark())
                .put("shape", timed.shape())
                .put("type", timed.type())
                .put("count", count)
                .put("launches", launches)
                .put("median_ms", timing.medianMs())
                .put("p10_ms", timing.p10Ms())
                .put("p90_ms", timing.p90Ms())
                .put("samples", timing.samples())
                .put("flops", flops)
                .put("bytes", bytes)
                .put("floor_ms", floorMs)
                .put("checked", checked)
                .toString();
    }

    /// Reads JSON lines as [#json] writes them.
    ///
    /// @param origin names the text in messages
    /// @throws DataException when a line is none of them
    static List<OperationResult> parse(String text, String origin) {
        return text.lines()
                .filter(line -> !line.isBlank())
                .map(line -> parseLine(line, origin))
                .toList();
    }

    private static OperationResult parseLine(String text, String origin) {
        try {
            JsonNode line = JsonMapper.shared().readTree(text);
            return new OperationResult(
                    new Case(
                            line.required("benchmark").stringValue(),
                            line.required("shape").stringValue(),
                            line.required("type").stringValue()),
                    line.required("count").intValue(),
                    line.required("launches").intValue(),
                    Timing.of(line),
                    line.required("flops").longValue(),
                    line.required("bytes").longValue(),
                    line.required("floor_ms").doubleValue(),
                    line.required("checked").booleanValue());
        } catch (JacksonException failure) {
            throw new DataException(origin + ": expected an operation's result, found " + text, failure);
        }
    }
}
