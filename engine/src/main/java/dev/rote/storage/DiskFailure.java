package dev.rote.storage;

import dev.rote.errors.EnvironmentException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/// Says in one sentence what an [IOException] means. The JDK has exception types for two of the cases and only the
/// operating system's text for the others.
final class DiskFailure {
    private DiskFailure() {}

    /// `PATH: cannot ACTION: REASON`, with the failure as its cause.
    static EnvironmentException of(Path path, String action, IOException failure) {
        return new EnvironmentException(path + ": cannot " + action + ": " + reason(path, failure), failure);
    }

    private static String reason(Path path, IOException failure) {
        Path folder = path.toAbsolutePath().getParent();
        String text = text(failure);
        if (text.contains("Read-only file system")) {
            return "the file system is read-only";
        }
        if (failure instanceof AccessDeniedException || text.contains("Permission denied")) {
            return "permission denied";
        }
        if (failure instanceof NoSuchFileException && folder != null && !Files.isDirectory(folder)) {
            return "the folder " + folder + " does not exist";
        }
        if (text.contains("No space left")) {
            return "no space left on the disk";
        }
        if (text.contains("quota exceeded")) {
            return "the disk quota is used up";
        }
        return text;
    }

    private static String text(IOException failure) {
        String reason = failure instanceof FileSystemException e ? e.getReason() : failure.getMessage();
        return reason == null ? failure.getClass().getSimpleName() : reason;
    }
}
