package dev.rote.device.cpu;

import static dev.rote.device.cpu.Memory.getFloat;
import static dev.rote.device.cpu.Memory.getInt;
import static dev.rote.device.cpu.Memory.setFloat;

import java.util.Arrays;

/// Sums and what is made of them: reductions, softmax, layer norm, cross entropy. Accumulated in f64, in storage order.
final class ReduceKernels {
    private ReduceKernels() {}

    /// x [outer, reduced, inner] to y [outer, inner]; x comes in units of one outer entry, y in one unit.
    static Kernel reduce(Stage x, Stage y, int outer, int reduced, int inner, double factor) {
        RowPattern rows = new RowPattern(inner);
        float[] zero = new float[rows.period];
        double[] sums = new double[rows.period];
        double[] result = new double[inner];
        boolean patterned = rows.period <= (long) reduced * inner;
        return () -> {
            long out = y.out(0);
            for (int o = 0; o < outer; o++) {
                long in = x.in(o);
                Arrays.fill(result, 0);
                if (patterned) {
                    Arrays.fill(sums, 0);
                    rows.sum(in, zero, reduced * inner, sums);
                    rows.fold(sums, result);
                } else {
                    for (int i = 0; i < reduced * inner; i++) {
                        result[i % inner] += getFloat(in + 4L * i);
                    }
                }
                for (int c = 0; c < inner; c++) {
                    setFloat(out + 4L * ((long) o * inner + c), (float) (result[c] * factor));
                }
            }
            y.done(0);
        };
    }

    /// Column sums of a matrix [rows, columns] given in units of one row block.
    static Kernel columnSums(Stage x, long y, int rowCount, int columns) {
        RowPattern rows = new RowPattern(columns);
        float[] zero = new float[rows.period];
        double[] sums = new double[rows.period];
        double[] result = new double[columns];
        return () -> {
            Arrays.fill(sums, 0);
            Arrays.fill(result, 0);
            rows.sum(x.in(0), zero, rowCount * columns, sums);
            rows.fold(sums, result);
            for (int c = 0; c < columns; c++) {
                setFloat(y + 4L * c, (float) result[c]);
            }
        };
    }

    static Kernel softmax(Stage x, Stage y, int rows, int columns) {
        return () -> {
            for (int r = 0; r < rows; r++) {
                long in = x.in(r);
                long out = y.out(r);
                double lse = logSumExp(in, columns);
                for (int c = 0; c < columns; c++) {
                    setFloat(out + 4L * c, (float) Math.exp(getFloat(in + 4L * c) - lse));
                }
                y.done(r);
            }
        };
    }

    private static double logSumExp(long x, int columns) {
        float max = Float.NEGATIVE_INFINITY;
        for (int c = 0; c < columns; c++) {
            max = Math.max(max, getFloat(x + 4L * c));
        }
        double sum = 0;
        for (int c = 0; c < columns; c++) {
            sum += Math.exp((double) getFloat(x + 4L * c) - max);
        }
        return max + Math.log(sum);
    }

    static Kernel softmaxBackward(Stage dy, Stage y, Stage dx, int rows, int columns) {
        return () -> {
            for (int r = 0; r < rows; r++) {
                long g = dy.in(r);
                long p = y.in(r);
                long out = dx.out(r);
                double dot = 0;
                for (int c = 0; c < columns; c++) {
                    dot += (double) getFloat(g + 4L * c) * getFloat(p + 4L * c);
                }
                for (int c = 0; c < columns; c++) {
                    setFloat(out + 4L * c, (float) (getFloat(p + 4L * c) * (getFloat(g + 4L * c) - dot)));
                }
                dx.done(r);
            }
        };
    }

    static Kernel crossEntropy(Stage logits, long label, long loss, float weight, int rows, int columns) {
        return () -> {
            double sum = 0;
            for (int r = 0; r < rows; r++) {
                long in = logits.in(r);
                int right = MoveKernels.checked("CrossEntropy", getInt(label + 4L * r), columns);
                sum += logSumExp(in, columns) - getFloat(in + 4L * right);
            }
            setFloat(loss, (float) (weight * sum));
        };
    }

    static Kernel crossEntropyBackward(
            Stage logits, long label, long dloss, Stage dlogits, float weight, int rows, int columns) {
        return () -> {
            double factor = (double) weight * getFloat(dloss);
            for (int r = 0; r < rows; r++) {
                long in = logits.in(r);
                long out = dlogits.out(r);
                int right = MoveKernels.checked("CrossEntropyBackward", getInt(label + 4L * r), columns);
                double lse = logSumExp(in, columns);
                for (int c = 0; c < columns; c++) {
                    double p = Math.exp(getFloat(in + 4L * c) - lse);
                    setFloat(out + 4L * c, (float) (factor * (p - (c == right ? 1 : 0))));
                }
                dlogits.done(r);
            }
        };
    }

    static Kernel layerNorm(
            Stage x, long gamma, long beta, Stage y, long mean, long rstd, float eps, int rows, int columns) {
        return () -> {
            for (int r = 0; r < rows; r++) {
                long in = x.in(r);
                long out = y.out(r);
                double sum = 0;
                for (int c = 0; c < columns; c++) {
                    sum += getFloat(in + 4L * c);
                }
                float mu = (float) (sum / columns);
                double squares = 0;
                for (int c = 0; c < columns; c++) {
                    double d = getFloat(in + 4L * c) - mu;
                    squares += d * d;
                }
                float inverse = (float) (1 / Math.sqrt(squares / columns + eps));
                for (int c = 0; c < columns; c++) {
                    float hat = (getFloat(in + 4L * c) - mu) * inverse;
                    setFloat(out + 4L * c, Math.fma(hat, getFloat(gamma + 4L * c), getFloat(beta + 4L * c)));
                }
                setFloat(mean + 4L * r, mu);
                setFloat(rstd + 4L * r, inverse);
                y.done(r);
            }
        };
    }

    static Kernel layerNormBackward(
            Stage dy,
            Stage x,
            long gamma,
            long mean,
            long rstd,
            Stage dx,
            long dgamma,
            long dbeta,
            int rows,
            int columns) {
        double[] dgammaSum = new double[columns];
        double[] dbetaSum = new double[columns];
        return () -> {
            Arrays.fill(dgammaSum, 0);
            Arrays.fill(dbetaSum, 0);
            for (int r = 0; r < rows; r++) {
                long g = dy.in(r);
                long in = x.in(r);
                long out = dx.out(r);
                float mu = getFloat(mean + 4L * r);
                float inverse = getFloat(rstd + 4L * r);
                double first = 0;
                double second = 0;
                for (int c = 0; c < columns; c++) {
                    double hat = (getFloat(in + 4L * c) - mu) * inverse;
                    double d = getFloat(g + 4L * c);
                    dgammaSum[c] += d * hat;
                    dbetaSum[c] += d;
                    first += d * getFloat(gamma + 4L * c);
                    second += d * getFloat(gamma + 4L * c) * hat;
                }
                for (int c = 0; c < columns; c++) {
                    double hat = (getFloat(in + 4L * c) - mu) * inverse;
                    double d = (double) getFloat(g + 4L * c) * getFloat(gamma + 4L * c);
                    setFloat(out + 4L * c, (float) (inverse * (d - first / columns - hat * second / columns)));
                }
                dx.done(r);
            }
            for (int c = 0; c < columns; c++) {
                setFloat(dgamma + 4L * c, (float) dgammaSum[c]);
                setFloat(dbeta + 4L * c, (float) dbetaSum[c]);
            }
        };
    }
}
