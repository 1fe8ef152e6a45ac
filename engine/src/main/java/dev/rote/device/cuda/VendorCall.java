package dev.rote.device.cuda;

import dev.rote.graph.DType;

/// One product or convolution by a vendor's library, for operands anywhere. Its text names library and function.
interface VendorCall {
    /// Addresses of the two factors and of the result, and of [#workspaceBytes] of scratch memory.
    record Operands(long first, long second, long result, long workspace) {}

    /// Scratch bytes while it runs.
    long workspaceBytes();

    /// The type in which the library writes the result.
    DType resultType();

    /// Puts it on the stream.
    ///
    /// @return the library's name for its refusal; empty if it took the call
    String issue(Operands operands);
}
