package dev.rote.storage;

import dev.rote.errors.DataException;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// An append-only log of JSON objects: each record is one line of UTF-8 that ends with a line feed. A record is
/// complete when its line feed is there; whatever follows the last line feed is a record that a crash tore. Readers
/// leave it out, and opening the log for appending cuts it off. Numbers that are not finite are written as the
/// strings `"NaN"`, `"Infinity"` and `"-Infinity"`, as JSON has no others.
public final class JsonLines implements AutoCloseable {
    /// Longest line that is read: 16 MiB.
    static final int MAX_LINE_BYTES = 1 << 24;

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /// Gets each complete line without its line feed.
    private interface LineConsumer {
        void line(int number, byte[] bytes) throws IOException;
    }

    private final Path path;
    private final FileChannel channel;
    private final boolean force;

    private JsonLines(Path path, FileChannel channel, boolean force) {
        this.path = path;
        this.channel = channel;
        this.force = force;
    }

    /// Opens a log for appending, creates it if it is not there, and cuts off a torn last record.
    ///
    /// @param force whether each record is forced to the disk; without it a record survives the end of the process
    ///              but not of the machine
    /// @throws EnvironmentException if the folder is missing or the file may not be written
    public static JsonLines append(Path path, boolean force) {
        try {
            FileChannel channel = FileChannel.open(
                    path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            boolean ready = false;
            try {
                long end = endOfLastLine(channel);
                channel.truncate(end).position(end);
                ready = true;
                return new JsonLines(path, channel, force);
            } finally {
                if (!ready) {
                    channel.close();
                }
            }
        } catch (IOException e) {
            throw DiskFailure.of(path, "append to the file", e);
        }
    }

    /// Appends one record and hands it to the operating system before it returns. May be called by several threads.
    ///
    /// @throws IllegalArgumentException if a value has no JSON form
    /// @throws EnvironmentException if the disk refuses; then nothing of the record stays in the file
    public synchronized void write(Map<String, ?> record) {
        byte[] line;
        try {
            line = (JSON.writeValueAsString(record) + "\n").getBytes(StandardCharsets.UTF_8);
        } catch (JacksonException e) {
            throw new IllegalArgumentException("record: expected JSON values, found " + complaint(e), e);
        }
        try {
            long start = channel.position();
            boolean written = false;
            try {
                AtomicFile.writeFully(channel, ByteBuffer.wrap(line));
                if (force) {
                    channel.force(false);
                }
                written = true;
            } finally {
                if (!written && channel.isOpen()) {
                    channel.truncate(start).position(start);
                }
            }
        } catch (IOException e) {
            throw DiskFailure.of(path, "append to the file", e);
        }
    }

    /// Forces what was written to the disk and closes the file.
    ///
    /// @throws EnvironmentException if the disk refuses
    @Override
    public synchronized void close() {
        try {
            if (channel.isOpen()) {
                channel.force(true);
            }
            channel.close();
        } catch (IOException e) {
            throw DiskFailure.of(path, "close the file", e);
        }
    }

    /// All complete records in order; none if there is no such file.
    ///
    /// @throws DataException if a complete line is not one JSON object: the message names the line
    /// @throws EnvironmentException if the file may not be read
    public static List<ObjectNode> read(Path path) {
        List<ObjectNode> records = new ArrayList<>();
        eachLine(path, (number, bytes) -> records.add(parse(path, number, bytes)));
        return records;
    }

    /// As [#read(Path)], from memory.
    static List<ObjectNode> read(Path path, InputStream in) throws IOException {
        List<ObjectNode> records = new ArrayList<>();
        eachLine(path, in, (number, bytes) -> records.add(parse(path, number, bytes)));
        return records;
    }

    /// Removes all records whose number `step` is greater than `lastStep`; records without a step stay. For a run that
    /// goes on from a checkpoint of that step. The file is replaced by [AtomicFile], so it must not be open for
    /// appending; the lines that stay keep their bytes.
    ///
    /// @return number of records removed
    /// @throws DataException as [#read(Path)]
    /// @throws EnvironmentException if the disk refuses
    public static int removeAfter(Path path, long lastStep) {
        return removeIf(path, record -> isAfter(record, lastStep));
    }

    /// Removes records, as [#removeAfter] does.
    ///
    /// @return number of records removed
    /// @throws DataException as [#read(Path)]
    /// @throws EnvironmentException if the disk refuses
    public static int removeIf(Path path, Predicate<ObjectNode> unwanted) {
        int[] removed = new int[1];
        eachLine(path, (number, bytes) -> removed[0] += unwanted.test(parse(path, number, bytes)) ? 1 : 0);
        if (removed[0] > 0) {
            AtomicFile.write(path, channel -> {
                // Flushed and not closed: the channel is forced to the disk after this.
                OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel));
                eachLine(path, (number, bytes) -> {
                    if (!unwanted.test(parse(path, number, bytes))) {
                        out.write(bytes);
                        out.write('\n');
                    }
                });
                out.flush();
            });
        }
        return removed[0];
    }

    private static boolean isAfter(ObjectNode record, long lastStep) {
        JsonNode step = record.get("step");
        return step != null && step.isNumber() && step.doubleValue() > lastStep;
    }

    private static ObjectNode parse(Path path, int number, byte[] bytes) {
        try {
            // Through a string: given bytes, the parser would guess at UTF-16 too.
            JsonNode node = JSON.readTree(new String(bytes, StandardCharsets.UTF_8));
            if (node instanceof ObjectNode object) {
                return object;
            }
            throw DataException.expected(path, "line " + number, "a JSON object", node.getNodeType() + "");
        } catch (JacksonException e) {
            throw new DataException(path + ": line " + number + ": expected a JSON object, found " + complaint(e), e);
        }
    }

    /// The parser's message in one line.
    static String complaint(JacksonException e) {
        String message = e.getOriginalMessage() == null ? e.getClass().getSimpleName() : e.getOriginalMessage();
        String line = message.replaceAll("\\s*\\R\\s*", " ").replaceAll("\\p{Cntrl}", "?");
        String clipped = line.length() <= 160 ? line : line.substring(0, 160) + "...";
        return e.getLocation() == null
                ? clipped
                : clipped + " (column " + e.getLocation().getColumnNr() + ")";
    }

    private static void eachLine(Path path, LineConsumer consumer) {
        try (InputStream in = Files.newInputStream(path)) {
            eachLine(path, in, consumer);
        } catch (NoSuchFileException e) {
            return; // a log that nobody has written to has no records
        } catch (IOException e) {
            throw DiskFailure.of(path, "read the file", e);
        }
    }

    private static void eachLine(Path path, InputStream in, LineConsumer consumer) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        byte[] buffer = new byte[1 << 16];
        int number = 1;
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
            int from = 0;
            for (int i = 0; i < count; i++) {
                if (buffer[i] == '\n') {
                    line.write(buffer, from, i - from);
                    consumer.line(number++, line.toByteArray());
                    line.reset();
                    from = i + 1;
                }
            }
            line.write(buffer, from, count - from);
            if (line.size() > MAX_LINE_BYTES) {
                throw DataException.expected(
                        path, "line " + number, "at most " + MAX_LINE_BYTES + " bytes", "more than that");
            }
        }
    }

    /// Position after the last line feed, found backwards.
    private static long endOfLastLine(FileChannel channel) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(4096);
        long end = channel.size();
        while (end > 0) {
            long start = Math.max(0, end - buffer.capacity());
            buffer.clear().limit((int) (end - start));
            while (buffer.hasRemaining() && channel.read(buffer, start + buffer.position()) >= 0) {}
            for (int i = buffer.position() - 1; i >= 0; i--) {
                if (buffer.get(i) == '\n') {
                    return start + i + 1;
                }
            }
            end = start;
        }
        return 0;
    }
}
