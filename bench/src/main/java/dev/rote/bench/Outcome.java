package dev.rote.bench;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/// Our time of one case beside those of the peers.
///
/// @param flops arithmetic of one run
/// @param items images or queries of one run; 0 if nobody counts them
/// @param operation what else is known of an operation of a step
/// @param search what else is known of a search for nearest neighbours
record Outcome(
        Case timed,
        int threads,
        Timing timing,
        long flops,
        int items,
        List<Peer> peers,
        Optional<OperationResult> operation,
        Optional<SearchResult> search) {
    Outcome(Case timed, int threads, Timing timing, long flops, int items, List<Peer> peers) {
        this(timed, threads, timing, flops, items, Peer.of(timed, peers), Optional.empty(), Optional.empty());
    }

    static Outcome of(OperationResult result, List<Peer> peers) {
        List<Peer> own = Peer.of(result.timed(), peers);
        return new Outcome(
                result.timed(), 1, result.timing(), result.flops(), 0, own, Optional.of(result), Optional.empty());
    }

    Outcome with(SearchResult found) {
        return new Outcome(timed, threads, timing, flops, items, peers, operation, Optional.of(found));
    }

    /// The peer with the smallest median.
    Optional<Peer> best() {
        return peers.stream()
                .min(Comparator.comparingDouble(peer -> peer.timing().medianMs()));
    }

    /// How many times as long the best peer takes; above 1 we are faster.
    Optional<Double> ratio() {
        return best().map(peer -> peer.timing().medianMs() / timing.medianMs());
    }

    /// Share of the roofline that a search reaches.
    OptionalDouble roofline() {
        OptionalDouble floor = search.map(SearchResult::floorMs).orElse(OptionalDouble.empty());
        return floor.isPresent() ? OptionalDouble.of(floor.getAsDouble() / timing.medianMs()) : floor;
    }

    /// Share of a search's queries that were certified at once.
    OptionalDouble certified() {
        return search.map(SearchResult::certified).orElse(OptionalDouble.empty());
    }

    double gflops() {
        return flops / timing.medianMs() / 1e6;
    }

    double itemsPerSecond() {
        return items / timing.medianMs() * 1e3;
    }

    /// `operation shape type | median (p10-p90) | GFLOP/s | x peer`.
    String line() {
        return String.format(
                Locale.ROOT,
                "%s %s %s | %s ms | %.1f GFLOP/s | %s",
                timed.benchmark(),
                timed.shape(),
                timed.type(),
                timing.text(),
                gflops(),
                ratio().map(ratio -> String.format(Locale.ROOT, "%.2fx peer", ratio))
                        .orElse("no peer"));
    }
}
