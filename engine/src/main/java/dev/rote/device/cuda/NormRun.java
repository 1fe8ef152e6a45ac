package dev.rote.device.cuda;

import dev.rote.graph.Add;
import dev.rote.graph.Dropout;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Node;
import dev.rote.graph.Reduce;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Nodes in a row that one kernel can do: a group norm and the channel dropout of its y; or a channel dropout, the
/// gradient of a group norm of which its result is the dy, the addition of something else to dx, or to each of the
/// two tensors that dx is, and the sum of dx over an image's pixels.
///
/// @param norm the norm, or its gradient
/// @param dropout null if there is none
/// @param sums what is added to the tensors of dx, by their number
/// @param totals what sums dx over the pixels; null if nothing does
record NormRun(List<Node> nodes, Node norm, Node dropout, Map<Integer, Addition> sums, Node totals) {
    static NormRun of(Node norm) {
        return new NormRun(List.of(norm), norm, null, Map.of(), null);
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
            return feeds ? Optional.of(new NormRun(List.of(node, next), next, node, Map.of(), null)) : Optional.empty();
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
            return follows ? Optional.of(new NormRun(all, norm, next, Map.of(), null)) : Optional.empty();
        }
        for (int part = 0; part < parts() && next.op() instanceof Add; part++) {
            Optional<Addition> add = Addition.of(norm.outputs().get(part), next, memory);
            if (add.isPresent() && !sums.containsKey(part) && totals == null) {
                Map<Integer, Addition> more = new HashMap<>(sums);
                more.put(part, add.get());
                return Optional.of(new NormRun(all, norm, dropout, more, null));
            }
        }
        return totals == null && isTotal(next)
                ? Optional.of(new NormRun(all, norm, dropout, sums, next))
                : Optional.empty();
    }

    /// Whether it sums dx, if that is one tensor, over the pixels.
    private boolean isTotal(Node next) {
        return parts() == 1
                && next.op() instanceof Reduce reduce
                && next.input(0).equals(dx(0))
                && reduce.equals(new Reduce(Reduce.Kind.SUM, 1, dx(0).shape().rank() - 1));
    }

    /// Tensors that x and dx of a gradient are.
    private int parts() {
        return norm.inputs().size() - 5;
    }

    /// Of a norm: behind the dropout.
    Value y() {
        return dropout == null ? norm.output() : dropout.output();
    }

    /// Of a gradient: before the dropout.
    Value dy() {
        return dropout == null ? norm.input(0) : dropout.input(0);
    }

    Value dx(int part) {
        Addition sum = sums.get(part);
        return sum == null ? norm.outputs().get(part) : sum.sum();
    }

    /// Null if nothing is added there.
    Value addend(int part) {
        Addition sum = sums.get(part);
        return sum == null ? null : sum.addend();
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
        sums.values().forEach(sum -> reads.add(sum.addend()));
        return reads;
    }

    private List<Written> writes(CudaMemory memory) {
        List<Written> writes = new ArrayList<>();
        boolean forward = norm.op() instanceof GroupNorm;
        if (forward) {
            writes.add(new Written(memory.range(y()), List.of()));
        }
        for (int part = 0; !forward && part < parts(); part++) {
            List<Value> alike = new ArrayList<>(List.of(norm.input(1 + part)));
            if (parts() == 1) {
                alike.add(dy());
            }
            if (sums.containsKey(part)) {
                alike.add(addend(part));
            }
            writes.add(new Written(memory.range(dx(part)), alike));
        }
        for (Value small : norm.outputs().subList(writes.size(), norm.outputs().size())) {
            writes.add(new Written(memory.range(small), List.of()));
        }
        writes.add(new Written(memory.workspaceRange(norm), List.of()));
        if (totals != null) {
            writes.add(new Written(memory.range(totals.output()), List.of()));
        }
        return writes;
    }
}
