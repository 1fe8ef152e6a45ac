package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.getFloat;
import static dev.rote.device.cpu.Memory.load;
import static dev.rote.device.cpu.Memory.setFloat;
import static dev.rote.device.cpu.Memory.store;

import dev.rote.graph.Activation;
import jdk.incubator.vector.FloatVector;

/// Operations on each element alone, in chunks that stay in the first-level cache.
final class ElementwiseKernels {
    /// Elements per chunk: three operands of 16 KiB fit a 48 KiB first-level cache.
    static final int CHUNK = 4096;

    private ElementwiseKernels() {}

    static Kernel add(Stage a, Stage b, Stage y, long elements) {
        return () -> {
            for (long begin = 0, c = 0; begin < elements; begin += CHUNK, c++) {
                int count = (int) Math.min(CHUNK, elements - begin);
                add(a.in(c, count), b.in(c, count), y.out(c), count);
                y.done(c, count);
            }
        };
    }

    private static void add(long a, long b, long y, int count) {
        int i = 0;
        for (; i <= count - LANES; i += LANES) {
            store(load(a + 4L * i).add(load(b + 4L * i)), y + 4L * i);
        }
        for (; i < count; i++) {
            setFloat(y + 4L * i, getFloat(a + 4L * i) + getFloat(b + 4L * i));
        }
    }

    static Kernel multiply(Stage a, Stage b, Stage y, long elements) {
        return () -> {
            for (long begin = 0, c = 0; begin < elements; begin += CHUNK, c++) {
                int count = (int) Math.min(CHUNK, elements - begin);
                multiply(a.in(c, count), b.in(c, count), y.out(c), count);
                y.done(c, count);
            }
        };
    }

    private static void multiply(long a, long b, long y, int count) {
        int i = 0;
        for (; i <= count - LANES; i += LANES) {
            store(load(a + 4L * i).mul(load(b + 4L * i)), y + 4L * i);
        }
        for (; i < count; i++) {
            setFloat(y + 4L * i, getFloat(a + 4L * i) * getFloat(b + 4L * i));
        }
    }

    static Kernel scale(Stage x, Stage y, float factor, float shift, long elements) {
        return () -> {
            for (long begin = 0, c = 0; begin < elements; begin += CHUNK, c++) {
                int count = (int) Math.min(CHUNK, elements - begin);
                scale(x.in(c, count), y.out(c), factor, shift, count);
                y.done(c, count);
            }
        };
    }

    private static void scale(long x, long y, float factor, float shift, int count) {
        int i = 0;
        for (; i <= count - LANES; i += LANES) {
            store(load(x + 4L * i).mul(factor).add(shift), y + 4L * i);
        }
        for (; i < count; i++) {
            setFloat(y + 4L * i, getFloat(x + 4L * i) * factor + shift);
        }
    }

    /// `y = fma(a, x, b z)` with one pair of coefficients per image.
    static Kernel mix(
            Stage x, Stage z, long a, long b, boolean aPerImage, boolean bPerImage, Stage y, int images, int size) {
        return () -> {
            for (int n = 0; n < images; n++) {
                float aValue = getFloat(a + (aPerImage ? 4L * n : 0));
                float bValue = getFloat(b + (bPerImage ? 4L * n : 0));
                mix(x.in(n), z.in(n), aValue, bValue, y.out(n), size);
                y.done(n);
            }
        };
    }

    private static void mix(long x, long z, float a, float b, long y, int count) {
        FloatVector av = FloatVector.broadcast(Memory.F, a);
        int i = 0;
        for (; i <= count - LANES; i += LANES) {
            store(load(x + 4L * i).fma(av, load(z + 4L * i).mul(b)), y + 4L * i);
        }
        for (; i < count; i++) {
            setFloat(y + 4L * i, Math.fma(a, getFloat(x + 4L * i), b * getFloat(z + 4L * i)));
        }
    }

    static Kernel activation(Activation.Kind kind, Stage x, Stage y, long elements) {
        return () -> {
            for (long begin = 0, c = 0; begin < elements; begin += CHUNK, c++) {
                int count = (int) Math.min(CHUNK, elements - begin);
                long xAt = x.in(c, count);
                long yAt = y.out(c);
                switch (kind) {
                    case SILU -> silu(xAt, yAt, count);
                    case RELU -> relu(xAt, yAt, count);
                    case GELU -> gelu(xAt, yAt, count);
                    case TANH -> tanh(xAt, yAt, count);
                }
                y.done(c, count);
            }
        };
    }

    private static void silu(long x, long y, int count) {
        int whole = count - count % LANES;
        SiluMath.silu(x, y, whole);
        for (int i = whole; i < count; i++) {
            float v = getFloat(x + 4L * i);
            setFloat(y + 4L * i, v * VectorMath.sigmoid(v));
        }
    }

    private static void relu(long x, long y, int count) {
        for (int i = 0; i < count; i++) {
            setFloat(y + 4L * i, Math.max(getFloat(x + 4L * i), 0));
        }
    }

