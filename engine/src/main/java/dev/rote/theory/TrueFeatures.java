package dev.rote.theory;

import dev.rote.device.Device;
import dev.rote.device.linalg.Lapack;
import dev.rote.device.linalg.Matrix;
import dev.rote.theory.Normals.Stream;
import java.util.Optional;
import java.util.stream.IntStream;

/// U and V of the model as it is: features `f = sigma(W x_t / sqrt(d))` of noisy points, averaged. Nothing is
/// assumed of the data.
///
/// @param activation sigma
/// @param draws noises per training point, 1 or more; the theory's average is the limit of many
/// @param testPoints fresh points with one noise each, over which the population's averages are taken
public record TrueFeatures(Activation activation, int draws, int testPoints) {
    /// Noisy points at once, or all noises of one point: their features take 8 p bytes each.
    private static final int CHUNK = 4096;

    public TrueFeatures {
        if (draws < 1 || testPoints < 1) {
            throw new IllegalArgumentException(
                    "features: expected at least one noise and one test point, found " + draws + " and " + testPoints);
        }
    }

    /// U and V with products in f64.
    ///
    /// @throws IllegalArgumentException if the population has too few points, or another dimension
    /// @throws InterruptedException if the calling thread is interrupted
    public Moments moments(Sizes sizes, Scalars scalars, Population population, long seed, Lapack lapack)
            throws InterruptedException {
        return moments(sizes, scalars, population, seed, lapack, Optional.empty());
    }

    /// U and V. Features are computed in f64 on the CPU; the products, p^2 operations a point, on the device if one is
    /// given: in f32, added up in f64.
    ///
    /// @throws IllegalArgumentException if the population has too few points, or another dimension
    /// @throws dev.rote.errors.DeviceException if the device has too little memory
    /// @throws InterruptedException if the calling thread is interrupted
    public Moments moments(
            Sizes sizes, Scalars scalars, Population population, long seed, Lapack lapack, Optional<Device> device)
            throws InterruptedException {
        if (population.dimension() != sizes.d()) {
            throw new IllegalArgumentException(
                    "features: expected data of " + sizes.d() + " dimensions, found " + population.dimension());
        }
        Matrix w = Normals.matrix(0, sizes.p(), sizes.d(), seed, Stream.FEATURES);
        Average average = new Average(sizes, scalars, w, seed, lapack, device);
        Sums train = average.of(population, sizes.n(), draws, false);
        Sums test = average.of(population, testPoints, 1, true);
        double truth = population.gaussian() ? population.covariance().inverseNoisy(scalars) : Double.NaN;
        return new Moments(sizes, scalars.delta(), train.u, train.v, test.u, test.v, truth);
    }

    private record Sums(Matrix u, Matrix v) {}

    /// Averages with one draw of the weights `w [p, d]`.
    private final class Average {
        private final Sizes sizes;
        private final Scalars scalars;
        private final Matrix w;
        private final long seed;
        private final Lapack lapack;
        private final Optional<Device> device;

        Average(Sizes sizes, Scalars scalars, Matrix w, long seed, Lapack lapack, Optional<Device> device) {
            this.sizes = sizes;
            this.scalars = scalars;
            this.w = w;
            this.seed = seed;
            this.lapack = lapack;
            this.device = device;
        }

        Sums of(Population population, int points, int noises, boolean test) throws InterruptedException {
            double weight = 1.0 / ((double) points * noises);
            int step = Math.min(points, Math.max(1, CHUNK / noises));
            try (FeatureSums sums = sums(step * noises)) {
                for (int first = 0; first < points; first += step) {
                    if (Thread.interrupted()) {
                        throw new InterruptedException("cancelled");
                    }
                    int count = Math.min(step, points - first);
                    Matrix x = population.draw(first, count, seed, test);
                    Matrix noise = Normals.matrix(
                            (long) first * noises,
                            count * noises,
                            sizes.d(),
                            seed,
                            test ? Stream.TEST_NOISE : Stream.NOISE);
                    sums.add(weight, features(x, noise, noises), noise);
                }
                return new Sums(sums.u(), sums.v());
            }
        }

        private FeatureSums sums(int rows) {
            return device.<FeatureSums>map(on -> DeviceSums.open(on, sizes, rows))
                    .orElseGet(() -> new FeatureSums.Cpu(sizes, lapack));
        }

        /// `[count * noises, p]`.
        private Matrix features(Matrix x, Matrix noise, int noises) {
            Matrix noisy = new Matrix(noise.rows(), sizes.d());
            double deviation = Math.sqrt(scalars.delta());
            for (int i = 0; i < noise.rows(); i++) {
                double[] point = x.row(i / noises);
                double[] row = noise.row(i);
                for (int j = 0; j < row.length; j++) {
                    row[j] = scalars.decay() * point[j] + deviation * row[j];
                }
                noisy.setRow(i, row);
            }
            Matrix z = new Matrix(noise.rows(), sizes.p());
            lapack.addProduct(1 / Math.sqrt(sizes.d()), noisy, false, w, true, 0, z);
            IntStream rows = IntStream.range(0, z.rows());
            (lapack.threads() > 1 ? rows.parallel() : rows).forEach(i -> {
                double[] row = z.row(i);
                for (int j = 0; j < row.length; j++) {
                    row[j] = activation.at(row[j]);
                }
                z.setRow(i, row);
            });
            return z;
        }
    }
}
