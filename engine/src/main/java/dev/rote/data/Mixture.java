package dev.rote.data;

import dev.rote.errors.DataException;
import dev.rote.random.Draw;
import dev.rote.random.Purpose;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;

/// Points of two equal clouds around +mu and -mu, mu = (1, ..., 1): the synthetic data of Bonnaire et al. 2025,
/// arXiv:2505.17638, appendix B, and a heavy-tailed kind of ours. A point is an image of 1 x 1 pixels with d channels;
/// its label is 0 for +mu and 1 for -mu, in turn, so an even number of consecutive points has as many of each.
///
/// | source | a cloud |
/// |---|---|
/// | `builtin:gaussian-mixture?d=8&seed=0&count=131072` | N(mu, I) |
/// | `builtin:student-mixture?d=8&dof=3&seed=0&count=131072` | multivariate t around mu, covariance I |
///
/// The latter is mu + z sqrt((dof - 2) / c) with z ~ N(0, I) and c ~ chi^2(dof), `dof` degrees of freedom.
/// Point i is a function of (seed, i). All keys may be left out.
///
/// @param dimension d
/// @param dof degrees of freedom of the t distribution; empty for Gaussian clouds
/// @param seed of the draws, whatever the seed of a run
/// @param count points there are
public record Mixture(int dimension, OptionalInt dof, long seed, int count) {
    private static final String GAUSSIAN = "builtin:gaussian-mixture";
    private static final String STUDENT = "builtin:student-mixture";
    private static final int POINTS = 1 << 17;
    private static final int CHI_STREAM = 1;

    /// The mixture that a source names; empty if it is something else.
    ///
    /// @throws DataException for a key that it does not know or a value out of range
    public static Optional<Mixture> of(String source) {
        boolean gaussian = isNamed(source, GAUSSIAN);
        if (!gaussian && !isNamed(source, STUDENT)) {
            return Optional.empty();
        }
        SourceName name = SourceName.parse(source);
        name.allow(gaussian ? Set.of("d", "seed", "count") : Set.of("d", "dof", "seed", "count"));
        return Optional.of(new Mixture(
                number(name, "d", 8, 1, 1 << 16),
                gaussian ? OptionalInt.empty() : OptionalInt.of(number(name, "dof", 3, 3, 1000)),
                number(name, "seed", 0, 0, Integer.MAX_VALUE),
                number(name, "count", POINTS, 2, 1 << 24)));
    }

    private static boolean isNamed(String source, String name) {
        return source.equals(name) || source.startsWith(name + "?");
    }

    private static int number(SourceName name, String key, int usual, int least, int most) {
        Map<String, String> query = name.query();
        String text = query.getOrDefault(key, Integer.toString(usual));
        if (text.matches("[0-9]{1,10}")) {
            long value = Long.parseLong(text);
            if (value >= least && value <= most) {
                return (int) value;
            }
        }
        throw DataException.expected(name.text(), key, "an integer from " + least + " to " + most, text);
    }

    /// 0 for the cloud around +mu, 1 for that around -mu.
    int label(int point) {
        return point % 2;
    }

    /// Point number `point`, [d].
    float[] point(int point) {
        double width = dof.isEmpty() ? 1 : Math.sqrt((dof.getAsInt() - 2) / chiSquare(point));
        float[] x = new float[dimension];
        for (int k = 0; k < dimension; k++) {
            float z = Draw.normal(seed, (long) point * dimension + k, 0, Purpose.SYNTHETIC);
            x[k] = (float) ((label(point) == 0 ? 1 : -1) + width * z);
        }
        return x;
    }

    private double chiSquare(int point) {
        int freedom = dof.orElseThrow();
        return IntStream.range(0, freedom)
                .mapToDouble(j -> Draw.normal(
                        seed, Purpose.streamStart(CHI_STREAM) + (long) point * freedom + j, 0, Purpose.SYNTHETIC))
                .map(z -> z * z)
                .sum();
    }
}
