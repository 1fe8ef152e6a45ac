package dev.rote.graph;

import java.util.IdentityHashMap;
import java.util.Map;

/// Writes a graph in Graphviz DOT: a box per node with its cost, an edge per use with the value's type.
public final class Dot {
    private Dot() {}

    public static String of(Graph graph) {
        StringBuilder out =
                new StringBuilder("digraph step {\n  node [shape=box fontname=\"sans-serif\" fontsize=10];\n");
        Map<Value, String> source = new IdentityHashMap<>();
        int number = 0;
        for (Node node : graph.nodes()) {
            String id = "n" + number++;
            out.append("  ")
                    .append(id)
                    .append(" [label=\"")
                    .append(escape(node.op().label()))
                    .append("\\n")
                    .append(node.cost().flops())
                    .append(" flop\"];\n");
            for (Value input : node.inputs()) {
                Value root = input.root();
                String from = source.computeIfAbsent(root, value -> external(out, value));
                out.append("  ")
                        .append(from)
                        .append(" -> ")
                        .append(id)
                        .append(" [label=\"")
                        .append(escape(input.type().toString()))
                        .append("\" fontsize=8];\n");
            }
            for (Value output : node.outputs()) {
                source.put(output.root(), id);
            }
        }
        return out.append("}\n").toString();
    }

    private static String external(StringBuilder out, Value value) {
        String id = "v" + value.id();
        out.append("  ")
                .append(id)
                .append(" [shape=ellipse label=\"")
                .append(escape(value.name()))
                .append("\"];\n");
        return id;
    }

    private static String escape(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"");
    }
}
