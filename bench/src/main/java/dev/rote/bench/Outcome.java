package dev.rote.bench;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Our time of one case beside those of the peers.
///
/// @param flops arithmetic of one run
/// @param items images or queries of one run
public record Outcome(Case timed, int threads, Timing timing, long flops, int items, List<Peer> peers) {
    /// The peer with the smallest median.
    Optional<Peer> best() {
        return peers.stream()
                .min(Comparator.comparingDouble(peer -> peer.timing().medianMs()));
    }

    /// How many times as long the best peer takes; above 1 we are faster.
    Optional<Double> ratio() {
        return best().map(peer -> peer.timing().medianMs() / timing.medianMs());
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
                "%s %s %s | %.1f ms (%.1f-%.1f) | %.1f GFLOP/s | %s",
                timed.benchmark(),
                timed.shape(),
                timed.type(),
                timing.medianMs(),
                timing.p10Ms(),
                timing.p90Ms(),
                gflops(),
                ratio().map(ratio -> String.format(Locale.ROOT, "%.2fx peer", ratio))
                        .orElse("no peer"));
    }
}
