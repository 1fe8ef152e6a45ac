package dev.rote.theory;

import dev.rote.device.linalg.Lapack;
import dev.rote.device.linalg.Matrix;
import java.util.ArrayList;
import java.util.List;

/// Training in closed form (arXiv:2505.17638, section 3): `dA/dtau = -2 Delta (d/p) A U - 2 d sqrt(Delta)/sqrt(p)
/// V^T` from A = 0 gives `A(tau)/sqrt(p) = V^T U^-1 [exp(-2 Delta U tau / psi_p) - 1] / sqrt(Delta)`: mode k
/// relaxes on `psi_p / (2 Delta lambda_k)`. The paper's tau_mem leaves out the 2, and prints the inverse in one place.
public final class GradientFlow {
    private final Modes modes;
    private final Lapack lapack;

    public GradientFlow(Modes modes, Lapack lapack) {
        this.modes = modes;
        this.lapack = lapack;
    }

    /// The losses at each of the times, 0 to infinity.
    ///
    /// @throws IllegalArgumentException if a time is negative or there is none
    public List<Losses> at(double... tau) {
        int count = modes.values().length;
        double delta = modes.delta();
        Matrix c = new Matrix(Math.max(1, tau.length), count);
        for (int i = 0; i < tau.length; i++) {
            if (!(tau[i] >= 0)) {
                throw new IllegalArgumentException("training time: expected 0 or more, found " + tau[i]);
            }
            double[] row = new double[count];
            for (int k = 0; k < count; k++) {
                double lambda = modes.values()[k];
                double relaxed =
                        Math.expm1(-2 * delta * lambda * tau[i] / modes.sizes().psiP());
                row[k] = relaxed / (Math.sqrt(delta) * lambda);
            }
            c.setRow(i, row);
        }
        Matrix applied = lapack.product(c, false, modes.quadratic(), false);
        List<Losses> losses = new ArrayList<>();
        for (int i = 0; i < tau.length; i++) {
            losses.add(losses(tau[i], c.row(i), applied.row(i)));
        }
        return losses;
    }

    private Losses losses(double tau, double[] c, double[] applied) {
        double trainQuadratic = 0;
        double trainLinear = 0;
        double testQuadratic = 0;
        double testLinear = 0;
        for (int k = 0; k < c.length; k++) {
            trainQuadratic += modes.values()[k] * c[k] * c[k] * modes.weights()[k];
            trainLinear += c[k] * modes.weights()[k];
            testQuadratic += c[k] * applied[k];
            testLinear += c[k] * modes.testWeights()[k];
        }
        return of(tau, modes.sizes(), modes.delta(), modes.truth(), new double[] {
            trainQuadratic, trainLinear, testQuadratic, testLinear
        });
    }

    /// The losses from Tr(B^T B U), Tr(B V) and the same two of the population.
    static Losses of(double tau, Sizes sizes, double delta, double truth, double[] traces) {
        double quadratic = delta / sizes.d();
        double linear = 2 * Math.sqrt(delta) / sizes.d();
        double train = 1 + quadratic * traces[0] + linear * traces[1];
        double test = 1 + quadratic * traces[2] + linear * traces[3];
        return new Losses(tau, train, test, (test - 1) / delta + truth);
    }
}
