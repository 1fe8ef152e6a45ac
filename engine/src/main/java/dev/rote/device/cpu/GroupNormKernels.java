package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.getFloat;
import static dev.rote.device.cpu.Memory.load;
import static dev.rote.device.cpu.Memory.setFloat;
import static dev.rote.device.cpu.Memory.store;

import dev.rote.graph.GroupNorm;
import dev.rote.graph.Shape;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// Group normalisation with optional SiLU, an image at a time: it stays in the second-level cache over all passes.
final class GroupNormKernels {
    private final GroupNorm op;
    private final int images;
    private final int size;
    private final int channels;
    private final int perGroup;
    private final RowPattern rows;
    private final double[] sums;
    private final double[] perChannel;
    private final float[] zero;
    private final float[] center;
    private final float[] factor;
    private final float[] gamma;
    private final float[] beta;
    private final float[] values;
    private final float[] meanPattern;

    GroupNormKernels(GroupNorm op, Shape x) {
        this.op = op;
        this.images = x.dim(0);
        this.size = Math.toIntExact(x.elements() / images);
        this.channels = x.last();
        this.perGroup = channels / op.groups();
        this.rows = new RowPattern(channels);
        this.sums = new double[rows.period];
        this.perChannel = new double[channels];
        this.zero = new float[rows.period];
        this.center = new float[rows.period];
        this.factor = new float[rows.period];
        this.gamma = new float[rows.period];
        this.beta = new float[rows.period];
        this.values = new float[channels];
        this.meanPattern = new float[rows.period];
    }

    Kernel forward(Stage x, long gammaAt, long betaAt, Stage y, long mean, long rstd) {
        return () -> {
            rows.expand(gammaAt, gamma);
            rows.expand(betaAt, beta);
            for (int n = 0; n < images; n++) {
                long in = x.in(n);
                long meanAt = mean + 4L * n * op.groups();
                long rstdAt = rstd + 4L * n * op.groups();
                statistics(in, meanAt, rstdAt);
                prepare(meanAt, rstdAt);
                if (op.silu()) {
                    normaliseSilu(in, y.out(n));
                } else {
                    normalise(in, y.out(n));
                }
                y.done(n);
            }
        };
    }

    /// Two passes: mean, then the mean of squared differences from it.
    private void statistics(long x, long meanAt, long rstdAt) {
        Arrays.fill(sums, 0);
        rows.sum(x, zero, size, sums);
        double count = (double) size / op.groups();
        groupSums();
        for (int g = 0; g < op.groups(); g++) {
            setFloat(meanAt + 4L * g, (float) (perChannel[g] / count));
        }
        spread(meanAt, values);
        rows.expand(values, 0, center);
        Arrays.fill(sums, 0);
        rows.sumSquares(x, center, size, sums);
        groupSums();
        for (int g = 0; g < op.groups(); g++) {
            setFloat(rstdAt + 4L * g, (float) (1 / Math.sqrt(perChannel[g] / count + op.eps())));
        }
    }

