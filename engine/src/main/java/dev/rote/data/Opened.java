package dev.rote.data;

import dev.rote.errors.DataException;
import dev.rote.errors.EnvironmentException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.ToLongFunction;
import java.util.zip.ZipException;

/// Bytes of files: mapped, or unpacked to memory of exactly the size that was counted.
final class Opened {
    private static final int HEAD = 1 << 16;

    private Opened() {}

    /// Opens a stream; called twice for one unpacking.
    @FunctionalInterface
    interface Opening {
        InputStream open() throws IOException;
    }

    /// The file's bytes, mapped read-only until `arena` closes.
    static MemorySegment map(Path path, Arena arena) {
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            return file.map(FileChannel.MapMode.READ_ONLY, 0, file.size(), arena);
        } catch (IOException e) {
            throw failure(path, e);
        }
    }

    /// Unpacks a compressed array. A first pass reads the first 64 KiB, asks `expectedBytes` how long the whole must be
    /// and counts what is really there; only if both agree is memory taken and filled by a second pass.
    static MemorySegment inflate(
            String path, Opening opening, long limit, ToLongFunction<MemorySegment> expectedBytes, Arena arena) {
        try {
            long size = count(path, opening, limit, expectedBytes);
            MemorySegment memory = Dataset.allocate(arena, size);
            fill(opening, memory);
            return memory;
        } catch (IOException e) {
            throw failure(path, e);
        }
    }

    private static long count(String path, Opening opening, long limit, ToLongFunction<MemorySegment> expectedBytes)
            throws IOException {
        try (InputStream in = opening.open()) {
            byte[] buffer = new byte[HEAD];
            int head = in.readNBytes(buffer, 0, HEAD);
            long expected =
                    expectedBytes.applyAsLong(MemorySegment.ofArray(buffer).asSlice(0, head));
            if (expected > limit) {
                throw DataException.expected(path, "unpacked size", "at most " + limit + " bytes", expected + "");
            }
            long size = head;
            for (int read = 0; read >= 0 && size <= expected; read = in.read(buffer)) {
                size += read;
            }
            if (size != expected) {
                throw DataException.expected(
                        path, "unpacked size", expected + " bytes", size > expected ? "more" : size + "");
            }
            return size;
        }
    }

    private static void fill(Opening opening, MemorySegment memory) throws IOException {
        try (InputStream in = opening.open()) {
            byte[] buffer = new byte[HEAD];
            long at = 0;
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                MemorySegment.copy(MemorySegment.ofArray(buffer), 0, memory, at, read);
                at += read;
            }
        }
    }

    /// What an I/O failure on `path` means to the user.
    static RuntimeException failure(Object path, IOException e) {
        return switch (e) {
            case NoSuchFileException missing -> new DataException(path + ": no such file or folder", missing);
            case AccessDeniedException denied -> new EnvironmentException(path + ": not allowed to read it", denied);
            case FileSystemLoopException loop -> new DataException(path + ": links form a loop", loop);
            case NotDirectoryException file -> new DataException(path + ": not a folder", file);
            case EOFException end -> new DataException(path + ": compressed data end too early", end);
            case ZipException zip -> new DataException(path + ": damaged compressed data: " + zip.getMessage(), zip);
            default -> new EnvironmentException(path + ": cannot be read: " + e.getMessage(), e);
        };
    }
}
