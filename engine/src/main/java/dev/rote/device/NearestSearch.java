package dev.rote.device;

import java.util.Objects;

/// Reference vectors on a device, prepared once, in which the nearest of any query are found exactly.
///
/// Contract: the squared distance of f32 or 8-bit values is that of [dev.rote.metrics.NearestNeighboursReference], bit
/// for bit; the k nearest are ordered by square, then by index. 8-bit values are the integers 0 to 255.
public interface NearestSearch extends AutoCloseable {
    /// Largest number of neighbours per query.
    int MAX_K = 64;

    /// What is asked: the `k` nearest of each query, of which query i ignores reference `excludeIndex[i]`.
    ///
    /// @param k 1 to 64, at most as many as there are references beside the ignored one
    /// @param excludeIndex one per query, -1 for none; or null
    record Question(int k, int[] excludeIndex) {
        public Question {
            if (k < 1 || k > MAX_K) {
                throw new IllegalArgumentException("nearest neighbours: expected k in 1 .. " + MAX_K + ", got " + k);
            }
        }

        /// @throws IllegalArgumentException unless `references` and `queries` can give an answer
        public void require(int queries, int references) {
            if (excludeIndex != null && excludeIndex.length != queries) {
                throw new IllegalArgumentException("nearest neighbours: excludeIndex has " + excludeIndex.length
                        + " entries for " + queries + " queries");
            }
            if (references < k + (excludeIndex == null ? 0 : 1) && (references < k || excludes(references))) {
                throw new IllegalArgumentException("nearest neighbours: k = " + k + " needs at least " + k
                        + " references per query, got " + (references - (excludes(references) ? 1 : 0))
                        + (excludes(references) ? " besides the excluded one" : ""));
            }
            if ((long) queries * k > Integer.MAX_VALUE - 8) {
                throw new IllegalArgumentException("nearest neighbours: " + queries + " queries times k = " + k
                        + " does not fit in one result; search in parts");
            }
        }

        private boolean excludes(int references) {
            for (int index : Objects.requireNonNullElse(excludeIndex, new int[0])) {
                if (index >= 0 && index < references) {
                    return true;
                }
            }
            return false;
        }
    }

    /// What was found.
    ///
    /// @param indices `[queries, k]`, index of the reference
    /// @param squares `[queries, k]`, squared distances
    /// @param searchedOn how many queries their best candidates did not settle, so that more was compared with them
    record Answer(int[] indices, double[] squares, int searchedOn) {}

    /// Queries in host memory.
    ///
    /// @throws IllegalArgumentException if dimension or type are not those of the references, the question does not fit
    ///     or a value is NaN or infinite (row and column are named)
    /// @throws InterruptedException if the calling thread is interrupted
    Answer search(Vectors queries, Question question) throws InterruptedException;

    /// Queries in a buffer of the same device, `[count, dimension]` from its first element.
    Answer search(Buffer queries, int count, Question question) throws InterruptedException;

    @Override
    void close();
}
