package dev.rote.tools.theory;

import dev.rote.device.Device;
import dev.rote.device.linalg.Lapack;
import dev.rote.device.linalg.Matrix;
import dev.rote.optim.OptimizerConfig;
import dev.rote.theory.Activation;
import dev.rote.theory.Descent;
import dev.rote.theory.Moments;
import dev.rote.theory.Population;
import dev.rote.theory.Scalars;
import dev.rote.theory.Sizes;
import dev.rote.theory.Spectrum;
import dev.rote.theory.TrueFeatures;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What a computation will take: operations counted from its sizes, seconds from small products, decompositions and
/// steps that are timed here. A large product runs faster than a small one, so it is rather too much than too
/// little.
///
/// @param products floating-point operations of matrix products
/// @param features of computing and multiplying features, on the GPU if there is one
/// @param decompositions of eigendecompositions
/// @param steps of step-by-step training, on the device
/// @param bytes largest at one time
record CostEstimate(double products, double features, double decompositions, double steps, double bytes) {
    /// Operations of an eigendecomposition by divide and conquer in units of size^3, values only and with vectors.
    private static final double VALUES = 4.0 / 3;

    private static final double VECTORS = 4;

    /// Operations that an activation counts for.
    private static final int ACTIVATION = 60;

    private static final int CHUNK = 4096;
    private static final int TRIAL = 1024;

    static CostEstimate of(TheoryFile file) {
        double products = 0;
        double features = 0;
        double decompositions = 0;
        double steps = 0;
        double bytes = 0;
        double together = 0;
        for (TheoryFile.Case one : file.cases()) {
            Sizes s = file.sizes(one);
            double p = s.p();
            double m = Math.min(p, s.n() + s.d());
            double noisy = file.features().draws() * (double) s.n();
            boolean spectrum = file.kind() == TheoryFile.Kind.SPECTRUM;
            boolean drawn = file.features().draws() > 0;
            double here = 0;
            if (!drawn || spectrum) {
                products += 2 * p * s.d() * s.n() + p * m * (s.n() + s.d());
                decompositions += (spectrum ? VALUES : VECTORS) * cube(m);
                here = 8 * (2 * p * (s.n() + s.d()) + (spectrum ? 2 : 5) * m * m);
            }
            if (drawn) {
                double points = noisy + (spectrum ? 1 : file.features().testPoints());
                features += featureOperations(points, s);
                decompositions += (spectrum ? VALUES : VECTORS) * cube(p);
                here = Math.max(here, 8 * p * (CHUNK + (spectrum ? 3 : 7) * p));
            }
            if (!spectrum && (drawn || file.kind() == TheoryFile.Kind.DESCENT)) {
                products += 6 * cube(p);
                decompositions += drawn ? 0 : VECTORS * cube(p);
                here = Math.max(here, 8 * 7 * p * p);
            }
            if (file.kind() == TheoryFile.Kind.DESCENT) {
                steps += 2.0 * file.descent().steps() * s.d() * p * p;
                together += 16 * p * p + Descent.bytes(1, s.d(), s.p());
            }
            bytes = Math.max(bytes, here + together);
        }
        return new CostEstimate(products, features, decompositions, steps, bytes);
    }

    private static double featureOperations(double points, Sizes sizes) {
        return points * sizes.p() * (sizes.p() + 4 * sizes.d() + ACTIVATION);
    }

    private static double cube(double x) {
        return x * x * x;
    }

    /// Seconds on this machine.
    double seconds(Lapack lapack, Experiment.OnDemand device) throws InterruptedException {
        Matrix a = new Matrix(TRIAL, TRIAL);
        for (int i = 0; i < TRIAL; i++) {
            for (int j = 0; j < TRIAL; j++) {
                a.set(i, j, Math.sin(1 + i * j % 97) + (i == j ? 40 : 0));
            }
        }
        Matrix square = lapack.product(a, false, a, true); // warm, and symmetric
        double product = seconds(() -> lapack.product(a, false, a, true));
        double eigen = seconds(() -> lapack.eigen(square.copy(), true));
        double total = products * product / (2 * cube(TRIAL)) + decompositions * eigen / (VECTORS * cube(TRIAL));
        if (features > 0) {
            Optional<Device> accelerator = device.accelerator();
            total += features
                    * (accelerator.isPresent()
                            ? secondsPerFeatureOperation(lapack, accelerator)
                            : product / (2 * cube(TRIAL)));
        }
        return total + (steps > 0 ? steps * secondsPerStepOperation(device.get()) : 0);
    }

    private static double secondsPerFeatureOperation(Lapack lapack, Optional<Device> accelerator)
            throws InterruptedException {
        Sizes sizes = new Sizes(64, TRIAL, CHUNK);
        Scalars scalars = Scalars.of(Activation.TANH, 0.1, 1);
        Population data = new Population.Elliptical(Spectrum.identity(1), sizes.d(), 0);
        long begin = System.nanoTime();
        new TrueFeatures(Activation.TANH, 1, 1).moments(sizes, scalars, data, 0, lapack, accelerator);
        return (System.nanoTime() - begin) * 1e-9 / featureOperations(CHUNK + 1, sizes);
    }

    private static double secondsPerStepOperation(Device device) {
        Sizes sizes = new Sizes(64, TRIAL, TRIAL);
        Matrix u = new Matrix(TRIAL, TRIAL);
        Matrix v = new Matrix(TRIAL, 64);
        Moments zero = new Moments(sizes, 0.1, u, v, u, v, Double.NaN);
        try (Descent descent = Descent.open(device, List.of(zero), OptimizerConfig.sgd(1, 0))) {
            descent.run(5);
            descent.losses();
            return seconds(() -> {
                        descent.run(20);
                        descent.losses();
                    })
                    / (20 * 2.0 * 64 * TRIAL * TRIAL);
        }
    }

    private static double seconds(Runnable work) {
        long begin = System.nanoTime();
        work.run();
        return (System.nanoTime() - begin) * 1e-9;
    }

    /// `about 35 s and 1.2 GB`.
    static String words(double seconds, double bytes) {
        String time = seconds < 100
                ? String.format(Locale.ROOT, "%.0f s", Math.max(1, seconds))
                : seconds < 7200
                        ? String.format(Locale.ROOT, "%.0f minutes", seconds / 60)
                        : String.format(Locale.ROOT, "%.1f hours", seconds / 3600);
        String memory = bytes < 1e9
                ? String.format(Locale.ROOT, "%.0f MB", Math.max(1, bytes / 1e6))
                : String.format(Locale.ROOT, "%.1f GB", bytes / 1e9);
        return "about " + time + " and " + memory;
    }
}
