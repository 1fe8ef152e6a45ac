package dev.rote.errors;

/// A file, checkpoint or configuration that is not what it must be. The message is one sentence that names
/// the place (path, and byte, line or key), what was expected there and what was found.
public final class DataException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DataException(String message) {
        super(message);
    }

    public DataException(String message, Throwable cause) {
        super(message, cause);
    }

    /// `PATH: POSITION: expected EXPECTED, found FOUND`
    public static DataException expected(Object path, String position, String expected, String found) {
        return new DataException(path + ": " + position + ": expected " + expected + ", found " + found);
    }
}
