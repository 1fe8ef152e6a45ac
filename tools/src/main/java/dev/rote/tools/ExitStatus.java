package dev.rote.tools;

import dev.rote.errors.DataException;
import dev.rote.errors.DeviceException;
import dev.rote.errors.EnvironmentException;
import dev.rote.errors.NonFiniteException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.concurrent.CancellationException;

/// Exit status of the program: 0 done, 1 our fault, 2 input or data, 3 environment, 4 non-finite values, 130
/// interrupted.
final class ExitStatus {
    static final int OURS = 1;
    static final int INPUT = 2;
    static final int ENVIRONMENT = 3;
    static final int NON_FINITE = 4;
    static final int INTERRUPTED = 130;

    private ExitStatus() {}

    static int of(Throwable thrown) {
        return switch (thrown) {
            case DataException e -> INPUT;
            case IllegalArgumentException e -> INPUT;
            case EnvironmentException e -> ENVIRONMENT;
            case DeviceException e -> ENVIRONMENT;
            case OutOfMemoryError e -> ENVIRONMENT;
            case IOException e -> ENVIRONMENT;
            case UncheckedIOException e -> ENVIRONMENT;
            case NonFiniteException e -> NON_FINITE;
            case InterruptedException e -> INTERRUPTED;
            case CancellationException e -> INTERRUPTED;
            default -> OURS;
        };
    }

    /// Tells the user in one sentence; the stack trace follows with `debug`.
    static int report(Throwable thrown, boolean debug, PrintStream err) {
        int status = of(thrown);
        err.println("rote: " + sentence(thrown, status));
        if (debug) {
            thrown.printStackTrace(err);
        }
        return status;
    }

    private static String sentence(Throwable thrown, int status) {
        String message = thrown.getMessage() == null ? "" : thrown.getMessage().replaceAll("\\s+", " ");
        if (thrown instanceof OutOfMemoryError) {
            return "not enough memory (" + message + "); give Java more with ROTE_JAVA_OPTS=-Xmx..., or take fewer or"
                    + " smaller images";
        }
        if (status == OURS) {
            return "internal error (" + thrown.getClass().getSimpleName() + (message.isEmpty() ? "" : ": " + message)
                    + "); please report it; use --debug for the stack trace";
        }
        if (status == INTERRUPTED) {
            return "interrupted";
        }
        boolean named = thrown instanceof IOException || message.isEmpty();
        return named ? thrown.getClass().getSimpleName() + ": " + message : message;
    }
}
