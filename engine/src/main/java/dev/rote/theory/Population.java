package dev.rote.theory;

import dev.rote.device.linalg.Lapack;
import dev.rote.device.linalg.Matrix;
import dev.rote.random.EpochOrder;
import dev.rote.theory.Normals.Stream;
import java.util.Arrays;

/// Where data come from.
public sealed interface Population {
    /// d.
    int dimension();

    /// Eigenvalues of the covariance.
    Spectrum covariance();

    /// Whether the theory's assumption of Gaussian data holds.
    boolean gaussian();

    /// Points `first .. first + count - 1`, `[count, d]`; training and test points are independent.
    ///
    /// @throws IllegalArgumentException if there are not so many
    Matrix draw(int first, int count, long seed, boolean test);

    /// `x = r Sigma^(1/2) g` with Gaussian g in the eigenbasis of Sigma; `r = 1`, or for heavy tails
    /// `r^2 = (nu - 2) / chi^2_nu`: the multivariate Student t distribution with covariance Sigma.
    ///
    /// @param degreesOfFreedom nu, at least 3, or 0 for Gaussian data
    record Elliptical(Spectrum covariance, int dimension, int degreesOfFreedom) implements Population {
        public Elliptical {
            if (dimension < 1 || degreesOfFreedom < 0 || degreesOfFreedom == 1 || degreesOfFreedom == 2) {
                throw new IllegalArgumentException("data: expected at least one dimension, and 3 or more degrees of"
                        + " freedom (0 for Gaussian data), found " + dimension + " and " + degreesOfFreedom);
            }
        }

        @Override
        public boolean gaussian() {
            return degreesOfFreedom == 0;
        }

        @Override
        public Matrix draw(int first, int count, long seed, boolean test) {
            double[] roots = Arrays.stream(covariance.eigenvalues(dimension))
                    .map(Math::sqrt)
                    .toArray();
            Matrix x = Normals.matrix(first, count, dimension, seed, test ? Stream.TEST_DATA : Stream.DATA);
            double[] scales = scales(first, count, seed, test);
            for (int i = 0; i < count; i++) {
                double[] row = x.row(i);
                for (int j = 0; j < dimension; j++) {
                    row[j] *= scales[i] * roots[j];
                }
                x.setRow(i, row);
            }
            return x;
        }

        /// r of each point.
        private double[] scales(int first, int count, long seed, boolean test) {
            double[] scales = new double[count];
            Arrays.fill(scales, 1);
            if (degreesOfFreedom > 0) {
                Stream stream = test ? Stream.TEST_SCALE : Stream.SCALE;
                Matrix z = Normals.matrix(first, count, degreesOfFreedom, seed, stream);
                for (int i = 0; i < count; i++) {
                    double chi2 = Arrays.stream(z.row(i)).map(v -> v * v).sum();
                    scales[i] = Math.sqrt((degreesOfFreedom - 2) / chi2);
                }
            }
            return scales;
        }
    }

    /// Points of a data set, without repetition, in an order that the seed decides: training points from its beginning,
    /// test points from its end.
    ///
    /// @param rows `[count, d]`, of mean zero
    record Sample(String name, Matrix rows, Spectrum covariance) implements Population {
        /// Centres the points and scales all of them by one factor, so that their variance is 1 per dimension.
        ///
        /// @throws IllegalArgumentException if all points are equal
        public static Sample of(String name, Matrix points, Lapack lapack) {
            Matrix rows = points.copy();
            int count = rows.rows();
            int d = rows.columns();
            double[] mean = new double[d];
            for (int i = 0; i < count; i++) {
                double[] row = rows.row(i);
                for (int j = 0; j < d; j++) {
                    mean[j] += row[j] / count;
                }
            }
            double squares = 0;
            for (int i = 0; i < count; i++) {
                double[] row = rows.row(i);
                for (int j = 0; j < d; j++) {
                    row[j] -= mean[j];
                    squares += row[j] * row[j] / count;
                }
                rows.setRow(i, row);
            }
            if (!(squares > 0)) {
                throw new IllegalArgumentException("data " + name + ": expected points that differ, found equal ones");
            }
            rows.scale(Math.sqrt(d / squares));
            Matrix covariance = new Matrix(d, d);
            lapack.addSquare(1.0 / count, rows, true, 0, covariance);
            Lapack.mirror(covariance);
            double[] values = lapack.eigen(covariance, false).values();
            return new Sample(
                    name,
                    rows,
                    Spectrum.empirical(
                            "Σ of " + name,
                            Arrays.stream(values).map(v -> Math.max(v, 0)).toArray()));
        }

        @Override
        public int dimension() {
            return rows.columns();
        }

        @Override
        public boolean gaussian() {
            return false;
        }

        @Override
        public Matrix draw(int first, int count, long seed, boolean test) {
            if (first + count > rows.rows()) {
                throw new IllegalArgumentException("data " + name + ": expected at most " + rows.rows()
                        + " points, found a wish for " + (first + count));
            }
            EpochOrder order = new EpochOrder(seed, rows.rows());
            int[] index = new int[count];
            order.indices(test ? rows.rows() - first - count : first, index, count);
            Matrix drawn = new Matrix(count, dimension());
            for (int i = 0; i < count; i++) {
                drawn.setRow(i, rows.row(index[i]));
            }
            return drawn;
        }
    }
}
