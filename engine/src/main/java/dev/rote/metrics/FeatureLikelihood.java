package dev.rote.metrics;

/// The feature likelihood score FLS (Jiralerspong et al. 2023, arXiv:2302.04440, first version; as a score by Stein et
/// al. 2023, arXiv:2306.04675): how well a density around the samples explains held-out images.
///
/// The density is a mixture of c Gaussians with equal weights, one around each sample, each with its own variance in
/// all directions; the variances are those that make the training images most likely. A sample that copies a
/// training image gets a variance near 0 and then explains no held-out image, so quality, diversity and novelty all
/// count.
///
/// `FLS = 100 exp(-2 (L - L_0) / d)`
///
/// with L the mean negative log-likelihood of the held-out images. L_0 is that of a mixture around one half of the
/// training images with variances fitted to the other half: about 100 is as good as real images, higher is better.
/// Features are standardised by the training images' mean and deviation.
///
/// The variances come from expectation maximisation (Dempster et al. 1977) from variance 1, not from Adam as in the
/// authors' program; logarithms of variances stay within -100 .. 20 as there.
public final class FeatureLikelihood {
    /// Images taken of each set, at most.
    public static final int MOST = 2000;

    private static final int ROUNDS = 200;
    private static final double PRECISE = 1e-7; // change of the likelihood per value at which the fit ends
    private static final int BLOCK = 32; // rows of one task: sums are the same for every number of threads

    private final double[] mean;
    private final double[] deviation;
    private final double[] training; // standardised  [., d]
    private final double[] heldOut; // standardised  [., d]
    private final double base; // L_0
    private final int centres;
    private final long seed;

    private FeatureLikelihood(Rows training, Rows heldOut, int centres, long seed, int threads)
            throws InterruptedException {
        int d = training.dimension();
        this.mean = new double[d];
        this.deviation = new double[d];
        this.centres = centres;
        this.seed = seed;
        moments(training);
        int[] order = Subset.permutation(training.count(), seed);
        this.training = standardised(Subset.of(training, MOST, seed + 1));
        this.heldOut = standardised(Subset.of(heldOut, MOST, seed + 2));
        int half = training.count() / 2;
        double[] around = standardised(Subset.rows(training, order, 0, centres));
        double[] fitted = standardised(Subset.rows(training, order, half, Math.min(MOST, training.count() - half)));
        this.base = negativeLogLikelihood(fitted, around, threads);
    }

    /// Fits the baseline.
    ///
    /// @param training features of training images, 4 or more
    /// @param heldOut features of held-out images, 1 or more
    /// @param samples how many samples will be scored: as many Gaussians, at most [#MOST] and half of the training
    ///     images
    /// @throws IllegalArgumentException if there are fewer, the dimensions differ or a value is not finite
    public static FeatureLikelihood of(Rows training, Rows heldOut, int samples, long seed, int threads)
            throws InterruptedException {
        if (training.count() < 4 || heldOut.count() < 1 || samples < 1 || training.dimension() != heldOut.dimension()) {
            throw new IllegalArgumentException(
                    "feature likelihood: expected at least 4 training images, one held-out image"
                            + " of the same dimension and one sample, got " + training.count() + " of "
                            + training.dimension()
                            + ", " + heldOut.count() + " of " + heldOut.dimension() + " and " + samples);
        }
        training.requireFinite("features of training images");
        heldOut.requireFinite("features of held-out images");
        int centres = Math.min(MOST, Math.min(samples, training.count() / 2));
        return new FeatureLikelihood(training, heldOut, centres, seed, threads);
    }

    /// Gaussians in a mixture: samples that [#score] takes.
    public int centres() {
        return centres;
    }

    /// FLS of samples, of which a choice by the seed is taken.
    ///
    /// @param samples features of at least [#centres] samples
    public double score(Rows samples, int threads) throws InterruptedException {
        if (samples.count() < centres || samples.dimension() != mean.length) {
            throw new IllegalArgumentException(
                    "feature likelihood: expected at least " + centres + " samples of dimension " + mean.length
                            + ", got " + samples.count() + " of " + samples.dimension());
        }
        samples.requireFinite("features of samples");
        double[] around = standardised(Subset.of(samples, centres, seed + 3));
        double difference = negativeLogLikelihood(training, around, threads) - base;
        return 100 * Math.exp(-2 * difference / mean.length);
    }

    private void moments(Rows rows) {
        int d = mean.length;
        float[] line = new float[d];
        for (int pass = 0; pass < 2; pass++) {
            double[] sums = pass == 0 ? mean : deviation;
            for (int i = 0; i < rows.count(); i++) {
                rows.copy(i, 0, d, line, 0);
                for (int j = 0; j < d; j++) {
                    double x = line[j] - mean[j];
                    sums[j] += pass == 0 ? line[j] : x * x;
                }
            }
            for (int j = 0; j < d; j++) {
                sums[j] = pass == 0 ? sums[j] / rows.count() : Math.sqrt(sums[j] / (rows.count() - 1));
            }
        }
    }

    /// A feature that is the same for all training images is only centred.
    private double[] standardised(Rows rows) {
        int d = mean.length;
        double[] values = new double[rows.count() * d];
        for (int i = 0; i < values.length; i++) {
            double scale = deviation[i % d] == 0 ? 1 : deviation[i % d];
            values[i] = (rows.at(i / d, i % d) - mean[i % d]) / scale;
        }
        return values;
    }

