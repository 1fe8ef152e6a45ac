package dev.rote.bench;

import dev.rote.errors.DataException;
import java.util.List;
import java.util.Locale;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// How often a peer's search for nearest neighbours is wrong on near copies, as `peers/nearest.py --wrong` prints it.
///
/// @param way how the peer computes distances, such as `matrix product`
/// @param noise standard deviation of what a copy differs by, in units of the range of pixels
/// @param first share of queries with a wrong nearest
/// @param second share of queries with a wrong second
/// @param distance share of queries whose distance to the nearest is wrong by more than a thousandth of it
/// @param worst largest error of such a distance
/// @param line the complete JSON object that the peer printed
record WrongAnswers(
        String way,
        String type,
        String shape,
        double noise,
        double first,
        double second,
        double distance,
        double worst,
        JsonNode line) {

    /// Reads the JSON lines of a log, whose other lines are passed over.
    ///
    /// @param origin names the text in messages
    /// @throws DataException when a JSON line is no such result
    static List<WrongAnswers> parse(String text, String origin) {
        return text.lines()
                .filter(line -> line.startsWith("{"))
                .map(line -> parseLine(line, origin))
                .toList();
    }

    private static WrongAnswers parseLine(String text, String origin) {
        try {
            JsonNode line = JsonMapper.shared().readTree(text);
            return new WrongAnswers(
                    line.required("wrong_answers").stringValue(),
                    line.required("type").stringValue(),
                    line.required("shape").stringValue(),
                    line.required("noise").doubleValue(),
                    line.required("wrong_first").doubleValue(),
                    line.required("wrong_second").doubleValue(),
                    line.required("wrong_distance").doubleValue(),
                    line.required("worst_distance").doubleValue(),
                    line);
        } catch (JacksonException failure) {
            throw new DataException(origin + ": expected a count of wrong answers, found " + text, failure);
        }
    }

    /// One row of [ResultTable].
    String row() {
        return String.format(
                Locale.ROOT,
                "| %s | %s | %s | %s | %.1f %% | %.1f %% | %.1f %% | %.2g |%n",
                way,
                shape,
                type,
                noise,
                100 * first,
                100 * second,
                100 * distance,
                worst);
    }
}
