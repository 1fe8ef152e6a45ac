package dev.rote.errors;

/// A file, checkpoint or configuration that is not what it must be. The message is one sentence that names
/// the place (path, and byte, line or key), what was expected there and what was found.
public final class DataException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DataException(String message) {
        super(oneLine(message));
    }

    public DataException(String message, Throwable cause) {
        super(oneLine(message), cause);
    }

    /// What is quoted from a damaged file may hold line feeds and other control characters; they are written as
    /// Java's escapes: a backslash, u and four digits.
    private static String oneLine(String message) {
        StringBuilder line = new StringBuilder(message.length());
        for (int i = 0; i < message.length(); i++) {
            char c = message.charAt(i);
            line.append(Character.isISOControl(c) ? "\\u%04x".formatted((int) c) : String.valueOf(c));
        }
        return line.toString();
    }

    /// `PATH: POSITION: expected EXPECTED, found FOUND`
    public static DataException expected(Object path, String position, String expected, String found) {
        return new DataException(path + ": " + position + ": expected " + expected + ", found " + found);
    }
}
