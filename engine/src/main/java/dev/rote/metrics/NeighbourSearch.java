package dev.rote.metrics;

import dev.rote.device.Device;
import dev.rote.device.NearestSearch;
import dev.rote.device.Vectors;
import java.util.Optional;
import java.util.function.Function;

/// References in which exact nearest neighbours are searched again and again, on the device where it has kernels for
/// that, else on the CPU. Both give the same bits, those of [NearestNeighboursReference].
///
/// @param <T> what the vectors are: [Rows] or [Pixels]
public sealed interface NeighbourSearch<T> extends AutoCloseable {
    /// The `k` nearest references of each query, where query i ignores reference `excludeIndex[i]` (-1: none; a null
    /// array: none at all).
    ///
    /// @throws IllegalArgumentException as [NearestNeighbours#search(Rows, Rows, int, int[], int)]
    /// @throws InterruptedException if the calling thread is interrupted
    Neighbours search(T queries, int k, int[] excludeIndex) throws InterruptedException;

    /// The `k` nearest references of each query.
    default Neighbours search(T queries, int k) throws InterruptedException {
        return search(queries, k, null);
    }

    @Override
    void close();

    /// A search on the CPU, whose threads wait between two searches. Several callers take turns.
    ///
    /// @throws IllegalArgumentException if `threads` is below 1
    static NeighbourSearch<Rows> onCpu(Rows references, int threads) {
        return new OnCpu<>(references, rows -> rows, new Workers(threads));
    }

    /// Prepares references; the segment must stay as it is until this is closed.
    ///
    /// @param threads of a search on the CPU
    static NeighbourSearch<Rows> of(Device device, Rows references, int threads) {
        Optional<NearestSearch> prepared = device.nearestSearch(references.vectors());
        return prepared.isPresent() ? new OnDevice<>(prepared.get(), Rows::vectors) : onCpu(references, threads);
    }

    /// The same of 8-bit images.
    static NeighbourSearch<Pixels> of(Device device, Pixels references, int threads) {
        Optional<NearestSearch> prepared = device.nearestSearch(references.vectors());
        return prepared.isPresent()
                ? new OnDevice<>(prepared.get(), Pixels::vectors)
                : new OnCpu<>(references.rows(), Pixels::rows, new Workers(threads));
    }

    /// Prepares references for searches.
    @FunctionalInterface
    interface Preparation {
        /// A search among these; the caller closes it.
        NeighbourSearch<Rows> of(Rows references);
    }

    /// [NearestNeighbours], with the references as they are.
    final class OnCpu<T> implements NeighbourSearch<T> {
        private final Rows references;
        private final Function<T, Rows> rows;
        private final Workers workers;

        private OnCpu(Rows references, Function<T, Rows> rows, Workers workers) {
            this.references = references;
            this.rows = rows;
            this.workers = workers;
        }

        @Override
        public Neighbours search(T queries, int k, int[] excludeIndex) throws InterruptedException {
            return NearestNeighbours.search(
                    rows.apply(queries), references, k, excludeIndex, workers, DistanceTile.best());
        }

        @Override
        public void close() {
            workers.close();
        }
    }

    /// A device's own search.
    record OnDevice<T>(NearestSearch prepared, Function<T, Vectors> vectors) implements NeighbourSearch<T> {
        @Override
        public Neighbours search(T queries, int k, int[] excludeIndex) throws InterruptedException {
            Vectors asked = vectors.apply(queries);
            NearestSearch.Answer answer = prepared.search(asked, new NearestSearch.Question(k, excludeIndex));
            double[] distances = new double[answer.squares().length];
            for (int i = 0; i < distances.length; i++) {
                distances[i] = Math.sqrt(answer.squares()[i]);
            }
            return new Neighbours(asked.count(), k, answer.indices(), distances, answer.searchedOn());
        }

        @Override
        public void close() {
            prepared.close();
        }
    }
}
