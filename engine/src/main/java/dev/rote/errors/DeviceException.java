package dev.rote.errors;

/// A device refused or failed an operation. The message names the operation, its shapes and the driver's or
/// library's name for the failure.
public final class DeviceException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DeviceException(String message) {
        super(message);
    }

    public DeviceException(String message, Throwable cause) {
        super(message, cause);
    }
}
