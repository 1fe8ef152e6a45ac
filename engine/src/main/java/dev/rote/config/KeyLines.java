package dev.rote.config;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// On which line of a TOML text each dotted key is set; used only to make error messages exact.
///
/// A light scan of a text that has already been parsed without error, so it can be trusting: it follows table
/// headers, multi-line arrays and multi-line strings, and records the first line of each key.
final class KeyLines {
    private final Map<String, Integer> lines = new HashMap<>();
    private List<String> table = List.of();
    private int depth;
    private String openString = "";

    private KeyLines() {}

    static Map<String, Integer> of(String text) {
        var scan = new KeyLines();
        String[] all = text.split("\n", -1);
        for (int i = 0; i < all.length; i++) {
            scan.line(all[i], i + 1);
        }
        return Map.copyOf(scan.lines);
    }

    private void line(String line, int number) {
        if (depth > 0 || !openString.isEmpty()) {
            follow(line, 0);
            return;
        }
        int start = skipBlanks(line, 0);
        if (start == line.length() || line.charAt(start) == '#') {
            return;
        }
        boolean header = line.charAt(start) == '[';
        if (header) {
            start = skipBlanks(line, line.startsWith("[[", start) ? start + 2 : start + 1);
        }
        var parts = new ArrayList<String>(header ? List.of() : table);
        int end = key(line, start, parts);
        for (int size = header ? 1 : table.size() + 1; size <= parts.size(); size++) {
            lines.putIfAbsent(String.join(".", parts.subList(0, size)), number);
        }
        if (header) {
            table = List.copyOf(parts);
        } else {
            follow(line, end);
        }
    }

    /// Reads `a."b c".d` from `at` into `parts` and returns the position after it.
    private static int key(String line, int at, List<String> parts) {
        int i = at;
        while (i < line.length()) {
            char c = line.charAt(i);
            int end = i;
            if (c == '"' || c == '\'') {
                end = line.indexOf(c, i + 1);
                if (end < 0) {
                    return line.length();
                }
                parts.add(line.substring(i + 1, end++));
            } else {
                while (end < line.length() && isBare(line.charAt(end))) {
                    end++;
                }
                if (end == i) {
                    return i;
                }
                parts.add(line.substring(i, end));
            }
            i = skipBlanks(line, end);
            if (i >= line.length() || line.charAt(i) != '.') {
                return i;
            }
            i = skipBlanks(line, i + 1);
        }
        return i;
    }

    /// Keeps track of brackets and strings that stay open at the end of the line.
    private void follow(String line, int from) {
        int i = from;
        while (i < line.length()) {
            if (!openString.isEmpty()) {
                int close = line.indexOf(openString, i);
                if (close < 0) {
                    return;
                }
                i = close + 3;
                openString = "";
                continue;
            }
            char c = line.charAt(i);
            if (c == '#') {
                return;
            }
            if (line.startsWith("\"\"\"", i) || line.startsWith("'''", i)) {
                openString = line.substring(i, i + 3);
                i += 3;
                continue;
            }
            if (c == '"' || c == '\'') {
                i = endOfString(line, i, c);
                continue;
            }
            depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
            i++;
        }
    }

    private static int endOfString(String line, int from, char quote) {
        for (int i = from + 1; i < line.length(); i++) {
            if (line.charAt(i) == '\\' && quote == '"') {
                i++;
            } else if (line.charAt(i) == quote) {
                return i + 1;
            }
        }
        return line.length();
    }

    static boolean isBare(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-';
    }

    private static int skipBlanks(String line, int from) {
        int i = from;
        while (i < line.length() && (line.charAt(i) == ' ' || line.charAt(i) == '\t' || line.charAt(i) == '\r')) {
            i++;
        }
        return i;
    }
}
