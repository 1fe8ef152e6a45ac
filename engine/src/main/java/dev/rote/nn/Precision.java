package dev.rote.nn;

import dev.rote.graph.DType;

/// Arithmetic policy of a run. Master weights, moments, statistics, losses and the time embedding are f32 in each.
public enum Precision {
    /// Everything in f32.
    F32,
    /// Storage in f32; the device shortens the factors of matrix products to 10 bits. The graph is that of [#F32].
    TF32,
    /// Activations and copies of the weight matrices in bf16.
    BF16;

    /// Type of activations and of the matrices that they meet.
    public DType compute() {
        return this == BF16 ? DType.BF16 : DType.F32;
    }
}
