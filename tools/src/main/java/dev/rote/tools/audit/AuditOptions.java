package dev.rote.tools.audit;

import dev.rote.errors.DataException;
import dev.rote.metrics.SampleMetrics;
import java.util.List;

/// What is computed.
///
/// @param k thresholds of d1 / d2, the first one the headline, each above 0 and below 1
/// @param parameters of the other metrics
/// @param features `random-convolution`, `pixel-pca`, `pixels` or the path of an ONNX network
/// @param threads CPU threads, 1 or more
record AuditOptions(List<Double> k, SampleMetrics.Parameters parameters, String features, int threads) {
    AuditOptions {
        k = List.copyOf(k);
        if (k.isEmpty() || k.stream().anyMatch(ratio -> !(ratio > 0 && ratio < 1))) {
            throw new DataException("--k: expected ratios above 0 and below 1, found " + k);
        }
        if (threads < 1) {
            throw new DataException("--threads: expected 1 or more, found " + threads);
        }
    }
}
