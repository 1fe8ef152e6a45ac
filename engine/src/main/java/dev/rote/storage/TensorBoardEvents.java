package dev.rote.storage;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;

/// Writes a TensorBoard event file: records in the frame of [RecordFrame], each a protocol buffer `Event` of
/// TensorFlow's `event.proto` and `summary.proto`. Fields used, with their numbers:
///
/// | message | fields |
/// |---|---|
/// | Event | wall_time 1 double, step 2 int64, file_version 3 string, summary 5, session_log 7 |
/// | Summary | value 1, repeated |
/// | Summary.Value | tag 1 string, simple_value 2 float, image 4, tensor 8, metadata 9 |
/// | Summary.Image | height 1, width 2, colorspace 3 (1 gray, 3 RGB, 4 RGBA), encoded_image_string 4 |
/// | SummaryMetadata | plugin_data 1 { plugin_name 1 }, data_class 4 (2 = tensor) |
/// | TensorProto | dtype 1 (7 = string), tensor_shape 2 { dim 2 { size 1 } }, string_val 8 |
/// | SessionLog | status 1 (1 = start) |
///
/// The first record is `file_version = "brain.Event:2"`. Each record reaches the operating system before its method
/// returns. May be called by several threads.
public final class TensorBoardEvents implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final Clock clock;

    private TensorBoardEvents(Path path, FileChannel channel, Clock clock) {
        this.path = path;
        this.channel = channel;
        this.clock = clock;
    }

    /// Creates `events.out.tfevents.SECONDS.HOST` in `folder`, which is created too. If there is one of this second
    /// already, the file gets the next free one.
    ///
    /// @param host  name of this machine, or any other word without a slash
    /// @param clock time of the file and of its records
    /// @throws EnvironmentException if the disk refuses
    public static TensorBoardEvents create(Path folder, String host, Clock clock) {
        try {
            Files.createDirectories(folder);
            long second = clock.instant().getEpochSecond();
            Path path = folder.resolve(name(second, host));
            while (Files.exists(path)) {
                path = folder.resolve(name(++second, host));
            }
            FileChannel channel = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            TensorBoardEvents events = new TensorBoardEvents(path, channel, clock);
            events.append(events.event(0).text(3, "brain.Event:2"));
            return events;
        } catch (IOException e) {
            throw DiskFailure.of(folder, "write TensorBoard events", e);
        }
    }

    private static String name(long second, String host) {
        return "events.out.tfevents.%010d.%s".formatted(second, host);
    }

    /// The file that is written.
    public Path path() {
        return path;
    }

    /// Says that training goes on at `step`: TensorBoard then hides what earlier files hold for this and later steps.
    ///
    /// @throws EnvironmentException if the disk refuses
    public void sessionStart(long step) {
        append(event(step).message(7, new ProtoWriter().varint(1, 1)));
    }

    /// Writes one number.
    ///
    /// @throws EnvironmentException if the disk refuses
    public void scalar(String tag, long step, float value) {
        append(step, new ProtoWriter().text(1, tag).fixed32(2, value));
    }

    /// Writes one image.
    ///
    /// @param png      an encoded image, as it is
    /// @param channels 1 gray, 3 RGB, 4 RGBA
    /// @throws IllegalArgumentException if a size is not positive or `channels` is another number
    /// @throws EnvironmentException if the disk refuses
    public void image(String tag, long step, int height, int width, int channels, byte[] png) {
        if (height <= 0 || width <= 0) {
            throw new IllegalArgumentException("size: expected at least 1 x 1, found " + height + " x " + width);
        }
        if (channels != 1 && channels != 3 && channels != 4) {
            throw new IllegalArgumentException("channels: expected 1, 3 or 4, found " + channels);
        }
        ProtoWriter image = new ProtoWriter()
                .varint(1, height)
                .varint(2, width)
                .varint(3, channels)
                .bytes(4, png);
        append(step, new ProtoWriter().text(1, tag).message(4, image));
    }

    /// Writes a text, which TensorBoard shows as Markdown.
    ///
    /// @throws EnvironmentException if the disk refuses
    public void text(String tag, long step, String markdown) {
        ProtoWriter shape = new ProtoWriter().message(2, new ProtoWriter().varint(1, 1));
        ProtoWriter tensor = new ProtoWriter().varint(1, 7).message(2, shape).text(8, markdown);
        ProtoWriter metadata =
                new ProtoWriter().message(1, new ProtoWriter().text(1, "text")).varint(4, 2);
        append(step, new ProtoWriter().text(1, tag).message(8, tensor).message(9, metadata));
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

    private ProtoWriter event(long step) {
        return new ProtoWriter().fixed64(1, clock.millis() * 1e-3).varint(2, step);
    }

    private void append(long step, ProtoWriter value) {
        append(event(step).message(5, new ProtoWriter().message(1, value)));
    }

    private synchronized void append(ProtoWriter event) {
        try {
            AtomicFile.writeFully(channel, RecordFrame.frame(event.toBytes()));
        } catch (IOException e) {
            throw DiskFailure.of(path, "write TensorBoard events", e);
        }
    }
}
