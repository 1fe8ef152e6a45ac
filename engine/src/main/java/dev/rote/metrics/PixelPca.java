package dev.rote.metrics;

import java.util.Arrays;

/// Projection on the leading principal components of the real reference images, without whitening: a stand-in for a
/// feature network that needs no download. It sees what changes the large-scale structure of images and is blind to
/// fine
/// texture. Report it as "Fréchet distance on pixel PCA features (not FID)".
///
/// The components come from 40 steps of block subspace iteration with Rayleigh-Ritz projection (Golub & Van Loan,
/// "Matrix
/// Computations", 2013, sec. 8.2) on the covariance, with 16 spare vectors, from a fixed random start: the same
/// bits each time. Components whose variances nearly coincide may be mixed with each other, which changes no distance
/// between the projections.
public final class PixelPca implements FeatureExtractor {
    /// Components by default.
    public static final int COMPONENTS = 64;

    private static final int SPARE = 16;
    private static final int ITERATIONS = 40;
    private static final long SEED = 0x524f5445;

    private final double[] mean; // [pixels]
    private final double[] basis; // [dimension, pixels], orthonormal rows
    private final int dimension;

    private PixelPca(double[] mean, double[] basis, int dimension) {
        this.mean = mean;
        this.basis = basis;
        this.dimension = dimension;
    }

    /// The first `components` principal components of `images [N, H*W*C]`, or as many as there are pixels if that is
    /// less.
    /// Always fit on the real reference images, never on samples. Takes time `N pixels^2`: a few thousand images do.
    ///
    /// @throws IllegalArgumentException if there are fewer than 2 images, or a value is not finite
    /// @throws InterruptedException if the calling thread is interrupted
    public static PixelPca fit(Rows images, int components, int threads) throws InterruptedException {
        if (components < 1) {
            throw new IllegalArgumentException("pixel PCA: expected at least 1 component, got " + components);
        }
        FrechetStatistics statistics = FrechetStatistics.of(images, threads);
        int pixels = images.dimension();
        int kept = Math.min(components, pixels);
        double[] basis = leading(statistics.covariance(), pixels, Math.min(pixels, kept + SPARE), threads);
        return new PixelPca(statistics.mean(), Arrays.copyOf(basis, kept * pixels), kept);
    }

    /// [#COMPONENTS] components.
    public static PixelPca fit(Rows images, int threads) throws InterruptedException {
        return fit(images, COMPONENTS, threads);
    }

    @Override
    public String name() {
        return "Fréchet distance on pixel PCA features (not FID)";
    }

    @Override
    public int dimension() {
        return dimension;
    }

    @Override
    public Rows features(Rows images, int threads) throws InterruptedException {
        int pixels = mean.length;
        if (images.dimension() != pixels) {
            throw new IllegalArgumentException(
                    "pixel PCA: fitted to images of " + pixels + " values, got " + images.dimension());
        }
        float[] features = new float[Math.multiplyExact(images.count(), dimension)];
        Workers.run(threads, images.count(), i -> {
            float[] image = new float[pixels];
            images.copy(i, 0, pixels, image, 0);
            for (int c = 0; c < dimension; c++) {
                double sum = 0;
                for (int p = 0; p < pixels; p++) {
                    sum += basis[c * pixels + p] * (image[p] - mean[p]);
                }
                features[i * dimension + c] = (float) sum;
            }
        });
        return Rows.of(features, dimension);
    }

    /// Leading eigenvectors of `covariance [pixels, pixels]` as rows, largest variance first.
    private static double[] leading(double[] covariance, int pixels, int count, int threads)
            throws InterruptedException {
        double[] q = new double[count * pixels];
        SplitMix64 random = new SplitMix64(SEED);
        Arrays.setAll(q, i -> random.nextGaussian());
        Matrices.orthonormalizeRows(q, count, pixels);
        for (int iteration = 0; iteration < ITERATIONS; iteration++) {
            q = Matrices.product(q, covariance, count, pixels, pixels, threads);
            Matrices.orthonormalizeRows(q, count, pixels);
        }
        double[] image = Matrices.product(q, covariance, count, pixels, pixels, threads);
        double[] ritz = Matrices.product(image, Matrices.transposed(q, count, pixels), count, pixels, count, threads);
        Matrices.symmetrize(ritz, count);
        double[] rotation = SymmetricEigen.of(ritz, count, true).vectors();
        return Matrices.product(rotation, q, count, count, pixels, threads);
    }
}
