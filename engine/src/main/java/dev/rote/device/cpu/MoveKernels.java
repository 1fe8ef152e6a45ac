package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.getFloat;
import static dev.rote.device.cpu.Memory.load;
import static dev.rote.device.cpu.Memory.setFloat;
import static dev.rote.device.cpu.Memory.store;

import java.lang.foreign.ValueLayout;

/// Operations that move data: concatenation, slices, upsampling, pooling, repetition, look-up.
final class MoveKernels {
    private MoveKernels() {}

    /// Copies `rows` rows of `bytes` bytes between two strides.
    static void copyRows(long from, long fromStride, long to, long toStride, int bytes, long rows) {
        if (bytes == fromStride && bytes == toStride) {
            Memory.copy(from, to, bytes * rows);
        } else if (bytes % 8 == 0 && bytes <= 128) {
            // Short rows: a loop of words costs less than a call per row.
            for (long r = 0; r < rows; r++) {
                long a = from + r * fromStride;
                long b = to + r * toStride;
                for (int i = 0; i < bytes; i += 8) {
                    Memory.ALL.set(
                            ValueLayout.JAVA_LONG_UNALIGNED,
                            b + i,
                            Memory.ALL.get(ValueLayout.JAVA_LONG_UNALIGNED, a + i));
                }
            }
        } else {
            for (long r = 0; r < rows; r++) {
                Memory.copy(from + r * fromStride, to + r * toStride, bytes);
            }
        }
    }

    static Kernel concat(long[] from, int[] rowBytes, long to, long rows) {
        int total = 0;
        for (int bytes : rowBytes) {
            total += bytes;
        }
        int stride = total;
        return () -> {
            long target = to;
            for (int part = 0; part < from.length; part++) {
                copyRows(from[part], rowBytes[part], target, stride, rowBytes[part], rows);
                target += rowBytes[part];
            }
        };
    }

    static Kernel slice(long from, int fromStride, int skip, long to, int bytes, long rows) {
        return () -> copyRows(from + skip, fromStride, to, bytes, bytes, rows);
    }

    static Kernel sliceBackward(long from, int bytes, long to, int toStride, int skip, long rows) {
        return () -> {
            Memory.zero(to, toStride * rows);
            copyRows(from, bytes, to + skip, toStride, bytes, rows);
        };
    }

    /// Each pixel of `bytes` bytes to a block of 2 x 2.
    static Kernel upsample(long x, long y, int rows, int width, int bytes) {
        long line = 2L * width * bytes;
        return () -> {
            for (int r = 0; r < rows; r++) {
                long from = x + (long) r * width * bytes;
                long to = y + 2 * r * line;
                copyRows(from, bytes, to, 2L * bytes, bytes, width);
                copyRows(from, bytes, to + bytes, 2L * bytes, bytes, width);
                Memory.copy(to, to + line, line);
            }
        };
    }

    /// dx = sum over blocks of 2 x 2, an image at a time.
    static Kernel upsampleBackward(Stage dy, Stage dx, int images, int height, int width, int channels) {
        int line = 2 * width * channels;
        return () -> {
            for (int n = 0; n < images; n++) {
                long in = dy.in(n);
                long out = dx.out(n);
                for (int h = 0; h < height; h++) {
                    for (int w = 0; w < width; w++) {
                        long a = in + 4L * (2L * h * line + 2L * w * channels);
                        long b = a + 4L * line;
                        sumFour(
                                a,
                                a + 4L * channels,
                                b,
                                b + 4L * channels,
                                out + 4L * ((long) h * width + w) * channels,
                                channels);
                    }
                }
                dx.done(n);
            }
        };
    }

    private static void sumFour(long a, long b, long c, long d, long y, int count) {
        int i = 0;
        for (; i <= count - LANES; i += LANES) {
            long at = 4L * i;
            store(load(a + at).add(load(b + at)).add(load(c + at).add(load(d + at))), y + at);
        }
        for (; i < count; i++) {
            long at = 4L * i;
            setFloat(y + at, (getFloat(a + at) + getFloat(b + at)) + (getFloat(c + at) + getFloat(d + at)));
        }
    }

    static Kernel averagePool(Stage x, Stage y, int images, int height, int width, int channels, int size) {
        float share = 1.0f / (size * size);
        return () -> {
            for (int n = 0; n < images; n++) {
                long in = x.in(n);
                long out = y.out(n);
                for (int h = 0; h < height; h++) {
                    for (int w = 0; w < width; w++) {
                        for (int c = 0; c < channels; c++) {
                            float sum = 0;
                            for (int dh = 0; dh < size; dh++) {
                                for (int dw = 0; dw < size; dw++) {
                                    long pixel = (long) (h * size + dh) * width * size + w * size + dw;
                                    sum += getFloat(in + 4L * (pixel * channels + c));
                                }
                            }
                            setFloat(out + 4L * (((long) h * width + w) * channels + c), sum * share);
                        }
                    }
                }
                y.done(n);
            }
        };
    }

    /// @param height and width of dy
    static Kernel averagePoolBackward(Stage dy, Stage dx, int images, int height, int width, int channels, int size) {
        float share = 1.0f / (size * size);
        return () -> {
            for (int n = 0; n < images; n++) {
                long in = dy.in(n);
                long out = dx.out(n);
                for (int h = 0; h < height * size; h++) {
                    for (int w = 0; w < width * size; w++) {
                        long from = in + 4L * ((long) (h / size) * width + w / size) * channels;
                        long to = out + 4L * ((long) h * width * size + w) * channels;
                        for (int c = 0; c < channels; c++) {
                            setFloat(to + 4L * c, getFloat(from + 4L * c) * share);
                        }
                    }
                }
                dx.done(n);
            }
        };
    }

    /// `outer` times: `inner` bytes of x, repeated `repeats` times.
    static Kernel broadcast(long x, long y, long outer, long repeats, int inner) {
        return () -> {
            for (long o = 0; o < outer; o++) {
                copyRows(x + o * inner, 0, y + o * repeats * inner, inner, inner, repeats);
            }
        };
    }

    static Kernel embedding(String what, long table, int rows, long index, long y, int count, int bytes) {
        return () -> {
            for (int n = 0; n < count; n++) {
                Memory.copy(
                        table + (long) checked(what, Memory.getInt(index + 4L * n), rows) * bytes,
                        y + (long) n * bytes,
                        bytes);
            }
        };
    }

    /// dtable[index[n]] += dy[n], in the order of n.
    static Kernel embeddingBackward(Stage dy, long index, long dtable, int rows, int count, int channels) {
        return () -> {
            Memory.zero(dtable, 4L * rows * channels);
            for (int n = 0; n < count; n++) {
                long from = dy.in(n);
                long to = dtable + 4L * checked("EmbeddingBackward", Memory.getInt(index + 4L * n), rows) * channels;
                for (int c = 0; c < channels; c++) {
                    setFloat(to + 4L * c, getFloat(to + 4L * c) + getFloat(from + 4L * c));
                }
            }
        };
    }

    /// The index itself.
    ///
    /// @throws dev.rote.errors.DeviceException unless it is in [0, rows)
    static int checked(String what, int index, int rows) {
        if (index < 0 || index >= rows) {
            throw new dev.rote.errors.DeviceException(
                    what + ": expected an index in [0, " + rows + "), found " + index);
        }
        return index;
    }
}
