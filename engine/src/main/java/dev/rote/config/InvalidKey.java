package dev.rote.config;

/// A value outside its range, found by a record. The reader of a file turns it into a DataException that knows the
/// file and the line.
final class InvalidKey extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final String key;
    private final String expected;
    private final String found;

    InvalidKey(String key, String expected, String found) {
        super(key + ": expected " + expected + ", found " + found);
        this.key = key;
        this.expected = expected;
        this.found = found;
    }

    String key() {
        return key;
    }

    String expected() {
        return expected;
    }

    String found() {
        return found;
    }
}
