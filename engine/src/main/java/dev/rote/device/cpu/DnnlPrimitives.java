package dev.rote.device.cpu;

import static dev.rote.bindings.dnnl.Dnnl.*;

import dev.rote.bindings.dnnl.dnnl_exec_arg_t;
import dev.rote.graph.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/// Makes the oneDNN objects of one lane and owns them: primitives, their memories and the stream until closed,
/// descriptors until [#settle].
final class DnnlPrimitives implements AutoCloseable {
    /// Attribute of every primitive: run-to-run deterministic.
    private final MemorySegment attributes;
    private final MemorySegment engine;
    private final MemorySegment stream;
    private final Arena arena = Arena.ofShared();
    private Arena drafts = Arena.ofShared();
    private final List<Runnable> destructors = new ArrayList<>();
    private final List<Runnable> draftDestructors = new ArrayList<>();
    private final Scratch scratch;
    private final boolean real;

    /// @param scratch of the lane. The library's own scratch memory belongs to the thread that makes a primitive, not
    ///     to the one that runs it.
    /// @param real false to take scratch memory but make no primitives: what is counted never runs
    DnnlPrimitives(DnnlEngine dnnl, Scratch scratch, boolean real) {
        this.scratch = scratch;
        this.real = real;
        this.engine = dnnl.handle();
        boolean complete = false;
        try {
            stream = created("stream", out -> dnnl_stream_create(out, engine, dnnl_stream_default_flags()));
            destructors.add(() -> dnnl_stream_destroy(stream));
            attributes = created("attributes", dnnl_primitive_attr_create_handle());
            destructors.add(() -> dnnl_primitive_attr_destroy(attributes));
            DnnlEngine.check("attributes", dnnl_primitive_attr_set_deterministic(attributes, 1));
            DnnlEngine.check(
                    "attributes", dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user()));
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    private static Creation dnnl_primitive_attr_create_handle() {
        return dev.rote.bindings.dnnl.Dnnl::dnnl_primitive_attr_create;
    }

    /// A oneDNN constructor: writes a handle to `out` and answers a status.
    @FunctionalInterface
    interface Creation {
        int into(MemorySegment out);
    }

    MemorySegment engine() {
        return engine;
    }

    MemorySegment attributes() {
        return attributes;
    }

    static int dataType(DType type) {
        return switch (type) {
            case F32 -> dnnl_f32();
            case BF16 -> dnnl_bf16();
            case I32 -> dnnl_s32();
            case U8 -> dnnl_u8();
        };
    }

    MemorySegment created(String what, Creation creation) {
        MemorySegment out = drafts.allocate(ValueLayout.ADDRESS);
        DnnlEngine.check(what, creation.into(out));
        return out.get(ValueLayout.ADDRESS, 0);
    }

    /// A `dnnl_dims_t`.
    MemorySegment dims(long... dims) {
        return drafts.allocateFrom(ValueLayout.JAVA_LONG, java.util.Arrays.copyOf(dims, DNNL_MAX_NDIMS()));
    }

    /// A dense memory descriptor in the physical order of a tag; valid until [#settle].
    MemorySegment descriptor(DType type, int tag, long... dims) {
        MemorySegment descriptor = created(
                "descriptor",
                out -> dnnl_memory_desc_create_with_tag(out, dims.length, dims(dims), dataType(type), tag));
        draftDestructors.add(() -> dnnl_memory_desc_destroy(descriptor));
        return descriptor;
    }

    /// A primitive descriptor; valid until [#settle].
    MemorySegment description(String what, Creation creation) {
        MemorySegment description = created(what, creation);
        draftDestructors.add(() -> dnnl_primitive_desc_destroy(description));
        return description;
    }

    MemorySegment memory(MemorySegment descriptor, long address) {
        if (!real) {
            return MemorySegment.NULL;
        }
        MemorySegment memory =
                created("memory", out -> dnnl_memory_create(out, descriptor, engine, MemorySegment.ofAddress(address)));
        destructors.add(() -> dnnl_memory_destroy(memory));
        return memory;
    }

    /// Scratch memory of the kernel at hand for a descriptor: a filter in the library's blocked layout.
    long scratchMemory(MemorySegment descriptor) {
        return scratch.take(Math.max(1, dnnl_memory_desc_get_size(descriptor)));
    }

    static MemorySegment query(MemorySegment description, int what) {
        return dnnl_primitive_desc_query_md(description, what, 0);
    }

    /// A runnable primitive with its arguments: pairs of argument index and memory.
    Kernel primitive(String what, MemorySegment description, Object... arguments) {
        MemorySegment scratchpad = query(description, dnnl_query_scratchpad_md());
        long scratchBytes = dnnl_memory_desc_get_size(scratchpad);
        long scratchAt = scratchBytes > 0 ? scratch.take(scratchBytes) : 0;
        if (!real) {
            return () -> {
                throw new AssertionError(what + " was counted, not made");
            };
        }
        MemorySegment primitive = created(what, out -> dnnl_primitive_create(out, description));
        destructors.add(() -> dnnl_primitive_destroy(primitive));
        int count = arguments.length / 2 + (scratchBytes > 0 ? 1 : 0);
        MemorySegment list = dnnl_exec_arg_t.allocateArray(count, arena);
        for (int index = 0; index < arguments.length / 2; index++) {
            setArgument(list, index, (Integer) arguments[2 * index], (MemorySegment) arguments[2 * index + 1]);
        }
        if (scratchBytes > 0) {
            setArgument(list, count - 1, DNNL_ARG_SCRATCHPAD(), memory(scratchpad, scratchAt));
        }
        return () -> DnnlEngine.check(what, dnnl_primitive_execute(primitive, stream, count, list));
    }

    private static void setArgument(MemorySegment list, int index, int argument, MemorySegment memory) {
        MemorySegment entry = dnnl_exec_arg_t.asSlice(list, index);
        dnnl_exec_arg_t.arg(entry, argument);
        dnnl_exec_arg_t.memory(entry, memory);
    }

    /// Copies between two layouts of the same tensor.
    Kernel reorder(MemorySegment from, long fromAddress, MemorySegment to, long toAddress) {
        MemorySegment description = description(
                "reorder", out -> dnnl_reorder_primitive_desc_create(out, from, engine, to, engine, attributes));
        return primitive(
                "reorder",
                description,
                DNNL_ARG_FROM(),
                memory(from, fromAddress),
                DNNL_ARG_TO(),
                memory(to, toAddress));
    }

    /// Frees what only making primitives needs: a primitive and its memories hold copies of their descriptors.
    void settle() {
        freeDrafts();
        drafts = Arena.ofShared();
    }

    private void freeDrafts() {
        draftDestructors.reversed().forEach(Runnable::run);
        draftDestructors.clear();
        drafts.close();
    }

    @Override
    public void close() {
        freeDrafts();
        destructors.reversed().forEach(Runnable::run);
        arena.close();
    }
}
