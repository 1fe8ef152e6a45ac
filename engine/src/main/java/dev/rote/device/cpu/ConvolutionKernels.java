package dev.rote.device.cpu;

import static dev.rote.bindings.dnnl.Dnnl.*;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import java.lang.foreign.MemorySegment;

/// Convolution by oneDNN: activations NHWC, filters [K,R,S,C] converted to the library's blocked layout on every
/// use, into scratch memory (they change every step and are small beside the activations). Those for which it pays
/// are [WinogradKernels]'.
final class ConvolutionKernels {
    private final DnnlPrimitives dnnl;
    private final WinogradKernels winograd;

    ConvolutionKernels(DnnlPrimitives dnnl, Scratch scratch) {
        this.dnnl = dnnl;
        this.winograd = new WinogradKernels(dnnl, scratch);
    }

    /// The descriptors that the three directions share.
    private final class Case {
        final MemorySegment x;
        final MemorySegment y;
        final MemorySegment plainFilter;
        final MemorySegment anyFilter;
        final MemorySegment bias;
        final MemorySegment strides;
        final MemorySegment dilates = dnnl.dims(0, 0);
        final MemorySegment before;
        final MemorySegment after;

        Case(Conv2d conv, Shape x, Shape w, Shape y, DType type, DType filterType, boolean bias) {
            long[] filter = {w.dim(0), w.dim(3), w.dim(1), w.dim(2)};
            this.x = dnnl.descriptor(type, dnnl_acdb(), x.dim(0), x.dim(3), x.dim(1), x.dim(2));
            this.y = dnnl.descriptor(type, dnnl_acdb(), y.dim(0), y.dim(3), y.dim(1), y.dim(2));
            this.plainFilter = dnnl.descriptor(filterType, dnnl_acdb(), filter);
            this.anyFilter = dnnl.descriptor(filterType, dnnl_format_tag_any(), filter);
            this.bias = bias ? dnnl.descriptor(DType.F32, dnnl_a(), w.dim(0)) : MemorySegment.NULL;
            this.strides = dnnl.dims(conv.stride(), conv.stride());
            this.before = dnnl.dims(conv.top(), conv.left());
            this.after = dnnl.dims(conv.bottom(), conv.right());
        }

        MemorySegment forward(boolean chooseFilter) {
            return dnnl.description(
                    "Conv2d",
                    out -> dnnl_convolution_forward_primitive_desc_create(
                            out,
                            dnnl.engine(),
                            dnnl_forward_training(),
                            dnnl_convolution_direct(),
                            x,
                            chooseFilter ? anyFilter : plainFilter,
                            bias,
                            y,
                            strides,
                            dilates,
                            before,
                            after,
                            dnnl.attributes()));
        }
    }

    /// Runs a filter conversion before or after a primitive, unless the layouts agree already.
    private long blocked(MemorySegment wanted, MemorySegment plain, long plainAddress) {
        return dnnl_memory_desc_equal(wanted, plain) != 0 ? plainAddress : dnnl.scratchMemory(wanted);
    }

    /// @param bias address, or 0 for none
    Kernel forward(Conv2d conv, Shape x, Shape w, Shape y, DType type, long xAt, long wAt, long biasAt, long yAt) {
        if (WinogradKernels.pays(conv, x, w, type)) {
            return winograd.forward(x, w, xAt, wAt, biasAt, yAt);
        }
        Case c = new Case(conv, x, w, y, type, type, biasAt != 0);
        MemorySegment description = c.forward(true);
        MemorySegment filter = DnnlPrimitives.query(description, dnnl_query_weights_md());
        long filterAt = blocked(filter, c.plainFilter, wAt);
        Object[] arguments = {
            DNNL_ARG_SRC(), dnnl.memory(c.x, xAt),
            DNNL_ARG_WEIGHTS(), dnnl.memory(filter, filterAt),
            DNNL_ARG_DST(), dnnl.memory(c.y, yAt),
            DNNL_ARG_BIAS(), biasAt == 0 ? null : dnnl.memory(c.bias, biasAt)
        };
        Kernel convolution =
                dnnl.primitive("Conv2d", description, biasAt == 0 ? java.util.Arrays.copyOf(arguments, 6) : arguments);
        return filterAt == wAt ? convolution : both(dnnl.reorder(c.plainFilter, wAt, filter, filterAt), convolution);
    }

