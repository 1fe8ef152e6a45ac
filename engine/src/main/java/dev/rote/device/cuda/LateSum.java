package dev.rote.device.cuda;

import dev.rote.graph.Value;
import java.util.List;

/// The second stage of a divided sum, which may wait ([LateSums]) and is the same whatever it is joined with.
sealed interface LateSum permits ParameterSums, SplitSum {
    /// Where its terms lie.
    Range from();

    /// What it writes.
    List<Value> results();

    /// Whether one launch can compute this behind others, up to as many as fit.
    boolean joins(List<LateSum> others);

    /// The launch that computes all of these, which are of this kind.
    KernelLaunch launch(List<LateSum> all, CudaMemory memory);
}
