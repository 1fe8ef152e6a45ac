package dev.rote.graph;

import java.util.List;

/// What a device declares of itself to the passes: which patterns it has kernels for, and the scratch memory of a node.
public interface Target {
    /// True if the device has one kernel for the pattern.
    boolean fuses(Fusion.Pattern pattern);

    /// Scratch bytes that the node needs while it runs; they become part of the arena.
    long workspaceBytes(Op op, List<TensorType> inputs, List<TensorType> outputs);

    /// How many of the nodes that follow may run beside this one. For so long its inputs and its scratch memory stay
    /// as they are; 0 where nodes run one after another.
    default int nodesBeside(Op op) {
        return 0;
    }

    /// Whether a node's scratch memory stays as it is to the end, for work that is put off.
    ///
    /// @param bytes of it
    default boolean keepsWorkspace(Op op, long bytes) {
        return false;
    }

    /// A target with every operation on its own and no scratch memory.
    Target PLAIN = new Target() {
        @Override
        public boolean fuses(Fusion.Pattern pattern) {
            return false;
        }

        @Override
        public long workspaceBytes(Op op, List<TensorType> inputs, List<TensorType> outputs) {
            return 0;
        }
    };
}
