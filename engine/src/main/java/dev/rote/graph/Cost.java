package dev.rote.graph;

import java.util.List;

/// Arithmetic and memory traffic of an operation: floating-point operations (a multiply-add is 2), bytes read
/// and bytes written at least once. The same numbers serve `--dry-run`, benchmarks and the roofline.
public record Cost(long flops, long bytesRead, long bytesWritten) {
    public static final Cost ZERO = new Cost(0, 0, 0);

    /// Each input read once, each output written once, with the given arithmetic.
    public static Cost of(long flops, List<TensorType> inputs, List<TensorType> outputs) {
        return new Cost(flops, bytes(inputs), bytes(outputs));
    }

    public Cost plus(Cost other) {
        return new Cost(flops + other.flops, bytesRead + other.bytesRead, bytesWritten + other.bytesWritten);
    }

    public long bytes() {
        return bytesRead + bytesWritten;
    }

    private static long bytes(List<TensorType> types) {
        return types.stream().mapToLong(TensorType::bytes).sum();
    }
}
