package dev.rote.bench;

import dev.rote.errors.DataException;
import java.util.List;
import java.util.stream.IntStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A peer's time of one case, with its best setting.
///
/// @param line the complete JSON object that the peer printed
public record Peer(Case timed, String name, String version, String setting, Timing timing, JsonNode line) {
    /// Reads JSON lines as the scripts in `bench/peers` print them.
    ///
    /// @param origin names the text in messages
    /// @throws DataException with the line's number when it is none of them
    static List<Peer> parse(String text, String origin) {
        List<String> lines = text.lines().toList();
        return IntStream.range(0, lines.size())
                .filter(i -> !lines.get(i).isBlank())
                .mapToObj(i -> parseLine(lines.get(i), origin + ": line " + (i + 1)))
                .toList();
    }

    /// The peers' times of one case.
    static List<Peer> of(Case timed, List<Peer> peers) {
        return peers.stream().filter(peer -> peer.timed.equals(timed)).toList();
    }

    /// The time of a step of each of `runs` runs, one after the other.
    ///
    /// @param all the case of ours that does the same
    Peer oneAfterAnother(Case all, int runs) {
        Timing together =
                new Timing(runs * timing.medianMs(), runs * timing.p10Ms(), runs * timing.p90Ms(), timing.samples());
        return new Peer(all, name, version, setting + ", one after another", together, line);
    }

    private static Peer parseLine(String text, String where) {
        try {
            JsonNode line = JsonMapper.shared().readTree(text);
            return new Peer(
                    new Case(string(line, "benchmark"), string(line, "shape"), string(line, "type")),
                    string(line, "peer"),
                    string(line, "version"),
                    string(line, "setting"),
                    Timing.of(line),
                    line);
        } catch (JacksonException failure) {
            throw new DataException(where + ": expected a peer's result, found " + text, failure);
        }
    }

    private static String string(JsonNode line, String key) {
        return line.required(key).stringValue();
    }
}
