package dev.rote.device.cuda;

import dev.rote.graph.Node;
import dev.rote.graph.Value;

/// Endings of kernel names.
final class Names {
    private Names() {}

    /// `_f32` or `_bf16`, the type that the kernel computes on.
    static String type(Value value) {
        return switch (value.dtype()) {
            case F32 -> "_f32";
            case BF16 -> "_bf16";
            case I32, U8 -> throw new IllegalArgumentException("expected a floating type, found " + value);
        };
    }

    /// For kernels that know only one type.
    ///
    /// @throws IllegalArgumentException if the values are of different types
    static void requireOneType(Node node, Value... values) {
        for (Value value : values) {
            if (value.dtype() != values[0].dtype()) {
                throw new IllegalArgumentException(
                        node.op().label() + ": expected inputs of one type, found " + node.inputTypes());
            }
        }
    }
}
