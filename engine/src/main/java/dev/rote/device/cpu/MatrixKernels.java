package dev.rote.device.cpu;

import static dev.rote.bindings.dnnl.Dnnl.*;

import dev.rote.graph.DType;
import java.lang.foreign.MemorySegment;

/// Matrix products by oneDNN.
final class MatrixKernels {
    private final DnnlPrimitives dnnl;

    MatrixKernels(DnnlPrimitives dnnl) {
        this.dnnl = dnnl;
    }

    /// A row-major matrix in memory, possibly read as its transpose.
    record Operand(long address, DType type, boolean transposed) {}

    /// `y [M,N] = a [M,K] b [K,N] (+ bias [N])`, `batch` of them one after the other in memory.
    ///
    /// @param biasAt address of an f32 bias, or 0 for none
    Kernel product(String what, long batch, long m, long n, long k, Operand a, Operand b, long biasAt, Operand y) {
        boolean single = batch == 1;
        MemorySegment aDescriptor = descriptor(single, a, batch, m, k);
        MemorySegment bDescriptor = descriptor(single, b, batch, k, n);
        MemorySegment yDescriptor = descriptor(single, y, batch, m, n);
        MemorySegment bias = biasAt == 0
                ? MemorySegment.NULL
                : single
                        ? dnnl.descriptor(DType.F32, dnnl_ab(), 1, n)
                        : dnnl.descriptor(DType.F32, dnnl_abc(), 1, 1, n);
        MemorySegment description = dnnl.description(
                what,
                out -> dnnl_matmul_primitive_desc_create(
                        out, dnnl.engine(), aDescriptor, bDescriptor, bias, yDescriptor, dnnl.attributes()));
        Object[] arguments = {
            DNNL_ARG_SRC(), dnnl.memory(aDescriptor, a.address()),
            DNNL_ARG_WEIGHTS(), dnnl.memory(bDescriptor, b.address()),
            DNNL_ARG_DST(), dnnl.memory(yDescriptor, y.address()),
            DNNL_ARG_BIAS(), biasAt == 0 ? null : dnnl.memory(bias, biasAt)
        };
        return dnnl.primitive(what, description, biasAt == 0 ? java.util.Arrays.copyOf(arguments, 6) : arguments);
    }

    private MemorySegment descriptor(boolean single, Operand operand, long batch, long rows, long columns) {
        if (single) {
            return dnnl.descriptor(operand.type, operand.transposed ? dnnl_ba() : dnnl_ab(), rows, columns);
        }
        return dnnl.descriptor(operand.type, operand.transposed ? dnnl_acb() : dnnl_abc(), batch, rows, columns);
    }
}
