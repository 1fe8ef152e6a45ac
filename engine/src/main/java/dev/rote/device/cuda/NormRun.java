package dev.rote.device.cuda;

import dev.rote.graph.Add;
import dev.rote.graph.Dropout;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Node;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Nodes in a row that one kernel can do: a group norm and the channel dropout of its y; or a channel dropout, the
/// gradient of a group norm of which its result is the dy, and the addition of something else to dx.
///
/// @param norm the norm, or its gradient
/// @param dropout null if there is none
/// @param sum what is added to dx, null if nothing is
record NormRun(List<Node> nodes, Node norm, Node dropout, Addition sum) {
    static NormRun of(Node norm) {
        return new NormRun(List.of(norm), norm, null, null);
    }

    /// The runs that begin with the first of the nodes, longest first. A value between two of them has no other reader.
    static List<NormRun> startingAt(List<Node> nodes, CudaMemory memory) {
        List<NormRun> runs = new ArrayList<>();
        Optional<NormRun> run = shortest(nodes, memory);
        while (run.isPresent()) {
            runs.addFirst(run.get());
            int length = run.get().nodes.size();
            run = length < nodes.size() ? run.get().with(nodes.get(length), memory) : Optional.empty();
        }
        return runs;
    }

    private static Optional<NormRun> shortest(List<Node> nodes, CudaMemory memory) {
        Node node = nodes.getFirst();
        if (node.op() instanceof GroupNorm || node.op() instanceof GroupNorm.Backward) {
            return Optional.of(of(node));
        }
        if (isOfChannels(node) && nodes.size() > 1) {
            Node next = nodes.get(1);
            boolean feeds = next.op() instanceof GroupNorm.Backward && follows(node.output(), next, memory);
            return feeds ? Optional.of(new NormRun(List.of(node, next), next, node, null)) : Optional.empty();
        }
        return Optional.empty();
    }

    private static boolean isOfChannels(Node node) {
        return node.op() instanceof Dropout op && op.channelwise();
    }

    private static boolean follows(Value value, Node next, CudaMemory memory) {
        return next.input(0).equals(value) && memory.isReadOnce(value);
    }

    private Optional<NormRun> with(Node next, CudaMemory memory) {
        List<Node> all = new ArrayList<>(nodes);
        all.add(next);
        if (norm.op() instanceof GroupNorm) {
            boolean follows = dropout == null && isOfChannels(next) && follows(norm.output(), next, memory);
            return follows ? Optional.of(new NormRun(all, norm, next, null)) : Optional.empty();
        }
        boolean single = norm.inputs().size() == 6;
        return sum == null && single && next.op() instanceof Add
                ? Addition.after(norm, next, memory).map(add -> new NormRun(all, norm, dropout, add))
                : Optional.empty();
    }

    /// Of a norm: behind the dropout.
    Value y() {
        return dropout == null ? norm.output() : dropout.output();
    }

    /// Of a gradient: before the dropout.
    Value dy() {
        return dropout == null ? norm.input(0) : dropout.input(0);
    }

    Value dx() {
        return sum == null ? norm.output() : sum.sum();
    }

    /// What the kernel writes.
    ///
    /// @param alike values of which a thread reads an element before it writes the same one
    private record Written(Range to, List<Value> alike) {
        boolean meets(Value read, CudaMemory memory) {
            Range from = memory.range(read);
            return to.overlaps(from) && !(alike.contains(read) && to.equals(from));
        }
    }

    /// Whether the kernel may read and write where the plan has the values. The plan does not know that the nodes are
    /// one: what the last of them writes may lie where the kernel still reads.
    boolean isClear(CudaMemory memory) {
        List<Value> reads = reads();
        List<Written> writes = writes(memory);
        for (int i = 0; i < writes.size(); i++) {
            Written one = writes.get(i);
            List<Range> others = writes.subList(0, i).stream().map(Written::to).toList();
            if (reads.stream().anyMatch(read -> one.meets(read, memory)) || Range.anyOverlap(List.of(one.to), others)) {
                return false;
            }
        }
        return true;
    }

    private List<Value> reads() {
        List<Value> reads = new ArrayList<>(norm.inputs());
        if (norm.op() instanceof GroupNorm.Backward) {
            reads.set(0, dy());
        }
        if (dropout != null) {
            reads.add(dropout.input(1));
        }
        if (sum != null) {
            reads.add(sum.addend());
        }
        return reads;
    }

    private List<Written> writes(CudaMemory memory) {
        List<Written> writes = new ArrayList<>();
        List<Value> outputs = norm.outputs();
        if (norm.op() instanceof GroupNorm) {
            writes.add(new Written(memory.range(y()), List.of()));
            outputs.subList(1, outputs.size())
                    .forEach(value -> writes.add(new Written(memory.range(value), List.of())));
            return writes;
        }
        boolean single = norm.inputs().size() == 6;
        List<Value> alike = new ArrayList<>(List.of(norm.input(1)));
        if (single) {
            alike.add(dy());
        }
        if (sum != null) {
            alike.add(sum.addend());
        }
        writes.add(new Written(memory.range(dx()), alike));
        outputs.subList(1, outputs.size()).forEach(value -> writes.add(new Written(memory.range(value), List.of())));
        writes.add(new Written(memory.workspaceRange(norm), List.of()));
        return writes;
    }
}
