package dev.rote.device.cuda;

import dev.rote.graph.Node;
import java.util.List;

/// Nodes that follow each other, and the launches that do their work together. Most often it is one node. Where values
/// between nodes are left out, they are not the plan's nodes but say what the launches read and write.
record Lowered(List<Node> nodes, List<? extends Launch> launches) {
    Node first() {
        return nodes.getFirst();
    }
}
