package dev.rote.config;

import dev.rote.errors.DataException;
import dev.rote.errors.EnvironmentException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;
import tools.jackson.dataformat.toml.TomlMapper;

/// A parsed TOML text that has not been given a meaning yet, and knows where each of its values came from.
/// Immutable: changing it gives a new one.
public final class ConfigTree {
    /// No configuration is this long; a file that is was not meant to be one.
    private static final int MAX_BYTES = 1 << 20;

    private static final TomlMapper TOML = TomlMapper.builder().build();

    private final ObjectNode root;
    private final String origin;
    private final Map<String, Integer> lines;
    private final Map<String, String> places;

    private ConfigTree(ObjectNode root, String origin, Map<String, Integer> lines, Map<String, String> places) {
        this.root = root;
        this.origin = origin;
        this.lines = lines;
        this.places = places;
    }

    /// Parses a file.
    ///
    /// @throws DataException when it is missing, not UTF-8, not TOML (with line and column) or above 1 MiB
    /// @throws EnvironmentException when it cannot be read
    public static ConfigTree read(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new DataException(
                    file + ": expected a TOML file, found " + (Files.exists(file) ? "a folder" : "nothing there"));
        }
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw DataException.expected(file, "file", "at most 1 MiB of TOML", Files.size(file) + " bytes");
            }
            var utf8 = StandardCharsets.UTF_8.newDecoder();
            return parse(utf8.decode(ByteBuffer.wrap(Files.readAllBytes(file))).toString(), file.toString());
        } catch (CharacterCodingException e) {
            throw new DataException(file + ": expected UTF-8 text, found other bytes", e);
        } catch (AccessDeniedException e) {
            throw new EnvironmentException(file + ": no permission to read it", e);
        } catch (IOException e) {
            throw new EnvironmentException(file + ": could not be read: " + e.getMessage(), e);
        }
    }

    /// Parses a text; `origin` names it in messages.
    ///
    /// @throws DataException when it is not TOML, with line and column
    public static ConfigTree parse(String text, String origin) {
        try {
            if (TOML.readTree(text) instanceof ObjectNode root) {
                return new ConfigTree(root, origin, KeyLines.of(text), Map.of());
            }
            throw new DataException(origin + ": expected a TOML table, found nothing");
        } catch (JacksonException e) {
            throw new DataException(origin + ": " + position(e) + "expected valid TOML, found: " + fault(e), e);
        }
    }

    /// Sets a dotted key to a value given as text on a command line: the text is read as a TOML value and, if it is
    /// none (`adam`, `/some/folder`), taken as a string.
    ///
    /// @throws DataException when a part of the key before the last is not a table
    public ConfigTree with(String key, String value) {
        return with(key, value(value), "command line");
    }

    /// Sets a dotted key; `place` is where messages say the value came from.
    ///
    /// @throws DataException when a part of the key before the last is not a table
    public ConfigTree with(String key, JsonNode value, String place) {
        ObjectNode copy = root.deepCopy();
        ObjectNode table = copy;
        String[] parts = key.split("\\.", -1);
        for (int i = 0; i < parts.length - 1; i++) {
            JsonNode next = table.get(parts[i]);
            if (next == null) {
                next = table.putObject(parts[i]);
            }
            if (!(next instanceof ObjectNode inner)) {
                throw DataException.expected(place, key, "a table before the last dot", TomlText.shown(next));
            }
            table = inner;
        }
        table.set(parts[parts.length - 1], value);
        var newPlaces = new HashMap<>(places);
        newPlaces.put(key, place);
        return new ConfigTree(copy, origin, lines, Map.copyOf(newPlaces));
    }

    /// Sets one entry of a top-level table, whose name may itself hold dots (`"data.n"` under `[grid]`).
    ///
    /// @throws DataException when `table` is not a table
    public ConfigTree withEntry(String table, String key, JsonNode value, String place) {
        ObjectNode copy = root.deepCopy();
        if (!(copy.get(table) instanceof ObjectNode entries)) {
            throw wrong(table, "a table", "something else");
        }
        entries.set(key, value);
        var newPlaces = new HashMap<>(places);
        newPlaces.put(table + "." + key, place);
        return new ConfigTree(copy, origin, lines, Map.copyOf(newPlaces));
    }

    /// The same tree without a top-level key.
    public ConfigTree without(String key) {
        ObjectNode copy = root.deepCopy();
        copy.remove(key);
        return new ConfigTree(copy, origin, lines, places);
    }

    /// The value of a dotted key. Treat it as read-only.
    public Optional<JsonNode> find(String key) {
        JsonNode node = root;
        if (!key.isEmpty()) {
            for (String part : key.split("\\.", -1)) {
                node = node == null ? null : node.get(part);
            }
        }
        return Optional.ofNullable(node);
    }

    /// What the text is called in messages: its path, for a file.
    public String origin() {
        return origin;
    }

    /// Where a dotted key, or the nearest table around it, was set: `study.toml: line 12` or `command line`.
    public String place(String key) {
        for (String k = key; !k.isEmpty(); k = k.substring(0, Math.max(k.lastIndexOf('.'), 0))) {
            if (places.containsKey(k)) {
                return places.get(k);
            }
            if (lines.containsKey(k)) {
                return origin + ": line " + lines.get(k);
            }
        }
        return origin;
    }

    /// `PLACE: KEY: expected EXPECTED, found FOUND`
    public DataException wrong(String key, String expected, String found) {
        return DataException.expected(place(key), key, expected, found);
    }

    /// `line 3, column 5: `. The parser sees a repeated key only when it stands behind it, often on the next line.
    private static String position(JacksonException e) {
        var at = e.getLocation();
        if (at == null) {
            return "";
        }
        boolean behind = at.getColumnNr() == 1 && fault(e).equals("Duplicate key");
        return behind
                ? "line " + (at.getLineNr() - 1) + ": "
                : "line " + at.getLineNr() + ", column " + at.getColumnNr() + ": ";
    }

    private static String fault(JacksonException e) {
        return String.valueOf(e.getOriginalMessage()).replaceAll("\\s+", " ");
    }

    /// The TOML value that a text on a command line means: a number, `true`, a list, ... or, when it is none, a string.
    public static JsonNode value(String text) {
        boolean opens = !text.isEmpty() && "\"'[{".indexOf(text.charAt(0)) >= 0;
        boolean oneLine = text.indexOf('\n') < 0 && text.indexOf('\r') < 0;
        if (oneLine && (opens || text.indexOf('#') < 0)) {
            try {
                return TOML.readTree("value = " + text).get("value");
            } catch (JacksonException e) {
                return TOML.getNodeFactory().stringNode(text);
            }
        }
        return TOML.getNodeFactory().stringNode(text);
    }
}
