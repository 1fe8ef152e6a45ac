package dev.rote.bench;

import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/// The operations of a step as text, the one that takes most of the step first.
final class OperationTable {
    private OperationTable() {}

    /// @param stepMs of the whole step, NaN if it was not timed: shares are then of the sum
    static String of(List<OperationResult> results, double stepMs) {
        double sum = results.stream().mapToDouble(OperationResult::stepMs).sum();
        double floor = results.stream()
                .mapToDouble(result -> result.count() * result.floorMs())
                .sum();
        double whole = Double.isNaN(stepMs) ? sum : stepMs;
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "%8s %6s %9s %8s %9s %8s %7s  %s%n",
                "ms/step",
                "share",
                "us",
                "count",
                "GFLOP/s",
                "GB/s",
                "of roof",
                "operation"));
        results.stream()
                .sorted(Comparator.comparingDouble(OperationResult::stepMs).reversed())
                .forEach(result -> text.append(line(result, whole)));
        return text.append(String.format(
                        Locale.ROOT,
                        "sum of %d operations %.3f ms, roofline %.3f ms, step %.3f ms%n",
                        results.size(),
                        sum,
                        floor,
                        stepMs))
                .toString();
    }

    private static String line(OperationResult result, double whole) {
        double ms = result.timing().medianMs();
        return String.format(
                Locale.ROOT,
                "%8.3f %5.1f%% %9.2f %8d %9.0f %8.0f %6.1f%%  %s %s %s%s%n",
                result.stepMs(),
                100 * result.stepMs() / whole,
                1e3 * ms,
                result.count(),
                result.flops() / ms * 1e-6,
                result.bytes() / ms * 1e-6,
                100 * result.floorMs() / ms,
                result.timed().benchmark(),
                result.timed().type(),
                result.timed().shape(),
                result.checked() ? "" : " (unchecked)");
    }
}
