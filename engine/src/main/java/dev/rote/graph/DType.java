package dev.rote.graph;

/// Element types of values. Statistics, parameters, moments and losses are F32 in every precision policy.
public enum DType {
    F32(4),
    BF16(2),
    I32(4),
    U8(1);

    private final int bytes;

    DType(int bytes) {
        this.bytes = bytes;
    }

    public int bytes() {
        return bytes;
    }

    /// True for the types that carry gradients.
    public boolean isFloat() {
        return this == F32 || this == BF16;
    }
}
