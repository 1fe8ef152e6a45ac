package dev.rote.diffusion;

/// The forward process in T discrete steps: `x_t = sqrt(alphaBar_t) x_0 + sqrt(1 - alphaBar_t) noise` with
/// `alphaBar_t = prod_{s <= t} (1 - beta_s)` (Ho et al. 2020, arXiv:2006.11239, eq. 4). Indices count from 0.
/// Immutable.
public final class Schedule {
    private final double[] betas;
    private final double[] alphaBars;

    private Schedule(double[] betas) {
        this.betas = betas;
        this.alphaBars = new double[betas.length];
        double product = 1;
        for (int index = 0; index < betas.length; index++) {
            product *= 1 - betas[index];
            alphaBars[index] = product;
        }
    }

    /// beta evenly spaced from `first` to `last`, both included (Ho et al. 2020, section 4: 1000, 1e-4, 2e-2).
    ///
    /// @throws IllegalArgumentException unless `steps >= 2` and `0 < first <= last < 1`
    public static Schedule linear(int steps, double first, double last) {
        checkSteps(steps);
        if (!(first > 0 && first <= last && last < 1)) {
            throw new IllegalArgumentException("betas: expected 0 < first <= last < 1, found " + first + ", " + last);
        }
        double[] betas = new double[steps];
        for (int index = 0; index < steps; index++) {
            betas[index] = first + (last - first) * index / (steps - 1);
        }
        return new Schedule(betas);
    }

    /// `alphaBar_t = f(t)/f(0)`, `f(t) = cos^2((t/T + s)/(1 + s) pi/2)`, s = 0.008, t = index + 1, and beta at most
    /// 0.999 (Nichol & Dhariwal 2021, arXiv:2102.09672, eq. 17 and the text after it).
    ///
    /// @throws IllegalArgumentException unless `steps >= 2`
    public static Schedule cosine(int steps) {
        checkSteps(steps);
        double[] betas = new double[steps];
        for (int index = 0; index < steps; index++) {
            double ratio = squaredCosine((index + 1.0) / steps) / squaredCosine((double) index / steps);
            betas[index] = Math.min(1 - ratio, 0.999);
        }
        return new Schedule(betas);
    }

    private static double squaredCosine(double part) {
        double cosine = StrictMath.cos((part + 0.008) / 1.008 * Math.PI / 2);
        return cosine * cosine;
    }

    private static void checkSteps(int steps) {
        if (steps < 2) {
            throw new IllegalArgumentException("schedule steps: expected at least 2, found " + steps);
        }
    }

    /// T, the number of indices.
    public int steps() {
        return betas.length;
    }

    public double beta(int index) {
        return betas[index];
    }

    public double alphaBar(int index) {
        return alphaBars[index];
    }

    /// Continuous (Ornstein-Uhlenbeck) time of an index, `-1/2 log alphaBar` (Bonnaire et al. 2025, arXiv:2505.17638).
    public double time(int index) {
        return -0.5 * StrictMath.log(alphaBars[index]);
    }

    /// The index whose continuous time is nearest, the smaller one of two equally near. With study 1's schedule t =
    /// 0.01 lies between index 39 (0.009772) and 40 (0.010220) and gives 40.
    public int nearestIndex(double time) {
        int nearest = 0;
        for (int index = 1; index < betas.length; index++) {
            if (Math.abs(time(index) - time) < Math.abs(time(nearest) - time)) {
                nearest = index;
            }
        }
        return nearest;
    }
}
