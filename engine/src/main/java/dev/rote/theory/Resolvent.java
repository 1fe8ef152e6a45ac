package dev.rote.theory;

/// q(z) = Tr (U - z)^-1 / p in the limit of large d, n and p, for any covariance (arXiv:2505.17638, Theorem 3.1). With
/// D = 1 + (psi_p a^2 e^-2t r + psi_p v^2 q) / psi_n, s^ = b^2 psi_p + 1/q and r^ = psi_p a^2 e^-2t / D:
///
/// - s = integral of rho(l) / (s^ + l r^), r = integral of l rho(l) / (s^ + l r^);
/// - psi_p (s_t^2 - z) q^2 + psi_p v^2 q^2 / D + (1 - psi_p) q - s = 0.
///
/// Newton's method in the two unknowns q and r, followed from far above the real axis, where q = -1/z, down to it. A
/// step that does not converge, or leaves the half plane Im q > 0, is made smaller.
public final class Resolvent {
    private static final int NEWTON_STEPS = 40;

    /// Of the last step, relative. At an edge the two solutions meet, and rounding alone is 1e-11 at the heights used
    /// here; the step that is that small has squared its error.
    private static final double TOLERANCE = 1e-9;

    /// Steps of the way down shrink to this before it is given up.
    private static final double LEAST_SHRINK = 1 - 1e-6;

    private final Scalars scalars;
    private final double psiP;
    private final double psiN;
    private final Spectrum covariance;
    private final double linear;

    /// @throws IllegalArgumentException unless both ratios are above 0, or if the scalars are of another variance
    public Resolvent(Scalars scalars, double psiP, double psiN, Spectrum covariance) {
        Bulks.requirePositive(psiP, psiN);
        if (Math.abs(covariance.mean() - scalars.variance()) > 1e-6 * scalars.variance()) {
            throw new IllegalArgumentException("resolvent: expected scalars of variance " + covariance.mean()
                    + ", that of the covariance, found " + scalars.variance());
        }
        this.scalars = scalars;
        this.psiP = psiP;
        this.psiN = psiN;
        this.covariance = covariance;
        this.linear = psiP * scalars.linear2();
    }

    Scalars scalars() {
        return scalars;
    }

    double psiP() {
        return psiP;
    }

    double psiN() {
        return psiN;
    }

    /// A point of the way down: q, and the r that belongs to it.
    private record State(Complex q, Complex r) {}

    /// q at x + i height.
    ///
    /// @throws ArithmeticException if the equations cannot be followed so far
    Complex at(double x, double height) {
        double h = Math.max(Math.max(10 * Math.abs(x), 100 * scale()), height);
        Complex start = new Complex(x, h).inverse().times(-1);
        State state = newton(new Complex(x, h), new State(start, start.times(scalars.variance())));
        double shrink = 0.5;
        while (state != null && h > height) {
            double next = Math.max(height, h * shrink);
            State tried = newton(new Complex(x, next), state);
            if (tried != null) {
                state = tried;
                h = next;
                shrink = Math.max(0.3, shrink * shrink);
            } else {
                shrink = Math.sqrt(shrink);
                if (shrink > LEAST_SHRINK) {
                    state = null;
                }
            }
        }
        if (state == null) {
            throw new ArithmeticException("resolvent: no solution at " + x + " + " + h + " i for psi_p " + psiP
                    + ", psi_n " + psiN + ", " + covariance.name());
        }
        return state.q;
    }

    /// A bound of the largest eigenvalues, from the norms of Gaussian matrices and (x + y)^2 <= 2 (x^2 + y^2).
    double scale() {
        double top = covariance.values()[covariance.values().length - 1];
        double features = Math.pow(1 + Math.sqrt(psiP), 2);
        double points = Math.pow(1 + 1 / Math.sqrt(psiN), 2);
        return 2 * scalars.linear2() * top * features * points
                + 2 * scalars.v2() * Math.pow(1 + Math.sqrt(psiP / psiN), 2)
                + scalars.b() * scalars.b() * features
                + scalars.s2();
    }

