package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.getFloat;
import static dev.rote.device.cpu.Memory.getInt;
import static dev.rote.device.cpu.Memory.load;
import static dev.rote.device.cpu.Memory.setFloat;
import static dev.rote.device.cpu.Memory.setInt;
import static dev.rote.device.cpu.Memory.store;

import dev.rote.graph.AdamUpdate;
import dev.rote.graph.EmaUpdate;
import dev.rote.graph.SgdUpdate;
import jdk.incubator.vector.FloatVector;

/// Operations in which the lanes of a program meet. Flat buffers are shared out by elements: each lane owns a range,
/// the
/// same one in every kernel, so updates that follow each other need no barrier between them.
final class CollectiveKernels {
    /// Elements per partial sum of the norm; the sum does not depend on the number of lanes.
    private static final int NORM_CHUNK = 4096;

    private final int lane;
    private final int lanes;
    private final LaneBarrier barrier;

    CollectiveKernels(int lane, int lanes, LaneBarrier barrier) {
        this.lane = lane;
        this.lanes = lanes;
        this.barrier = barrier;
    }

    /// First element of a lane's range, a multiple of the vector length and of [#NORM_CHUNK] where the buffer is large.
    private long bound(long elements, int which) {
        long unit = elements >= (long) NORM_CHUNK * lanes * 4 ? NORM_CHUNK : LANES;
        long units = (elements + unit - 1) / unit;
        return Math.min(elements, units * which / lanes * unit);
    }

    private long begin(long elements) {
        return bound(elements, lane);
    }

    private long end(long elements) {
        return bound(elements, lane + 1);
    }

    /// @param copies the address of the value in every lane
    Kernel allReduce(long[] copies, long elements) {
        if (lanes == 1) {
            return () -> {};
        }
        long begin = begin(elements);
        long end = end(elements);
        return () -> {
            barrier.await();
            long i = begin;
            for (; i <= end - LANES; i += LANES) {
                FloatVector sum = load(copies[0] + 4 * i);
                for (int other = 1; other < lanes; other++) {
                    sum = sum.add(load(copies[other] + 4 * i));
                }
                for (long copy : copies) {
                    store(sum, copy + 4 * i);
                }
            }
            for (; i < end; i++) {
                float sum = getFloat(copies[0] + 4 * i);
                for (int other = 1; other < lanes; other++) {
                    sum += getFloat(copies[other] + 4 * i);
                }
                for (long copy : copies) {
                    setFloat(copy + 4 * i, sum);
                }
            }
            barrier.await();
        };
    }

    /// @param partials one double per chunk, shared by all lanes
    Kernel globalNorm(long x, long elements, double[] partials, long y) {
        return () -> {
            for (int chunk = lane; chunk < partials.length; chunk += lanes) {
                long begin = (long) chunk * NORM_CHUNK;
                long end = Math.min(elements, begin + NORM_CHUNK);
                double sum = 0;
                for (long i = begin; i < end; i++) {
                    double v = getFloat(x + 4 * i);
                    sum += v * v;
                }
                partials[chunk] = sum;
            }
            barrier.await();
            double total = 0;
            for (double partial : partials) {
                total += partial;
            }
            setFloat(y, (float) Math.sqrt(total));
            // Nobody starts the next norm before everybody has read this one.
            barrier.await();
        };
    }

    static int normChunks(long elements) {
        return Math.toIntExact((elements + NORM_CHUNK - 1) / NORM_CHUNK);
    }

    Kernel advance(long counter) {
        return () -> {
            barrier.await();
            if (lane == 0) {
                setInt(counter, getInt(counter) + 1);
            }
            barrier.await();
        };
    }

    Kernel record(long value, long step, long ring, int capacity) {
        return () -> {
            if (lane == 0) {
                setFloat(ring + 4L * (getInt(step) % capacity), getFloat(value));
            }
        };
    }

    /// The addresses of an update's operands; `copy` is 0 when there is no bf16 copy.
    record Buffers(long elements, long parameters, long gradients, long lr, long scale, long step, long copy) {}

