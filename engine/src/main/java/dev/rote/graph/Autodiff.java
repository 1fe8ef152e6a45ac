package dev.rote.graph;

import java.util.ArrayList;
import java.util.Collection;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Reverse-mode differentiation of a graph: appends the nodes that compute the gradients of a scalar.
///
/// Every node that lies between the scalar and a wanted value is visited once, last first; each operation brings its
/// own
/// gradient rule. Contributions to one value are added in the order in which they arise, so the sums are deterministic.
public final class Autodiff {
    private final Graph graph;
    private final Map<Value, Boolean> dependent = new IdentityHashMap<>();
    private final Map<Value, List<Value>> dependentByRoot = new IdentityHashMap<>();
    private final Map<Value, Boolean> viewed = new IdentityHashMap<>();
    private final Map<Value, Value> adjoints = new IdentityHashMap<>();

    private Autodiff(Graph graph) {
        this.graph = graph;
    }

    /// Gradients of `loss` (one element, f32) with respect to `wanted`, in that order; null for a value on which the
    /// loss does not depend. A gradient has the shape of its value; that of a bf16 parameter may be f32.
    ///
    /// @throws IllegalArgumentException if an operation on the way has no gradient, or reads a differentiated value
    ///     through [Graph#view]
    public static List<Value> gradients(Graph graph, Value loss, Collection<Value> wanted) {
        Check.scalar("Autodiff", "loss", loss.type(), DType.F32);
        return new Autodiff(graph).run(loss, wanted);
    }

    private List<Value> run(Value loss, Collection<Value> wanted) {
        List<Node> forward = List.copyOf(graph.nodes());
        for (Value value : wanted) {
            depend(value.unreshaped());
        }
        for (Node node : forward) {
            node.inputs().forEach(this::noticeView);
            if (node.inputs().stream().anyMatch(this::depends)) {
                node.outputs().forEach(this::depend);
            }
        }
        if (depends(loss)) {
            adjoints.put(loss.unreshaped(), graph.apply(new Fill(loss.type(), 1)));
        }
        for (Node node : forward.reversed()) {
            visit(node);
        }
        List<Value> gradients = new ArrayList<>();
        for (Value value : wanted) {
            Value gradient = adjoints.get(value.unreshaped());
            gradients.add(gradient == null ? null : graph.reshape(gradient, value.shape()));
        }
        return gradients;
    }

    private void depend(Value value) {
        dependent.put(value, true);
        dependentByRoot.computeIfAbsent(value.root(), root -> new ArrayList<>()).add(value);
    }

    private boolean depends(Value value) {
        Value known = value.unreshaped();
        return dependent.containsKey(known) || viewed.containsKey(known);
    }

    /// Remembers a value that is another name for a part of a dependent one. The loss may not depend on it: where its
    /// gradient would have to go is not known.
    private void noticeView(Value input) {
        Value value = input.unreshaped();
        if (!depends(value)
                && dependentByRoot.getOrDefault(value.root(), List.of()).stream()
                        .anyMatch(other -> overlap(value, other))) {
            viewed.put(value, true);
        }
    }

    private static boolean overlap(Value a, Value b) {
        return a.byteOffset() < b.byteOffset() + b.type().bytes()
                && b.byteOffset() < a.byteOffset() + a.type().bytes();
    }

    private void visit(Node node) {
        List<Value> dOutputs = new ArrayList<>();
        boolean reached = false;
        for (Value output : node.outputs()) {
            Value adjoint = adjoints.get(output);
            reached |= adjoint != null;
            dOutputs.add(adjoint);
        }
        if (!reached) {
            return;
        }
        boolean[] wanted = new boolean[node.inputs().size()];
        boolean any = false;
        for (int index = 0; index < wanted.length; index++) {
            Value input = node.input(index);
            wanted[index] = depends(input) && input.dtype().isFloat();
            any |= wanted[index];
        }
        if (!any) {
            return;
        }
        List<Value> gradients = node.op().gradient(graph, node, dOutputs, wanted);
        for (int index = 0; index < wanted.length; index++) {
            if (wanted[index] && gradients.get(index) != null) {
                contribute(node.input(index), gradients.get(index));
            }
        }
    }

    private void contribute(Value input, Value gradient) {
        Value value = input.unreshaped();
        Check.that(!viewed.containsKey(value), "Autodiff", "no view of a differentiated value (use Slice)", value);
        Value shaped = graph.reshape(gradient, value.shape());
        Value known = adjoints.get(value);
        adjoints.put(value, known == null ? shaped : graph.apply(new Add(), known, shaped));
    }
}