    /// Mean negative log-likelihood of the held-out images, but for the constant `d log(2 pi) / 2`.
    private double negativeLogLikelihood(double[] fitted, double[] around, int threads) throws InterruptedException {
        int d = mean.length;
        double[] logVariances = fit(squares(fitted, around, d, threads), around.length / d, d, threads);
        return new Mixture(squares(heldOut, around, d, threads), logVariances, d).negativeLogLikelihood(threads);
    }

    /// Log variances that make the fitted rows most likely.
    ///
    /// @param squares `[fitted, centres]`, squared distances
    static double[] fit(double[] squares, int centres, int d, int threads) throws InterruptedException {
        double[] logVariances = new double[centres];
        double before = Double.POSITIVE_INFINITY;
        for (int round = 0; round < ROUNDS; round++) {
            Mixture mixture = new Mixture(squares, logVariances, d);
            double now = mixture.negativeLogLikelihood(threads);
            if (before - now < PRECISE * d) {
                break;
            }
            before = now;
            logVariances = mixture.maximised(threads);
        }
        return logVariances;
    }

    /// `[rows, centres]` squared distances, by the product; where that cancels, by differences.
    private static double[] squares(double[] rows, double[] centres, int d, int threads) throws InterruptedException {
        int n = rows.length / d;
        int c = centres.length / d;
        double[] squares = Matrices.product(rows, Matrices.transposed(centres, c, d), n, d, c, threads);
        double[] normsOfRows = norms(rows, d);
        double[] normsOfCentres = norms(centres, d);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < c; j++) {
                double norms = normsOfRows[i] + normsOfCentres[j];
                double square = norms - 2 * squares[i * c + j];
                if (square < 1e-6 * norms) {
                    square = 0;
                    for (int k = 0; k < d; k++) {
                        double e = rows[i * d + k] - centres[j * d + k];
                        square += e * e;
                    }
                }
                squares[i * c + j] = square;
            }
        }
        return squares;
    }

    private static double[] norms(double[] rows, int d) {
        double[] norms = new double[rows.length / d];
        for (int i = 0; i < rows.length; i++) {
            norms[i / d] += rows[i] * rows[i];
        }
        return norms;
    }

    /// Equal weights, one variance per Gaussian.
    private static final class Mixture {
        private static final double LEAST = -100;
        private static final double LARGEST = 20;

        private final double[] squares; // [rows, centres]
        private final double[] logVariances; // [centres]
        private final double[] inverses; // of the variances, halved, negative
        private final double[] constants; // logs of the weight over the normalising root
        private final int d;
        private final int c;
        private final int n;

        Mixture(double[] squares, double[] logVariances, int d) {
            this.squares = squares;
            this.logVariances = logVariances;
            this.d = d;
            c = logVariances.length;
            n = squares.length / c;
            inverses = new double[c];
            constants = new double[c];
            for (int j = 0; j < c; j++) {
                inverses[j] = -0.5 * Math.exp(-logVariances[j]);
                constants[j] = -0.5 * d * logVariances[j] - Math.log(c);
            }
        }

        /// Log of each Gaussian's part of the density of row i, to `terms [centres]`.
        ///
        /// @return the log of the density
        private double terms(int i, double[] terms) {
            double largest = Double.NEGATIVE_INFINITY;
            for (int j = 0; j < c; j++) {
                terms[j] = squares[i * c + j] * inverses[j] + constants[j];
                largest = Math.max(largest, terms[j]);
            }
            double sum = 0;
            for (int j = 0; j < c; j++) {
                sum += Math.exp(terms[j] - largest);
            }
            return largest + Math.log(sum);
        }

        double negativeLogLikelihood(int threads) throws InterruptedException {
            double[] logs = new double[n];
            Workers.run(threads, Math.ceilDiv(n, BLOCK), task -> {
                double[] terms = new double[c];
                for (int i = task * BLOCK; i < Math.min(n, (task + 1) * BLOCK); i++) {
                    logs[i] = terms(i, terms);
                }
            });
            double sum = 0;
            for (double log : logs) {
                sum += log;
            }
            return -sum / n;
        }

        /// One round of expectation maximisation: the log variances
        /// `log(sum_i r_ij |x_i - c_j|^2 / (d sum_i r_ij))`, r the Gaussians' shares in each row.
        double[] maximised(int threads) throws InterruptedException {
            int tasks = Math.ceilDiv(n, BLOCK);
            double[][] parts = new double[tasks][];
            Workers.run(threads, tasks, task -> parts[task] = shares(task * BLOCK, Math.min(n, (task + 1) * BLOCK)));
            double[] sums = new double[2 * c];
            for (double[] part : parts) {
                for (int j = 0; j < sums.length; j++) {
                    sums[j] += part[j];
                }
            }
            double[] next = new double[c];
            for (int j = 0; j < c; j++) {
                double log = Math.log(sums[j] / (d * sums[c + j]));
                // A Gaussian without a share keeps its variance.
                next[j] = Double.isNaN(log) ? logVariances[j] : Math.clamp(log, LEAST, LARGEST);
            }
            return next;
        }

        /// Over rows first .. end - 1: `sum r_ij |x_i - c_j|^2` for each j, then `sum r_ij`.
        private double[] shares(int first, int end) {
            double[] part = new double[2 * c];
            double[] terms = new double[c];
            for (int i = first; i < end; i++) {
                double log = terms(i, terms);
                for (int j = 0; j < c; j++) {
                    double share = Math.exp(terms[j] - log);
                    part[j] += share * squares[i * c + j];
                    part[c + j] += share;
                }
            }
            return part;
        }
    }
}