    /// The solution near `from`, or null.
    private State newton(Complex z, State from) {
        Complex q = from.q;
        Complex r = from.r;
        for (int step = 0; step < NEWTON_STEPS; step++) {
            Complex dInverse = r.times(linear)
                    .plus(q.times(psiP * scalars.v2()))
                    .times(1 / psiN)
                    .plus(1)
                    .inverse();
            Complex hatR = dInverse.times(linear);
            Complex qInverse = q.inverse();
            Complex hatS = qInverse.plus(scalars.b() * scalars.b() * psiP);
            Moments m = moments(hatS, hatR);
            // Derivatives: D by r and q, then r^ and s^.
            double dByR = linear / psiN;
            double dByQ = psiP * scalars.v2() / psiN;
            Complex square = dInverse.times(dInverse);
            Complex hatRByR = square.times(-linear * dByR);
            Complex hatRByQ = square.times(-linear * dByQ);
            Complex hatSByQ = qInverse.times(qInverse).times(-1);
            Complex q2 = q.times(q);
            Complex first = r.minus(m.one);
            Complex firstByR = hatRByR.times(m.two2).plus(1);
            Complex firstByQ = hatSByQ.times(m.two1).plus(hatRByQ.times(m.two2));
            Complex zS = z.times(-1).plus(scalars.s2()).times(psiP);
            Complex v = dInverse.times(psiP * scalars.v2());
            Complex second = zS.plus(v).times(q2).plus(q.times(1 - psiP)).minus(m.zero);
            Complex vByD = square.times(-psiP * scalars.v2());
            Complex secondByR = vByD.times(dByR).times(q2).plus(hatRByR.times(m.two1));
            Complex secondByQ = zS.plus(v)
                    .times(q.times(2))
                    .plus(vByD.times(dByQ).times(q2))
                    .plus(1 - psiP)
                    .plus(hatSByQ.times(m.two0))
                    .plus(hatRByQ.times(m.two1));
            Complex determinant = firstByR.times(secondByQ).minus(firstByQ.times(secondByR));
            Complex dr = first.times(secondByQ).minus(firstByQ.times(second)).over(determinant);
            Complex dq = firstByR.times(second).minus(secondByR.times(first)).over(determinant);
            q = q.minus(dq);
            r = r.minus(dr);
            if (!q.isFinite() || !r.isFinite()) {
                return null;
            }
            if (dq.abs() <= TOLERANCE * q.abs() && dr.abs() <= TOLERANCE * r.abs()) {
                // Both are transforms of positive measures.
                return q.im() > 0 && r.im() > 0 ? new State(q, r) : null;
            }
        }
        return null;
    }

    /// Integrals over the covariance's spectrum, with g = s^ + l r^: of 1/g, l/g, 1/g^2, l/g^2 and l^2/g^2.
    private record Moments(Complex zero, Complex one, Complex two0, Complex two1, Complex two2) {}

    private Moments moments(Complex hatS, Complex hatR) {
        double[] sum = new double[10];
        for (int i = 0; i < covariance.values().length; i++) {
            double l = covariance.values()[i];
            double weight = covariance.weights()[i];
            double re = hatS.re() + l * hatR.re();
            double im = hatS.im() + l * hatR.im();
            double square = re * re + im * im;
            double gRe = re / square;
            double gIm = -im / square;
            double g2Re = gRe * gRe - gIm * gIm;
            double g2Im = 2 * gRe * gIm;
            sum[0] += weight * gRe;
            sum[1] += weight * gIm;
            sum[2] += weight * l * gRe;
            sum[3] += weight * l * gIm;
            sum[4] += weight * g2Re;
            sum[5] += weight * g2Im;
            sum[6] += weight * l * g2Re;
            sum[7] += weight * l * g2Im;
            sum[8] += weight * l * l * g2Re;
            sum[9] += weight * l * l * g2Im;
        }
        return new Moments(
                new Complex(sum[0], sum[1]),
                new Complex(sum[2], sum[3]),
                new Complex(sum[4], sum[5]),
                new Complex(sum[6], sum[7]),
                new Complex(sum[8], sum[9]));
    }
}
