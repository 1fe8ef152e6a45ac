package dev.rote.device.cpu;

import dev.rote.graph.Value;

/// Addresses and stages of the values of one lane, as kernels take them.
final class Operands {
    private final LaneMemory memory;

    Operands(LaneMemory memory) {
        this.memory = memory;
    }

    Scratch scratch() {
        return memory.scratch();
    }

    long at(Value value) {
        return memory.address(value);
    }

    Stage chunks(Value value) {
        return stage(value, ElementwiseKernels.CHUNK);
    }

    /// Units of one entry of the first dimension.
    Stage images(Value value) {
        return stage(value, Math.toIntExact(value.elements() / value.shape().dim(0)));
    }

    /// Units of one innermost row.
    Stage rows(Value value) {
        return stage(value, value.shape().last());
    }

    Stage whole(Value value) {
        return stage(value, Math.toIntExact(value.elements()));
    }

    Stage stage(Value value, int unit) {
        return Stage.of(at(value), value.dtype(), unit, memory.scratch());
    }
}
