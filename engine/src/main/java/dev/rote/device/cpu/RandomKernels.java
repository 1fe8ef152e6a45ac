package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.getByte;
import static dev.rote.device.cpu.Memory.getFloat;
import static dev.rote.device.cpu.Memory.getInt;
import static dev.rote.device.cpu.Memory.setFloat;
import static dev.rote.device.cpu.Memory.setInt;

import dev.rote.graph.Batch;
import dev.rote.graph.DType;
import dev.rote.graph.RandomIndex;
import dev.rote.graph.RandomNormal;
import dev.rote.graph.Shape;
import dev.rote.random.Draw;
import dev.rote.random.EpochOrder;
import dev.rote.random.Philox;
import dev.rote.random.Purpose;
import dev.rote.random.RandomFill;
import java.lang.foreign.MemorySegment;

/// Draws, all functions of (seed, purpose, step, element).
final class RandomKernels {
    private RandomKernels() {}

    static Kernel normal(RandomNormal op, long step, long y) {
        long elements = op.shape().elements();
        MemorySegment target = Memory.ALL.asSlice(y, 4 * elements);
        return () -> RandomFill.fillNormal(target, elements, op.seed(), getInt(step), op.purpose(), op.first());
    }

    static Kernel index(RandomIndex op, long step, long y) {
        int range = op.high() - op.low() + 1;
        return () -> {
            int at = getInt(step);
            for (int i = 0; i < op.count(); i++) {
                int word = Philox.elementWord(op.seed(), op.first() + i, at, op.purpose());
                setInt(y + 4L * i, op.low() + Draw.below(word, range));
            }
        };
    }

    /// @param labels and label are 0 when there are none
    static Kernel batch(
            Batch op, Shape data, DType type, long dataAt, long step, long labels, long x, long index, long label) {
        int total = data.dim(0);
        int width = data.dim(2);
        int channels = data.dim(3);
        int size = Math.toIntExact(data.elements() / total);
        int[] chosen = new int[op.count()];
        EpochOrder order = new EpochOrder(op.seed(), total);
        return () -> {
            int at = getInt(step);
            long position = at * op.stride() + op.first();
            if (op.shuffle()) {
                order.indices(position, chosen, op.count());
            }
            for (int j = 0; j < op.count(); j++) {
                int image = op.shuffle() ? chosen[j] : (int) ((position + j) % total);
                setInt(index + 4L * j, image);
                if (labels != 0) {
                    setInt(label + 4L * j, getInt(labels + 4L * image));
                }
                boolean mirrored =
                        op.flip() && Philox.elementWord(op.seed(), op.first() + j, at, Purpose.AUGMENT.code()) < 0;
                long to = x + 4L * j * size;
                if (type == DType.U8) {
                    bytes(op, dataAt + (long) image * size, to, size, width, channels, mirrored);
                } else {
                    floats(op, dataAt + 4L * image * size, to, size, width, channels, mirrored);
                }
            }
        };
    }

    private static void bytes(Batch op, long from, long to, int size, int width, int channels, boolean mirrored) {
        for (int i = 0; i < size; i++) {
            int source = mirrored ? mirror(i, width, channels) : i;
            setFloat(to + 4L * i, Math.fma(op.scale(), (float) getByte(from + source), op.shift()));
        }
    }

    private static void floats(Batch op, long from, long to, int size, int width, int channels, boolean mirrored) {
        for (int i = 0; i < size; i++) {
            int source = mirrored ? mirror(i, width, channels) : i;
            setFloat(to + 4L * i, Math.fma(op.scale(), getFloat(from + 4L * source), op.shift()));
        }
    }

    private static int mirror(int i, int width, int channels) {
        int pixel = i / channels;
        int column = pixel % width;
        return (pixel - column + width - 1 - column) * channels + i % channels;
    }
}
