package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.ALL;
import static dev.rote.device.cpu.Memory.F;
import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.ORDER;

import jdk.incubator.vector.FloatVector;

/// The linear maps of [WinogradKernels] over native memory, for all channels of a row of tiles. Those of images go
/// first down, then across; each half is a loop with nothing but vector operations, for the reason given in [RowMath].
///
/// Channels are multiples of the vector length. A tile's sixteen numbers lie in sixteen planes, [tiles, channels] each.
final class WinogradTransforms {
    private WinogradTransforms() {}

    /// B^T d: four rows of an image to four rows, element by element.
    ///
    /// @param line bytes from one written row to the next
    static void inputDown(long first, long second, long third, long fourth, long to, long line, int count) {
        for (int i = 0; i < count; i += LANES) {
            FloatVector a = FloatVector.fromMemorySegment(F, ALL, first + 4L * i, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(F, ALL, second + 4L * i, ORDER);
            FloatVector c = FloatVector.fromMemorySegment(F, ALL, third + 4L * i, ORDER);
            FloatVector d = FloatVector.fromMemorySegment(F, ALL, fourth + 4L * i, ORDER);
            long at = to + 4L * i;
            a.sub(c).intoMemorySegment(ALL, at, ORDER);
            b.add(c).intoMemorySegment(ALL, at + line, ORDER);
            c.sub(b).intoMemorySegment(ALL, at + 2 * line, ORDER);
            b.sub(d).intoMemorySegment(ALL, at + 3 * line, ORDER);
        }
    }

    /// Times B: columns 2t .. 2t + 3 of a row to tile t of four planes.
    ///
    /// @param from the row with the column before the image
    /// @param plane bytes of a plane
    static void inputAcross(long from, int channels, int tiles, long to, long plane) {
        long pixel = 4L * channels;
        for (int v = 0; v < channels; v += LANES) {
            long in = from + 4L * v;
            long out = to + 4L * v;
            FloatVector a = FloatVector.fromMemorySegment(F, ALL, in, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(F, ALL, in + pixel, ORDER);
            for (int t = 0; t < tiles; t++) {
                long next = in + (2 * t + 2) * pixel;
                long at = out + t * pixel;
                FloatVector c = FloatVector.fromMemorySegment(F, ALL, next, ORDER);
                FloatVector d = FloatVector.fromMemorySegment(F, ALL, next + pixel, ORDER);
                a.sub(c).intoMemorySegment(ALL, at, ORDER);
                b.add(c).intoMemorySegment(ALL, at + plane, ORDER);
                c.sub(b).intoMemorySegment(ALL, at + 2 * plane, ORDER);
                b.sub(d).intoMemorySegment(ALL, at + 3 * plane, ORDER);
                a = c;
                b = d;
            }
        }
    }

    /// A^T m A of a row of tiles, plus a bias: sixteen planes to two rows of the image.
    ///
    /// @param from tile 0 of the first plane
    /// @param plane bytes of a plane
    static void output(long from, long plane, long bias, int channels, int tiles, long upper, long lower) {
        long pixel = 4L * channels;
        for (int v = 0; v < channels; v += LANES) {
            FloatVector shift = FloatVector.fromMemorySegment(F, ALL, bias + 4L * v, ORDER);
            for (int t = 0; t < tiles; t++) {
                long at = from + 4L * v + t * pixel;
                FloatVector second = FloatVector.fromMemorySegment(F, ALL, at + 4 * plane, ORDER);
                FloatVector third = FloatVector.fromMemorySegment(F, ALL, at + 8 * plane, ORDER);
                FloatVector sum = second.add(third);
                FloatVector difference = second.sub(third);
                FloatVector a = FloatVector.fromMemorySegment(F, ALL, at, ORDER).add(sum);
                FloatVector e = difference.sub(FloatVector.fromMemorySegment(F, ALL, at + 12 * plane, ORDER));
                second = FloatVector.fromMemorySegment(F, ALL, at + 5 * plane, ORDER);
                third = FloatVector.fromMemorySegment(F, ALL, at + 9 * plane, ORDER);
                sum = second.add(third);
                difference = second.sub(third);
                FloatVector b =
                        FloatVector.fromMemorySegment(F, ALL, at + plane, ORDER).add(sum);
                FloatVector f = difference.sub(FloatVector.fromMemorySegment(F, ALL, at + 13 * plane, ORDER));
                second = FloatVector.fromMemorySegment(F, ALL, at + 6 * plane, ORDER);
                third = FloatVector.fromMemorySegment(F, ALL, at + 10 * plane, ORDER);
                sum = second.add(third);
                difference = second.sub(third);
                FloatVector c = FloatVector.fromMemorySegment(F, ALL, at + 2 * plane, ORDER)
                        .add(sum);
                FloatVector g = difference.sub(FloatVector.fromMemorySegment(F, ALL, at + 14 * plane, ORDER));
                second = FloatVector.fromMemorySegment(F, ALL, at + 7 * plane, ORDER);
                third = FloatVector.fromMemorySegment(F, ALL, at + 11 * plane, ORDER);
                sum = second.add(third);
                difference = second.sub(third);
                FloatVector d = FloatVector.fromMemorySegment(F, ALL, at + 3 * plane, ORDER)
                        .add(sum);
                FloatVector h = difference.sub(FloatVector.fromMemorySegment(F, ALL, at + 15 * plane, ORDER));
                long out = 4L * v + 2 * t * pixel;
                a.add(b).add(c).add(shift).intoMemorySegment(ALL, upper + out, ORDER);
                b.sub(c).sub(d).add(shift).intoMemorySegment(ALL, upper + out + pixel, ORDER);
                e.add(f).add(g).add(shift).intoMemorySegment(ALL, lower + out, ORDER);
                f.sub(g).sub(h).add(shift).intoMemorySegment(ALL, lower + out + pixel, ORDER);
            }
        }
    }

    /// A y A^T of a row of 2 x 2 tiles: two rows of the image to sixteen planes.
    ///
    /// @param to tile 0 of the first plane
    static void gradient(long upper, long lower, int channels, int tiles, long to, long plane) {
        long pixel = 4L * channels;
        for (int v = 0; v < channels; v += LANES) {
            for (int t = 0; t < tiles; t++) {
                long in = 4L * v + 2 * t * pixel;
                FloatVector a = FloatVector.fromMemorySegment(F, ALL, upper + in, ORDER);
                FloatVector b = FloatVector.fromMemorySegment(F, ALL, upper + in + pixel, ORDER);
                FloatVector c = FloatVector.fromMemorySegment(F, ALL, lower + in, ORDER);
                FloatVector d = FloatVector.fromMemorySegment(F, ALL, lower + in + pixel, ORDER);
                long at = to + 4L * v + t * pixel;
                a.intoMemorySegment(ALL, at, ORDER);
                a.add(b).intoMemorySegment(ALL, at + plane, ORDER);
                a.sub(b).intoMemorySegment(ALL, at + 2 * plane, ORDER);
                b.neg().intoMemorySegment(ALL, at + 3 * plane, ORDER);
                FloatVector e = a.add(c);
                FloatVector f = b.add(d);
                e.intoMemorySegment(ALL, at + 4 * plane, ORDER);
                e.add(f).intoMemorySegment(ALL, at + 5 * plane, ORDER);
                e.sub(f).intoMemorySegment(ALL, at + 6 * plane, ORDER);
                f.neg().intoMemorySegment(ALL, at + 7 * plane, ORDER);
                e = a.sub(c);
                f = b.sub(d);
                e.intoMemorySegment(ALL, at + 8 * plane, ORDER);
                e.add(f).intoMemorySegment(ALL, at + 9 * plane, ORDER);
                e.sub(f).intoMemorySegment(ALL, at + 10 * plane, ORDER);
                f.neg().intoMemorySegment(ALL, at + 11 * plane, ORDER);
                c.neg().intoMemorySegment(ALL, at + 12 * plane, ORDER);
                c.add(d).neg().intoMemorySegment(ALL, at + 13 * plane, ORDER);
                d.sub(c).intoMemorySegment(ALL, at + 14 * plane, ORDER);
                d.intoMemorySegment(ALL, at + 15 * plane, ORDER);
            }
        }
    }

    /// G of three rows of a filter's numbers: `[3, count]` to `[4, count]`.
    ///
    /// @param in bytes from one row that is read to the next; negative to turn the filter over
    /// @param out bytes from one that is written to the next
    static void filter(long from, long in, long to, long out, int count) {
        for (int i = 0; i < count; i += LANES) {
            FloatVector a = FloatVector.fromMemorySegment(F, ALL, from + 4L * i, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(F, ALL, from + in + 4L * i, ORDER);
            FloatVector c = FloatVector.fromMemorySegment(F, ALL, from + 2 * in + 4L * i, ORDER);
            FloatVector sum = a.add(c);
            long at = to + 4L * i;
            a.intoMemorySegment(ALL, at, ORDER);
            sum.add(b).mul(0.5f).intoMemorySegment(ALL, at + out, ORDER);
            sum.sub(b).mul(0.5f).intoMemorySegment(ALL, at + 2 * out, ORDER);
            c.intoMemorySegment(ALL, at + 3 * out, ORDER);
        }
    }

    /// G^T of four rows: `[4, count]` to `[3, count]`.
    static void filterGradient(long from, long in, long to, long out, int count) {
        for (int i = 0; i < count; i += LANES) {
            long at = from + 4L * i;
            FloatVector a = FloatVector.fromMemorySegment(F, ALL, at, ORDER);
            FloatVector b = FloatVector.fromMemorySegment(F, ALL, at + in, ORDER);
            FloatVector c = FloatVector.fromMemorySegment(F, ALL, at + 2 * in, ORDER);
            FloatVector d = FloatVector.fromMemorySegment(F, ALL, at + 3 * in, ORDER);
            FloatVector half = b.add(c).mul(0.5f);
            a.add(half).intoMemorySegment(ALL, to + 4L * i, ORDER);
            b.sub(c).mul(0.5f).intoMemorySegment(ALL, to + out + 4L * i, ORDER);
            half.add(d).intoMemorySegment(ALL, to + 2 * out + 4L * i, ORDER);
        }
    }

    /// `total += part`.
    static void add(long part, long total, int count) {
        for (int i = 0; i < count; i += LANES) {
            FloatVector.fromMemorySegment(F, ALL, part + 4L * i, ORDER)
                    .add(FloatVector.fromMemorySegment(F, ALL, total + 4L * i, ORDER))
                    .intoMemorySegment(ALL, total + 4L * i, ORDER);
        }
    }
}
