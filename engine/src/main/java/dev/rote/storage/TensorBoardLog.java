package dev.rote.storage;

import dev.rote.errors.DataException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/// Reads TensorBoard event files as [TensorBoardEvents] writes them and checks every sum. Values of other kinds are
/// passed
/// over. A record that the end of the file cuts short is left out: its writer was killed or is still at it.
public final class TensorBoardLog {
    private static final long MAX_RECORD_BYTES = 1 << 30;

    /// One record; times are seconds since 1970.
    public sealed interface Event {
        double wallTime();

        long step();
    }

    /// First record of a file.
    public record Version(double wallTime, long step, String version) implements Event {}

    /// Training went on here: earlier records of this or a later step are void.
    public record SessionStart(double wallTime, long step) implements Event {}

    /// A number.
    public record Scalar(double wallTime, long step, String tag, float value) implements Event {}

    /// An encoded image; channels are 1, 3 or 4.
    public record Image(double wallTime, long step, String tag, long height, long width, long channels, byte[] png)
            implements Event {}

    /// A text.
    public record Text(double wallTime, long step, String tag, String markdown) implements Event {}

    private TensorBoardLog() {}

    /// All records in order.
    ///
    /// @throws DataException if there is no such file, a sum is wrong or a record is malformed
    /// @throws EnvironmentException if it may not be read
    public static List<Event> read(Path path) {
        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            return read(path, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena));
        } catch (NoSuchFileException e) {
            throw new DataException(path + ": expected a TensorBoard event file, found no file of that name", e);
        } catch (IOException e) {
            throw DiskFailure.of(path, "read the file", e);
        }
    }

    /// As [#read(Path)], from memory.
    static List<Event> read(Path path, MemorySegment file) {
        List<Event> events = new ArrayList<>();
        long at = 0;
        while (file.byteSize() - at >= RecordFrame.HEADER_BYTES) {
            long length = file.get(TensorType.LONG, at);
            check(path, file, at, 8, "record length");
            if (length < 0 || length > MAX_RECORD_BYTES) {
                throw DataException.expected(
                        path, "byte " + at, "a record of at most 2^30 bytes", Long.toUnsignedString(length));
            }
            long start = at + RecordFrame.HEADER_BYTES;
            if (length > file.byteSize() - start - RecordFrame.FOOTER_BYTES) {
                return events;
            }
            check(path, file, start, length, "record");
            try {
                readEvent(new ProtoReader(file.asSlice(start, length)), events);
            } catch (ProtoReader.Malformed e) {
                throw new DataException(path + ": record at byte " + at + ": " + e.getMessage(), e);
            }
            at = start + length + RecordFrame.FOOTER_BYTES;
        }
        return events;
    }

    private static void check(Path path, MemorySegment file, long at, long length, String what) {
        int expected = file.get(TensorType.INT, at + length);
        int found = RecordFrame.maskedSum(file.asSlice(at, length).asByteBuffer());
        if (found != expected) {
            throw DataException.expected(
                    path,
                    what + " at byte " + at,
                    "masked CRC-32C " + Integer.toHexString(expected),
                    Integer.toHexString(found));
        }
    }

    private static void readEvent(ProtoReader event, List<Event> events) throws ProtoReader.Malformed {
        double wallTime = 0;
        long step = 0;
        String version = null;
        long sessionStatus = 0;
        List<ProtoReader> summaries = new ArrayList<>();
        for (int field = event.next(); field != 0; field = event.next()) {
            switch (field) {
                case 1 -> wallTime = event.fixed64();
                case 2 -> step = event.varint();
                case 3 -> version = event.text();
                case 5 -> summaries.add(event.message());
                case 7 -> sessionStatus = number(event.message(), 1);
                default -> event.skip();
            }
        }
        if (version != null) {
            events.add(new Version(wallTime, step, version));
        }
        if (sessionStatus == 1) {
            events.add(new SessionStart(wallTime, step));
        }
        for (ProtoReader summary : summaries) {
            for (int field = summary.next(); field != 0; field = summary.next()) {
                if (field == 1) {
                    readValue(summary.message(), wallTime, step, events);
                } else {
                    summary.skip();
                }
            }
        }
    }

    private static void readValue(ProtoReader value, double wallTime, long step, List<Event> events)
            throws ProtoReader.Malformed {
        String tag = "";
        Float scalar = null;
        ProtoReader image = null;
        String text = null;
        for (int field = value.next(); field != 0; field = value.next()) {
            switch (field) {
                case 1 -> tag = value.text();
                case 2 -> scalar = value.fixed32();
                case 4 -> image = value.message();
                case 8 -> text = readText(value.message());
                default -> value.skip();
            }
        }
        if (scalar != null) {
            events.add(new Scalar(wallTime, step, tag, scalar));
        } else if (image != null) {
            events.add(readImage(image, wallTime, step, tag));
        } else if (text != null) {
            events.add(new Text(wallTime, step, tag, text));
        }
    }

    private static Image readImage(ProtoReader image, double wallTime, long step, String tag)
            throws ProtoReader.Malformed {
        long[] sizes = new long[4]; // by field number
        byte[] png = {};
        for (int field = image.next(); field != 0; field = image.next()) {
            switch (field) {
                case 1, 2, 3 -> sizes[field] = image.varint();
                case 4 -> png = image.bytes().toArray(ValueLayout.JAVA_BYTE);
                default -> image.skip();
            }
        }
        return new Image(wallTime, step, tag, sizes[1], sizes[2], sizes[3], png);
    }

    /// The last string of a tensor, or null if it holds none.
    private static String readText(ProtoReader tensor) throws ProtoReader.Malformed {
        String text = null;
        for (int field = tensor.next(); field != 0; field = tensor.next()) {
            if (field == 8) {
                text = tensor.text();
            } else {
                tensor.skip();
            }
        }
        return text;
    }

    /// The last number in this field of a message, or 0.
    private static long number(ProtoReader message, int wanted) throws ProtoReader.Malformed {
        long number = 0;
        for (int field = message.next(); field != 0; field = message.next()) {
            if (field == wanted) {
                number = message.varint();
            } else {
                message.skip();
            }
        }
        return number;
    }
}
