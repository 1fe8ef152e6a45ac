package dev.rote.errors;

/// Training produced a value that is not finite. The message names the step and the tensor.
public final class NonFiniteException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public NonFiniteException(String message) {
        super(message);
    }
}
