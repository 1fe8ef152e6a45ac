package dev.rote.bench;

import dev.rote.errors.DataException;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A time of ours that no benchmark class measures, such as that of a whole command: a JSON object in one line with
/// `benchmark`, `shape`, `type`, `threads`, `items`, and the samples as peers write them.
///
/// @param items images of one run
record OwnLine(Case timed, int threads, int items, Timing timing) {
    /// @param origin names the text in messages
    /// @throws DataException when a line is no such object
    static List<OwnLine> parse(String text, String origin) {
        return text.lines()
                .filter(line -> !line.isBlank())
                .map(line -> parseLine(line, origin))
                .toList();
    }

    private static OwnLine parseLine(String text, String origin) {
        try {
            JsonNode line = JsonMapper.shared().readTree(text);
            Case timed = new Case(
                    line.required("benchmark").stringValue(),
                    line.required("shape").stringValue(),
                    line.required("type").stringValue());
            return new OwnLine(
                    timed,
                    line.required("threads").intValue(),
                    line.required("items").intValue(),
                    Timing.of(line));
        } catch (JacksonException failure) {
            throw new DataException(origin + ": expected a time of ours, found " + text, failure);
        }
    }

    Outcome outcome(List<Peer> peers) {
        return new Outcome(timed, threads, timing, 0, items, peers);
    }
}
