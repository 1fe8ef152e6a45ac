package dev.rote.theory;

/// How large a model is.
///
/// @param d dimensions of the data
/// @param p features
/// @param n training points
public record Sizes(int d, int p, int n) {
    public Sizes {
        if (d < 1 || p < 1 || n < 1) {
            throw new IllegalArgumentException(
                    "sizes: expected d, p and n of at least 1, found " + d + ", " + p + " and " + n);
        }
    }

    /// p = psi_p d and n = psi_n d, rounded.
    public static Sizes of(int d, double psiP, double psiN) {
        Bulks.requirePositive(psiP, psiN);
        return new Sizes(d, Math.toIntExact(Math.round(psiP * d)), Math.toIntExact(Math.round(psiN * d)));
    }

    /// p / d.
    public double psiP() {
        return (double) p / d;
    }

    /// n / d.
    public double psiN() {
        return (double) n / d;
    }
}