    /// Folds `sums` to channels and then to groups, which end in the first entries of `perChannel`.
    private void groupSums() {
        Arrays.fill(perChannel, 0);
        rows.fold(sums, perChannel);
        for (int g = 0; g < op.groups(); g++) {
            double total = 0;
            for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
                total += perChannel[c];
            }
            perChannel[g] = total;
        }
    }

    /// A number per group, repeated for its channels.
    private void spread(long perGroupAt, float[] out) {
        for (int c = 0; c < channels; c++) {
            out[c] = getFloat(perGroupAt + 4L * (c / perGroup));
        }
    }

    /// center = mean, factor = rstd, over a period.
    private void prepare(long meanAt, long rstdAt) {
        spread(meanAt, values);
        rows.expand(values, 0, center);
        spread(rstdAt, values);
        rows.expand(values, 0, factor);
    }

    private void normalise(long x, long y) {
        int begin = 0;
        for (; begin <= size - rows.period; begin += rows.period) {
            for (int v = 0; v < rows.period; v += LANES) {
                long at = 4L * (begin + v);
                store(normalised(load(x + at), v), y + at);
            }
        }
        for (int i = begin; i < size; i++) {
            int p = i - begin;
            float z = (getFloat(x + 4L * i) - center[p]) * factor[p] * gamma[p] + beta[p];
            setFloat(y + 4L * i, z);
        }
    }

    private FloatVector normalised(FloatVector x, int v) {
        return x.sub(FloatVector.fromArray(Memory.F, center, v))
                .mul(FloatVector.fromArray(Memory.F, factor, v))
                .fma(FloatVector.fromArray(Memory.F, gamma, v), FloatVector.fromArray(Memory.F, beta, v));
    }

    private void normaliseSilu(long x, long y) {
        int begin = 0;
        for (; begin <= size - rows.period; begin += rows.period) {
            for (int v = 0; v < rows.period; v += LANES) {
                long at = 4L * (begin + v);
                FloatVector z = normalised(load(x + at), v);
                store(z.mul(VectorMath.sigmoid(z)), y + at);
            }
        }
        for (int i = begin; i < size; i++) {
            int p = i - begin;
            float z = (getFloat(x + 4L * i) - center[p]) * factor[p] * gamma[p] + beta[p];
            setFloat(y + 4L * i, z * VectorMath.sigmoid(z));
        }
    }

    /// dx = rstd (dz gamma - mean_g(dz gamma) - xhat mean_g(dz gamma xhat)); dgamma and dbeta summed over images in
    // f64.
    ///
    /// @param dz and xhat scratch for one image each
    Kernel backward(
            Stage dy,
            Stage x,
            long gammaAt,
            long betaAt,
            long mean,
            long rstd,
            Stage dx,
            long dgamma,
            long dbeta,
            long dz,
            long xhat) {
        double[] dgammaSum = new double[channels];
        double[] dbetaSum = new double[channels];
        double[] betaOfImage = new double[channels];
        double[] gammaOfImage = new double[channels];
        return () -> {
            Arrays.fill(dgammaSum, 0);
            Arrays.fill(dbetaSum, 0);
            rows.expand(gammaAt, gamma);
            rows.expand(betaAt, beta);
            for (int n = 0; n < images; n++) {
                prepare(mean + 4L * n * op.groups(), rstd + 4L * n * op.groups());
                slopes(dy.in(n), x.in(n), dz, xhat);
                Arrays.fill(sums, 0);
                rows.sum(dz, zero, size, sums);
                Arrays.fill(betaOfImage, 0);
                rows.fold(sums, betaOfImage);
                Arrays.fill(sums, 0);
                rows.sumProducts(dz, xhat, size, sums);
                Arrays.fill(gammaOfImage, 0);
                rows.fold(sums, gammaOfImage);
                for (int c = 0; c < channels; c++) {
                    dbetaSum[c] += betaOfImage[c];
                    dgammaSum[c] += gammaOfImage[c];
                }
                distribute(betaOfImage, gammaOfImage, gammaAt, dz, xhat, dx.out(n));
                dx.done(n);
            }
            for (int c = 0; c < channels; c++) {
                setFloat(dgamma + 4L * c, (float) dgammaSum[c]);
                setFloat(dbeta + 4L * c, (float) dbetaSum[c]);
            }
        };
    }

    /// dz = dy (slope of SiLU at z), xhat = (x - mean) rstd.
    private void slopes(long dy, long x, long dz, long xhat) {
        int begin = 0;
        for (; begin <= size - rows.period; begin += rows.period) {
            for (int v = 0; v < rows.period; v += LANES) {
                long at = 4L * (begin + v);
                FloatVector hat = load(x + at)
                        .sub(FloatVector.fromArray(Memory.F, center, v))
                        .mul(FloatVector.fromArray(Memory.F, factor, v));
                store(hat, xhat + at);
                FloatVector d = load(dy + at);
                if (op.silu()) {
                    FloatVector z = hat.fma(
                            FloatVector.fromArray(Memory.F, gamma, v), FloatVector.fromArray(Memory.F, beta, v));
                    FloatVector s = VectorMath.sigmoid(z);
                    d = d.mul(s.mul(z.mul(s.neg().add(1)).add(1)));
                }
                store(d, dz + at);
            }
        }
        for (int i = begin; i < size; i++) {
            int p = i - begin;
            float hat = (getFloat(x + 4L * i) - center[p]) * factor[p];
            float d = getFloat(dy + 4L * i);
            if (op.silu()) {
                float z = Math.fma(hat, gamma[p], beta[p]);
                float s = VectorMath.sigmoid(z);
                d *= s * (1 + z * (1 - s));
            }
            setFloat(xhat + 4L * i, hat);
            setFloat(dz + 4L * i, d);
        }
    }

    private void distribute(double[] sumDz, double[] sumDzXhat, long gammaAt, long dz, long xhat, long dx) {
        double count = (double) size / op.groups();
        for (int g = 0; g < op.groups(); g++) {
            double first = 0;
            double second = 0;
            for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
                first += getFloat(gammaAt + 4L * c) * sumDz[c];
                second += getFloat(gammaAt + 4L * c) * sumDzXhat[c];
            }
            for (int c = g * perGroup; c < (g + 1) * perGroup; c++) {
                sumDz[c] = first / count;
                sumDzXhat[c] = second / count;
            }
        }
        // The image's centers are not needed any more; their array takes the first mean.
        float[] meanDz = center;
        float[] meanDzXhat = meanPattern;
        toPattern(sumDz, meanDz);
        toPattern(sumDzXhat, meanDzXhat);
        int begin = 0;
        for (; begin <= size - rows.period; begin += rows.period) {
            for (int v = 0; v < rows.period; v += LANES) {
                long at = 4L * (begin + v);
                FloatVector t = load(dz + at).mul(FloatVector.fromArray(Memory.F, gamma, v));
                t = t.sub(FloatVector.fromArray(Memory.F, meanDz, v));
                t = t.sub(load(xhat + at).mul(FloatVector.fromArray(Memory.F, meanDzXhat, v)));
                store(t.mul(FloatVector.fromArray(Memory.F, factor, v)), dx + at);
            }
        }
        for (int i = begin; i < size; i++) {
            int p = i - begin;
            float t = getFloat(dz + 4L * i) * gamma[p] - meanDz[p] - getFloat(xhat + 4L * i) * meanDzXhat[p];
            setFloat(dx + 4L * i, t * factor[p]);
        }
    }

    private void toPattern(double[] perChannelValues, float[] pattern) {
        for (int c = 0; c < channels; c++) {
            values[c] = (float) perChannelValues[c];
        }
        rows.expand(values, 0, pattern);
    }
}
