package dev.rote.storage;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/// Replaces a file whole or not at all: the content goes to `NAME.partial` in the same folder, is forced to the disk,
/// renamed over the target, and the folder is forced too. A crash at any moment leaves the old file or the new one;
/// after a kill a `NAME.partial` may stay behind, and the next write of the same file takes it over. One writer per
/// file at a time.
public final class AtomicFile {
    private static final boolean FOLDERS_CAN_BE_FORCED =
            !System.getProperty("os.name").startsWith("Windows");

    /// Writes the new content from the channel's position 0 on.
    @FunctionalInterface
    public interface Content {
        void writeTo(FileChannel channel) throws IOException;
    }

    private AtomicFile() {}

    /// Replaces or creates `target`. Whatever fails, also inside `content`, the old file is intact and the partial one
    /// is removed.
    ///
    /// @throws EnvironmentException if the folder is missing, not writable or read-only, or the disk is full
    public static void write(Path target, Content content) {
        Path partial = target.resolveSibling(target.getFileName() + ".partial");
        boolean moved = false;
        try {
            try (FileChannel channel = FileChannel.open(
                    partial,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.TRUNCATE_EXISTING)) {
                content.writeTo(channel);
                channel.force(true);
            }
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            moved = true;
            forceFolder(target);
        } catch (IOException e) {
            throw DiskFailure.of(target, "write the file", e);
        } finally {
            if (!moved) {
                remove(partial);
            }
        }
    }

    /// Replaces or creates `target` with these bytes.
    ///
    /// @throws EnvironmentException as [#write(Path, Content)]
    public static void write(Path target, byte[] bytes) {
        write(target, channel -> writeFully(channel, ByteBuffer.wrap(bytes)));
    }

    /// Writes all that remains in `bytes`; a channel may take less than it is given.
    static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    private static void forceFolder(Path target) throws IOException {
        if (FOLDERS_CAN_BE_FORCED) {
            try (FileChannel folder = FileChannel.open(target.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
                folder.force(true);
            }
        }
    }

    /// The failure that is under way matters more than one to tidy up after it.
    private static void remove(Path partial) {
        try {
            if (Files.isRegularFile(partial)) {
                Files.delete(partial);
            }
        } catch (IOException e) {
            System.getLogger(AtomicFile.class.getName())
                    .log(System.Logger.Level.WARNING, "cannot remove " + partial, e);
        }
    }
}
