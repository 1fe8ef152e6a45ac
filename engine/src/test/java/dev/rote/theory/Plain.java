package dev.rote.theory;

/// Training by plain loops in double precision.
final class Plain {
    private Plain() {}

    /// `steps` steps of gradient descent on `a [d, p]`.
    static void descend(Moments m, double[] a, double rate, int steps) {
        for (int step = 0; step < steps; step++) {
            double[] gradient = gradient(m, a);
            for (int i = 0; i < a.length; i++) {
                a[i] -= rate * gradient[i];
            }
        }
    }

    static void adam(Moments m, double[] a, double rate, int steps) {
        double[] first = new double[a.length];
        double[] second = new double[a.length];
        for (int step = 1; step <= steps; step++) {
            double[] gradient = gradient(m, a);
            for (int i = 0; i < a.length; i++) {
                first[i] = 0.9 * first[i] + 0.1 * gradient[i];
                second[i] = 0.999 * second[i] + 0.001 * gradient[i] * gradient[i];
                double mean = first[i] / (1 - Math.pow(0.9, step));
                double spread = Math.sqrt(second[i] / (1 - Math.pow(0.999, step)));
                a[i] -= rate * mean / (spread + 1e-8);
            }
        }
    }

    private static double[] gradient(Moments m, double[] a) {
        int d = m.sizes().d();
        int p = m.sizes().p();
        double[] gradient = new double[a.length];
        for (int i = 0; i < d; i++) {
            for (int j = 0; j < p; j++) {
                double sum = 0;
                for (int k = 0; k < p; k++) {
                    sum += a[i * p + k] * m.u().get(k, j);
                }
                gradient[i * p + j] =
                        2 * m.delta() / (d * p) * sum + 2 * Math.sqrt(m.delta() / p) / d * m.v().get(j, i);
            }
        }
        return gradient;
    }

    /// Train and test loss.
    static double[] losses(Moments m, double[] a) {
        int d = m.sizes().d();
        int p = m.sizes().p();
        double[] losses = {1, 1};
        for (int i = 0; i < d; i++) {
            for (int j = 0; j < p; j++) {
                double b = a[i * p + j] / Math.sqrt(p);
                double linear = 2 * Math.sqrt(m.delta()) / d;
                losses[0] += linear * b * m.v().get(j, i);
                losses[1] += linear * b * m.testV().get(j, i);
                for (int k = 0; k < p; k++) {
                    double both = m.delta() / d * b * a[i * p + k] / Math.sqrt(p);
                    losses[0] += both * m.u().get(j, k);
                    losses[1] += both * m.testU().get(j, k);
                }
            }
        }
        return losses;
    }
}
