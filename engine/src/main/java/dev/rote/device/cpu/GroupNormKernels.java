package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.LANES;
import static dev.rote.device.cpu.Memory.getFloat;
import static dev.rote.device.cpu.Memory.setFloat;

import dev.rote.graph.GroupNorm;
import dev.rote.graph.Shape;
import java.util.Arrays;

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
    private final float[] scale;
    private final float[] meanDz;
    private final float[] meanDzXhat;

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
        this.scale = new float[rows.period];
        this.meanDz = new float[rows.period];
        this.meanDzXhat = new float[rows.period];
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
                normalise(in, y.out(n));
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

    /// center = mean, factor = rstd, scale = rstd gamma, over a period.
    private void prepare(long meanAt, long rstdAt) {
        spread(meanAt, values);
        rows.expand(values, 0, center);
        spread(rstdAt, values);
        rows.expand(values, 0, factor);
        for (int i = 0; i < scale.length; i++) {
            scale[i] = factor[i] * gamma[i];
        }
    }

    private void normalise(long x, long y) {
        int whole = rows.whole(size);
        for (int v = 0; v < rows.period; v += LANES) {
            if (op.silu()) {
                ColumnMath.centeredSilu(x, center, scale, beta, y, v, rows.period, whole);
            } else {
                ColumnMath.centered(x, center, scale, beta, y, v, rows.period, whole);
            }
        }
        for (int i = whole; i < size; i++) {
            float z = z(x, i, i - whole);
            setFloat(y + 4L * i, op.silu() ? z * VectorMath.sigmoid(z) : z);
        }
    }

    /// Element i before the activation, at position p of the pattern.
    private float z(long x, int i, int p) {
        return Math.fma(getFloat(x + 4L * i) - center[p], scale[p], beta[p]);
    }

    /// dx = rstd (dz gamma - mean_g(dz gamma) - xhat mean_g(dz gamma xhat)); dgamma and dbeta summed over images in
    /// f64.
    ///
    /// @param dzAt scratch for one image
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
            long dzAt) {
        double[] dgammaSum = new double[channels];
        double[] dbetaSum = new double[channels];
        double[] gammaOfImage = new double[channels];
        double[] betaOfImage = new double[channels];
        return () -> {
            Arrays.fill(dgammaSum, 0);
            Arrays.fill(dbetaSum, 0);
            rows.expand(gammaAt, gamma);
            rows.expand(betaAt, beta);
            for (int n = 0; n < images; n++) {
                prepare(mean + 4L * n * op.groups(), rstd + 4L * n * op.groups());
                long in = x.in(n);
                long dz = dy.in(n);
                if (op.silu()) {
                    slopes(dz, in, dzAt);
                    dz = dzAt;
                }
                Arrays.fill(sums, 0);
                rows.sum(dz, zero, size, sums);
                Arrays.fill(betaOfImage, 0);
                rows.fold(sums, betaOfImage);
                Arrays.fill(sums, 0);
                rows.sumProducts(dz, in, center, size, sums);
                Arrays.fill(gammaOfImage, 0);
                rows.fold(sums, gammaOfImage);
                for (int c = 0; c < channels; c++) {
                    gammaOfImage[c] *= getFloat(rstd + 4L * (n * op.groups() + c / perGroup));
                    dbetaSum[c] += betaOfImage[c];
                    dgammaSum[c] += gammaOfImage[c];
                }
                distribute(betaOfImage, gammaOfImage, gammaAt, dz, in, dx.out(n));
                dx.done(n);
            }
            for (int c = 0; c < channels; c++) {
                setFloat(dgamma + 4L * c, (float) dgammaSum[c]);
                setFloat(dbeta + 4L * c, (float) dbetaSum[c]);
            }
        };
    }

    /// dz = dy (slope of SiLU at z).
    private void slopes(long dy, long x, long dz) {
        int whole = rows.whole(size);
        for (int v = 0; v < rows.period; v += LANES) {
            ColumnMath.siluSlope(dy, x, center, scale, beta, dz, v, rows.period, whole);
        }
        for (int i = whole; i < size; i++) {
            float z = z(x, i, i - whole);
            float s = VectorMath.sigmoid(z);
            setFloat(dz + 4L * i, getFloat(dy + 4L * i) * s * (1 + z * VectorMath.sigmoid(-z)));
        }
    }

    private void distribute(double[] sumDz, double[] sumDzXhat, long gammaAt, long dz, long x, long dx) {
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
        toPattern(sumDz, meanDz);
        toPattern(sumDzXhat, meanDzXhat);
        for (int p = 0; p < rows.period; p++) {
            meanDzXhat[p] *= factor[p];
        }
        int whole = rows.whole(size);
        for (int v = 0; v < rows.period; v += LANES) {
            ColumnMath.distribute(dz, x, center, gamma, meanDz, meanDzXhat, factor, dx, v, rows.period, whole);
        }
        for (int i = whole; i < size; i++) {
            int p = i - whole;
            float d = (getFloat(x + 4L * i) - center[p]) * meanDzXhat[p];
            setFloat(dx + 4L * i, (getFloat(dz + 4L * i) * gamma[p] - meanDz[p] - d) * factor[p]);
        }
    }

    private void toPattern(double[] perChannelValues, float[] pattern) {
        for (int c = 0; c < channels; c++) {
            values[c] = (float) perChannelValues[c];
        }
        rows.expand(values, 0, pattern);
    }
}
