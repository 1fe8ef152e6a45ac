package dev.rote.errors;

/// The machine cannot do what was asked: disk full, folder not writable, not enough memory, library missing.
public final class EnvironmentException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public EnvironmentException(String message) {
        super(message);
    }

    public EnvironmentException(String message, Throwable cause) {
        super(message, cause);
    }
}
