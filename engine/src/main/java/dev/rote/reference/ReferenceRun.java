package dev.rote.reference;

import dev.rote.graph.Graph;
import dev.rote.graph.Node;
import dev.rote.graph.Plan;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// Runs a graph by the definitions, node by node, in double precision: what every device is compared with.
///
/// Every element, of whatever type, is held as a double. Nothing is rounded: a bf16 value has all 53 bits, a
/// [dev.rote.graph.Cast] to
/// it changes nothing, and constants and attributes are the floats that the graph holds. I32 and U8 elements are
/// doubles that hold integers. There is one lane, so [dev.rote.graph.AllReduce] does nothing. Random operations give
/// the product's own numbers, which are floats.
///
/// Externals are bound to arrays of the caller, which the run reads and changes. Values owned by the program
/// (gradients)
/// are zero at first and survive from run to run; step values are NaN until written. Not for use by several threads.
public final class ReferenceRun {
    private final List<Node> nodes;
    private final Storage storage;

    private ReferenceRun(List<Node> nodes, Storage storage) {
        this.nodes = List.copyOf(nodes);
        this.storage = storage;
    }

    /// A run in which every value that owns its storage has an array of its own, so that every value can be read.
    ///
    /// @param bindings an array for every external of the graph, by name, at least as large; used, not copied
    /// @throws IllegalArgumentException if a binding is missing or too small
    public static ReferenceRun of(Graph graph, Map<String, double[]> bindings) {
        return new ReferenceRun(graph.nodes(), new SeparateStorage(graph, bindings));
    }

    /// A run in which step values share the arena of a plan. Only kept values can be read afterwards.
    ///
    /// @param bindings as for [#of]
    /// @throws IllegalArgumentException if a binding is missing or too small
    public static ReferenceRun inArena(Plan plan, Map<String, double[]> bindings) {
        return new ReferenceRun(plan.nodes(), new ArenaStorage(plan, new SeparateStorage(plan.graph(), bindings)));
    }

    /// Executes all nodes once, in order.
    ///
    /// @throws IllegalArgumentException if an index or label in the data is out of range
    public void run() {
        storage.start();
        nodes.forEach(this::execute);
    }

    /// The elements of any value of the graph, row-major; a copy.
    public double[] read(Value value) {
        return storage.read(value);
    }

    private void execute(Node node) {
        List<Tensor> inputs = new ArrayList<>();
        for (Value input : node.inputs()) {
            inputs.add(new Tensor(input.shape(), storage.read(input)));
        }
        List<double[]> outputs = Definitions.evaluate(node.op(), inputs);
        for (int index = 0; index < outputs.size(); index++) {
            storage.write(node.outputs().get(index), outputs.get(index));
        }
        for (int index : node.op().mutates()) {
            if (index < inputs.size()) {
                storage.write(node.input(index), inputs.get(index).data());
            }
        }
    }
}