    private static void gelu(long x, long y, int count) {
        for (int i = 0; i < count; i++) {
            double v = getFloat(x + 4L * i);
            setFloat(y + 4L * i, (float) (0.5 * v * (1 + VectorMath.erf(v * Math.sqrt(0.5)))));
        }
    }

    private static void tanh(long x, long y, int count) {
        for (int i = 0; i < count; i++) {
            setFloat(y + 4L * i, (float) Math.tanh(getFloat(x + 4L * i)));
        }
    }

    static Kernel activationBackward(Activation.Kind kind, Stage dy, Stage x, Stage dx, long elements) {
        return () -> {
            for (long begin = 0, c = 0; begin < elements; begin += CHUNK, c++) {
                int count = (int) Math.min(CHUNK, elements - begin);
                long dyAt = dy.in(c, count);
                long xAt = x.in(c, count);
                long dxAt = dx.out(c);
                if (kind == Activation.Kind.SILU) {
                    siluBackward(dyAt, xAt, dxAt, count);
                } else {
                    slopes(kind, dyAt, xAt, dxAt, count);
                }
                dx.done(c, count);
            }
        };
    }

    private static void siluBackward(long dy, long x, long dx, int count) {
        int whole = count - count % LANES;
        SiluMath.slope(dy, x, dx, whole);
        for (int i = whole; i < count; i++) {
            float v = getFloat(x + 4L * i);
            float s = VectorMath.sigmoid(v);
            setFloat(dx + 4L * i, getFloat(dy + 4L * i) * s * (1 + v * VectorMath.sigmoid(-v)));
        }
    }

    private static void slopes(Activation.Kind kind, long dy, long x, long dx, int count) {
        for (int i = 0; i < count; i++) {
            double v = getFloat(x + 4L * i);
            double slope =
                    switch (kind) {
                        case RELU -> v > 0 ? 1 : 0;
                        case GELU ->
                            0.5 * (1 + VectorMath.erf(v * Math.sqrt(0.5)))
                                    + v * Math.exp(-0.5 * v * v) / Math.sqrt(2 * Math.PI);
                        case TANH -> 1 - Math.tanh(v) * Math.tanh(v);
                        case SILU -> throw new AssertionError("has a kernel of its own");
                    };
            setFloat(dx + 4L * i, (float) (getFloat(dy + 4L * i) * slope));
        }
    }

    /// `loss = weight sum (p - t)^2`: squares in f32, blocks of a chunk summed in f64.
    static Kernel squaredError(Stage p, Stage t, long loss, float weight, long elements) {
        return () -> {
            double sum = 0;
            for (long begin = 0, c = 0; begin < elements; begin += CHUNK, c++) {
                int count = (int) Math.min(CHUNK, elements - begin);
                sum += squaredError(p.in(c, count), t.in(c, count), count);
            }
            setFloat(loss, (float) (sum * weight));
        };
    }

    private static double squaredError(long p, long t, int count) {
        double total = 0;
        int i = 0;
        while (i <= count - LANES) {
            FloatVector sum = FloatVector.zero(Memory.F);
            // At most 32 terms per lane before the sum goes on in f64.
            for (int end = Math.min(count - LANES, i + 31 * LANES); i <= end; i += LANES) {
                FloatVector d = load(p + 4L * i).sub(load(t + 4L * i));
                sum = d.fma(d, sum);
            }
            for (int lane = 0; lane < LANES; lane++) {
                total += sum.lane(lane);
            }
        }
        for (; i < count; i++) {
            float d = getFloat(p + 4L * i) - getFloat(t + 4L * i);
            total += (double) d * d;
        }
        return total;
    }

    static Kernel squaredErrorBackward(Stage p, Stage t, long dloss, Stage dp, float weight, long elements) {
        return () -> {
            float factor = 2 * weight * getFloat(dloss);
            for (long begin = 0, c = 0; begin < elements; begin += CHUNK, c++) {
                int count = (int) Math.min(CHUNK, elements - begin);
                scaledDifference(p.in(c, count), t.in(c, count), factor, dp.out(c), count);
                dp.done(c, count);
            }
        };
    }

    private static void scaledDifference(long p, long t, float factor, long y, int count) {
        int i = 0;
        for (; i <= count - LANES; i += LANES) {
            store(load(p + 4L * i).sub(load(t + 4L * i)).mul(factor), y + 4L * i);
        }
        for (; i < count; i++) {
            setFloat(y + 4L * i, (getFloat(p + 4L * i) - getFloat(t + 4L * i)) * factor);
        }
    }

    /// Conversion between f32 and bf16 through the stages alone.
    static Kernel cast(Stage x, Stage y, long elements) {
        return () -> {
            for (long begin = 0, c = 0; begin < elements; begin += CHUNK, c++) {
                int count = (int) Math.min(CHUNK, elements - begin);
                Memory.copy(x.in(c, count), y.out(c), 4L * count);
                y.done(c, count);
            }
        };
    }
}
