package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.LANES;

import dev.rote.graph.Clamp;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/// [Clamp], a chunk at a time.
final class ClampKernel {
    private ClampKernel() {}

    static Kernel clamp(Clamp op, Stage x, Stage y, long size) {
        return () -> {
            long done = 0;
            for (long chunk = 0; done < size; chunk++) {
                int count = (int) Math.min(ElementwiseKernels.CHUNK, size - done);
                clamp(op, x.in(chunk, count), y.out(chunk), count);
                y.done(chunk, count);
                done += count;
            }
        };
    }

    private static void clamp(Clamp op, long x, long y, int count) {
        int i = 0;
        for (; i <= count - LANES; i += LANES) {
            FloatVector value = Memory.load(x + 4L * i);
            FloatVector clamped = value.max(op.low()).min(op.high());
            Memory.store(value.blend(clamped, value.test(VectorOperators.IS_FINITE)), y + 4L * i);
        }
        for (; i < count; i++) {
            float value = Memory.getFloat(x + 4L * i);
            Memory.setFloat(y + 4L * i, Float.isFinite(value) ? Math.min(Math.max(value, op.low()), op.high()) : value);
        }
    }
}