    Kernel backwardData(Conv2d conv, Shape x, Shape w, Shape y, DType type, long dyAt, long wAt, long dxAt) {
        if (WinogradKernels.pays(conv, x, w, type)) {
            return winograd.backwardData(x, w, dyAt, wAt, dxAt);
        }
        Case c = new Case(conv, x, w, y, type, type, false);
        MemorySegment hint = c.forward(true);
        MemorySegment description = dnnl.description(
                "Conv2dBackwardData",
                out -> dnnl_convolution_backward_data_primitive_desc_create(
                        out,
                        dnnl.engine(),
                        dnnl_convolution_direct(),
                        c.x,
                        c.anyFilter,
                        c.y,
                        c.strides,
                        c.dilates,
                        c.before,
                        c.after,
                        hint,
                        dnnl.attributes()));
        MemorySegment filter = DnnlPrimitives.query(description, dnnl_query_weights_md());
        long filterAt = blocked(filter, c.plainFilter, wAt);
        Kernel convolution = dnnl.primitive(
                "Conv2dBackwardData",
                description,
                DNNL_ARG_DIFF_DST(),
                dnnl.memory(c.y, dyAt),
                DNNL_ARG_WEIGHTS(),
                dnnl.memory(filter, filterAt),
                DNNL_ARG_DIFF_SRC(),
                dnnl.memory(c.x, dxAt));
        return filterAt == wAt ? convolution : both(dnnl.reorder(c.plainFilter, wAt, filter, filterAt), convolution);
    }

    /// The gradients are f32 whatever the type of x and dy.
    ///
    /// @param dbiasAt address, or 0 for none
    Kernel backwardWeight(
            Conv2d conv, Shape x, Shape w, Shape y, DType type, long xAt, long dyAt, long dwAt, long dbiasAt) {
        if (WinogradKernels.paysForWeights(conv, x, w, type)) {
            return winograd.backwardWeight(x, w, xAt, dyAt, dwAt, dbiasAt);
        }
        Case hintCase = new Case(conv, x, w, y, type, type, dbiasAt != 0);
        MemorySegment hint = hintCase.forward(true);
        Case c = new Case(conv, x, w, y, type, DType.F32, dbiasAt != 0);
        MemorySegment description = dnnl.description(
                "Conv2dBackwardWeight",
                out -> dnnl_convolution_backward_weights_primitive_desc_create(
                        out,
                        dnnl.engine(),
                        dnnl_convolution_direct(),
                        c.x,
                        c.anyFilter,
                        c.bias,
                        c.y,
                        c.strides,
                        c.dilates,
                        c.before,
                        c.after,
                        hint,
                        dnnl.attributes()));
        MemorySegment filter = DnnlPrimitives.query(description, dnnl_query_diff_weights_md());
        long filterAt = blocked(filter, c.plainFilter, dwAt);
        Object[] arguments = {
            DNNL_ARG_SRC(), dnnl.memory(c.x, xAt),
            DNNL_ARG_DIFF_DST(), dnnl.memory(c.y, dyAt),
            DNNL_ARG_DIFF_WEIGHTS(), dnnl.memory(filter, filterAt),
            DNNL_ARG_DIFF_BIAS(), dbiasAt == 0 ? null : dnnl.memory(c.bias, dbiasAt)
        };
        Kernel convolution = dnnl.primitive(
                "Conv2dBackwardWeight", description, dbiasAt == 0 ? java.util.Arrays.copyOf(arguments, 6) : arguments);
        return filterAt == dwAt ? convolution : both(convolution, dnnl.reorder(filter, filterAt, c.plainFilter, dwAt));
    }

    private static Kernel both(Kernel first, Kernel second) {
        return () -> {
            first.run();
            second.run();
        };
    }
}
