package dev.rote.metrics;

/// The `k` nearest references of each query, nearest first; equal squared distances are ordered by index.
///
/// @param queries number of queries
/// @param k neighbours per query
/// @param indices `[queries, k]`, index of the reference
/// @param distances `[queries, k]`, Euclidean distance: the correctly rounded square root of the f64 square
/// @param searchedOn queries that a device's best candidates did not settle, so that it compared more with them: all
///     others were certified at once. 0 on the CPU, whose one pass keeps every candidate
public record Neighbours(int queries, int k, int[] indices, double[] distances, int searchedOn) {
    public Neighbours {
        if (indices.length != queries * k || distances.length != queries * k) {
            throw new IllegalArgumentException("neighbours [" + queries + ", " + k + "]: got " + indices.length
                    + " indices and " + distances.length + " distances");
        }
    }

    /// Neighbours of which nothing had to be searched on.
    public Neighbours(int queries, int k, int[] indices, double[] distances) {
        this(queries, k, indices, distances, 0);
    }

    /// Index of neighbour number `rank` (0 = nearest) of `query`.
    public int index(int query, int rank) {
        return indices[position(query, rank)];
    }

    /// Distance to neighbour number `rank` (0 = nearest) of `query`.
    public double distance(int query, int rank) {
        return distances[position(query, rank)];
    }

    private int position(int query, int rank) {
        if (query < 0 || query >= queries || rank < 0 || rank >= k) {
            throw new IllegalArgumentException(
                    "neighbour (" + query + ", " + rank + ") is outside [" + queries + ", " + k + "]");
        }
        return query * k + rank;
    }
}
