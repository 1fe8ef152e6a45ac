package dev.rote.device.cuda;

import dev.rote.graph.Add;
import dev.rote.graph.AddChannels;
import dev.rote.graph.Node;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A sum that the kernel before it can compute as well: of its result, which nobody else reads, and something else.
///
/// @param addend like the result, maybe of another shape, where sharing is 1
/// @param sharing elements in a row, channels not counted, to which one line of the addend is added: 1 where it is like
///     the sum, the pixels of an image where it is a vector for each image
record Addition(Value addend, Value sum, int sharing) {
    /// Empty if the next node is no such sum.
    static Optional<Addition> after(Node first, Node next, CudaMemory memory) {
        return of(first.output(), next, memory);
    }

    /// The same of any result of the node before.
    static Optional<Addition> of(Value result, Node next, CudaMemory memory) {
        boolean reads =
                next.inputs().stream().anyMatch(input -> input.unreshaped().equals(result))
                        && memory.isReadOnce(result);
        if (reads && next.op() instanceof Add) {
            Value addend = next.input(next.input(0).unreshaped().equals(result) ? 1 : 0);
            return Optional.of(new Addition(addend, next.output(), 1));
        }
        if (reads && next.op() instanceof AddChannels && next.input(0).equals(result)) {
            long pixels = result.elements() / next.input(1).elements();
            return Optional.of(new Addition(next.input(1), next.output(), MatrixLowering.extent("pixels", pixels)));
        }
        return Optional.empty();
    }

    /// Whether the kernel may write the sum where the plan has it. The plan does not know that the two are one: the sum
    /// may lie where the kernel still reads.
    ///
    /// @param alike values of which a thread reads an element before it writes the same one
    /// @param others whatever else the kernel reads or writes
    boolean isClear(CudaMemory memory, List<Value> alike, List<Range> others) {
        Range to = memory.range(sum);
        List<Range> elsewhere = new ArrayList<>(others);
        List<Value> same = new ArrayList<>(alike);
        same.add(addend);
        same.stream().map(memory::range).filter(range -> !range.equals(to)).forEach(elsewhere::add);
        return !Range.anyOverlap(List.of(to), elsewhere);
    }
}
