package dev.rote.device.cuda;

import dev.rote.graph.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Nodes that follow each other, and the launches that do their work together. Most often it is one node. Where values
/// between nodes are left out, they are not the plan's nodes but say what the launches read and write.
///
/// @param alsoRead where else is read: what these nodes do not say
record Lowered(List<Node> nodes, List<? extends Launch> launches, List<Range> alsoRead) {
    Lowered(List<Node> nodes, List<? extends Launch> launches) {
        this(nodes, launches, List.of());
    }

    Node first() {
        return nodes.getFirst();
    }

    /// Where what is read lies.
    List<Range> reads(CudaMemory memory) {
        return Stream.concat(
                        nodes.stream().flatMap(node -> node.inputs().stream()).map(memory::range), alsoRead.stream())
                .toList();
    }

    /// The same of outputs, scratch memory, and inputs that are changed in place.
    List<Range> writes(CudaMemory memory) {
        List<Range> writes = new ArrayList<>();
        for (Node node : nodes) {
            node.outputs().forEach(output -> writes.add(memory.range(output)));
            writes.add(memory.workspaceRange(node));
            node.op().mutates().stream()
                    .filter(index -> index < node.inputs().size()) // an optional one may be missing
                    .forEach(index -> writes.add(memory.range(node.input(index))));
        }
        return writes;
    }
}
