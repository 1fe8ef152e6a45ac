package dev.rote.reference;

import dev.rote.graph.Graph;
import dev.rote.graph.Node;
import dev.rote.graph.Op;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// One application of an operation to given numbers, for a device to be compared with [ReferenceRun].
///
/// The numbers are exact in the types of the inputs, so a device and the reference start from the same ones; those of
/// integer types are doubles that hold integers.
///
/// @param name unique: the operation's label and what is special
/// @param inputs one array per input, row-major; not to be changed, [#bindings] copies
public record OpCase(String name, Op op, List<TensorType> inputTypes, List<double[]> inputs) {
    /// Appends the operation to a graph, its inputs as externals `input0`, `input1`, ..., its outputs kept.
    public Node addTo(Graph graph) {
        List<Value> values = new ArrayList<>();
        for (int index = 0; index < inputTypes.size(); index++) {
            values.add(graph.external(inputName(index), inputTypes.get(index)));
        }
        graph.add(op, values);
        Node node = graph.nodes().getLast();
        node.outputs().forEach(graph::keep);
        return node;
    }

    public static String inputName(int index) {
        return "input" + index;
    }

    /// Fresh copies of the inputs under their names.
    public Map<String, double[]> bindings() {
        Map<String, double[]> bindings = new LinkedHashMap<>();
        for (int index = 0; index < inputs.size(); index++) {
            bindings.put(inputName(index), inputs.get(index).clone());
        }
        return bindings;
    }

    /// What the operation writes: its outputs, then the inputs that it changes in place.
    public List<Value> written(Node node) {
        List<Value> written = new ArrayList<>(node.outputs());
        for (int index : op.mutates()) {
            if (index < node.inputs().size()) {
                written.add(node.input(index));
            }
        }
        return written;
    }

    /// The reference's values of [#written], in that order.
    public List<double[]> expected() {
        Graph graph = new Graph();
        Node node = addTo(graph);
        ReferenceRun run = ReferenceRun.of(graph, bindings());
        run.run();
        return written(node).stream().map(run::read).toList();
    }

    @Override
    public String toString() {
        return name;
    }
}