    Kernel sgd(SgdUpdate op, Buffers b, long momentum) {
        return () -> {
            barrier.await();
            float lr = getFloat(b.lr);
            float scale = getFloat(b.scale);
            float mu = getInt(b.step) == 0 ? 0 : op.momentum();
            long end = end(b.elements);
            long i = begin(b.elements);
            UpdateMath.sgd(b.parameters, b.gradients, momentum, i, end, lr, scale, mu, op.weightDecay());
            i = whole(i, end);
            for (; i < end; i++) {
                float p = getFloat(b.parameters + 4 * i);
                float g = getFloat(b.gradients + 4 * i) * scale + p * op.weightDecay();
                float v = getFloat(momentum + 4 * i) * mu + g;
                setFloat(momentum + 4 * i, v);
                setFloat(b.parameters + 4 * i, p - v * lr);
            }
            copy(b);
        };
    }

    Kernel adam(AdamUpdate op, Buffers b, long m, long v) {
        return () -> {
            barrier.await();
            double k = getInt(b.step) + 1.0;
            double lr = getFloat(b.lr);
            float rate = (float) (lr / (1 - Math.pow(op.beta1(), k)));
            float correction = (float) (1 / (1 - Math.pow(op.beta2(), k)));
            float keep = op.decoupled() ? (float) (1 - lr * op.weightDecay()) : 1;
            float decay = op.decoupled() ? 0 : op.weightDecay();
            float scale = getFloat(b.scale);
            long end = end(b.elements);
            long i = begin(b.elements);
            for (; i <= end - LANES; i += LANES) {
                FloatVector p = load(b.parameters + 4 * i);
                FloatVector g = load(b.gradients + 4 * i).mul(scale).add(p.mul(decay));
                FloatVector first = load(m + 4 * i).mul(op.beta1()).add(g.mul(1 - op.beta1()));
                FloatVector second =
                        load(v + 4 * i).mul(op.beta2()).add(g.mul(g).mul(1 - op.beta2()));
                store(first, m + 4 * i);
                store(second, v + 4 * i);
                FloatVector root = second.mul(correction).sqrt().add(op.eps());
                store(p.mul(keep).sub(first.mul(rate).div(root)), b.parameters + 4 * i);
            }
            for (; i < end; i++) {
                float p = getFloat(b.parameters + 4 * i);
                float g = getFloat(b.gradients + 4 * i) * scale + p * decay;
                float first = getFloat(m + 4 * i) * op.beta1() + g * (1 - op.beta1());
                float second = getFloat(v + 4 * i) * op.beta2() + g * g * (1 - op.beta2());
                setFloat(m + 4 * i, first);
                setFloat(v + 4 * i, second);
                float root = (float) Math.sqrt(second * correction) + op.eps();
                setFloat(b.parameters + 4 * i, p * keep - first * rate / root);
            }
            copy(b);
        };
    }

    /// Where the vectors of [i, end) stop.
    private static long whole(long i, long end) {
        return i + Math.max(0, end - i) / LANES * LANES;
    }

    private void copy(Buffers b) {
        if (b.copy != 0) {
            long begin = begin(b.elements);
            Memory.round(b.parameters + 4 * begin, b.copy + 2 * begin, Math.toIntExact(end(b.elements) - begin));
        }
    }

    Kernel ema(EmaUpdate op, long average, long parameters, long step, long elements) {
        return () -> {
            float share = getInt(step) == 0 ? 1 : (float) (1 - (double) op.decay());
            long end = end(elements);
            long i = begin(elements);
            for (; i <= end - LANES; i += LANES) {
                FloatVector e = load(average + 4 * i);
                store(load(parameters + 4 * i).sub(e).mul(share).add(e), average + 4 * i);
            }
            for (; i < end; i++) {
                float e = getFloat(average + 4 * i);
                setFloat(average + 4 * i, (getFloat(parameters + 4 * i) - e) * share + e);
            }
        };
    }
}
