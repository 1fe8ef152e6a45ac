package dev.rote.device.cpu;

import dev.rote.graph.DType;

/// One operand of a kernel, handed out unit by unit (an image, a row, a chunk) as f32: in place if it is f32, through a
/// small scratch area if it is bf16, so that every kernel is written once.
final class Stage {
    private final long address;
    private final boolean staged;
    private final int unit;
    private final long scratch;

    private Stage(long address, DType type, int unit, Scratch scratch) {
        this.address = address;
        this.staged = type == DType.BF16;
        this.unit = unit;
        this.scratch = staged ? scratch.take(4L * unit) : 0;
    }

    static Stage of(long address, DType type, int unit, Scratch scratch) {
        return new Stage(address, type, unit, scratch);
    }

    /// f32 address of unit `index`, filled; `count` is below the unit for a last, shorter one.
    long in(long index, int count) {
        if (!staged) {
            return address + 4L * index * unit;
        }
        Memory.expand(address + 2L * index * unit, scratch, count);
        return scratch;
    }

    long in(long index) {
        return in(index, unit);
    }

    /// f32 address to write unit `index` to; [#done] follows.
    long out(long index) {
        return staged ? scratch : address + 4L * index * unit;
    }

    void done(long index, int count) {
        if (staged) {
            Memory.round(scratch, address + 2L * index * unit, count);
        }
    }

    void done(long index) {
        done(index, unit);
    }
}
