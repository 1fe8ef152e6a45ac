package dev.rote.storage;

import dev.rote.errors.DataException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Reads and writes safetensors files: named tensors, as Python's `safetensors` package does.
///
/// | offset | size | meaning |
/// |---|---|---|
/// | 0 | 8 | L, unsigned, little-endian: bytes of the header, a multiple of 8 as written here |
/// | 8 | L | header, UTF-8 JSON that begins with an opening brace, padded at its end with spaces |
/// | 8 + L | to the end | data section: the tensors' bytes, little-endian, row by row (last dimension fastest) |
///
/// The header is one JSON object. Key `__metadata__`, if present, is an object of strings. Each other key is a tensor:
/// `{"dtype": NAME, "shape": [d0, ...], "data_offsets": [begin, end]}`, offsets in bytes from the start of the data
/// section. Sorted by offset the tensors cover the section without gap or overlap.
///
/// A file written with a hash holds the SHA-256 of its data section, in hexadecimal, under metadata key `sha256`.
public final class SafeTensors {
    /// Metadata key of the hash.
    public static final String HASH_KEY = "sha256";

    /// Longest header that is read or written, as in the reference implementation.
    static final long MAX_HEADER_BYTES = 100_000_000;

    private static final long CHUNK = 1 << 26; // a ByteBuffer holds less than 2 GiB, a tensor may be larger

    private SafeTensors() {}

    /// Maps a file into memory and checks its header completely. The data are read when touched.
    ///
    /// @throws DataException if there is no such file or it is not a valid safetensors file
    /// @throws EnvironmentException if it may not be read
    public static SafeTensorsFile open(Path path) {
        if (Files.isDirectory(path)) {
            throw new DataException(path + ": expected a safetensors file, found a folder");
        }
        Arena arena = Arena.ofShared();
        boolean opened = false;
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            MemorySegment bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            SafeTensorsFile file = new SafeTensorsFile(path, bytes, arena);
            opened = true;
            return file;
        } catch (NoSuchFileException e) {
            throw new DataException(path + ": expected a safetensors file, found no file of that name", e);
        } catch (IOException e) {
            throw DiskFailure.of(path, "read the file", e);
        } finally {
            if (!opened) {
                arena.close();
            }
        }
    }

    /// Writes the tensors in the order given, through [AtomicFile].
    ///
    /// @param metadata strings to keep with them
    /// @param hash     whether to add the SHA-256 of the data section to the metadata
    /// @throws IllegalArgumentException if two tensors have one name, or metadata has the key `sha256` and `hash` is
    ///   set
    /// @throws EnvironmentException if the disk refuses
    public static void write(Path path, List<Tensor> tensors, Map<String, String> metadata, boolean hash) {
        Set<String> names = new HashSet<>();
        for (Tensor tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException("tensors: two are named " + tensor.name());
            }
        }
        if (hash && metadata.containsKey(HASH_KEY)) {
            throw new IllegalArgumentException("metadata: key " + HASH_KEY + " is reserved for the hash");
        }
        String sha256 = hash ? DataHash.of(tensors.stream().map(Tensor::data).toList()) : null;
        byte[] header = SafeTensorsHeader.write(tensors, metadata, sha256).getBytes(StandardCharsets.UTF_8);
        int padded = Math.ceilDiv(header.length, 8) * 8;
        if (padded > MAX_HEADER_BYTES) {
            throw new IllegalArgumentException(
                    "header: expected at most " + MAX_HEADER_BYTES + " bytes of names and metadata, found " + padded);
        }
        ByteBuffer start = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
        start.putLong(padded).put(header);
        while (start.hasRemaining()) {
            start.put((byte) ' ');
        }
        start.flip();
        AtomicFile.write(path, channel -> {
            AtomicFile.writeFully(channel, start.duplicate());
            for (Tensor tensor : tensors) {
                for (long at = 0; at < tensor.data().byteSize(); at += CHUNK) {
                    long size = Math.min(CHUNK, tensor.data().byteSize() - at);
                    AtomicFile.writeFully(
                            channel, tensor.data().asSlice(at, size).asByteBuffer());
                }
            }
        });
    }
}
