package dev.rote.graph;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Rewrites patterns of a forward graph into fused operations that a [Target] has kernels for. Runs before [Autodiff],
/// so
/// that the backward half is derived from the fused operations and is fused as well.
public final class Fusion {
    /// The patterns, each named after what it joins.
    public enum Pattern {
        /// [GroupNorm] whose result only a SiLU [Activation] reads becomes one normalisation with SiLU.
        GROUP_NORM_SILU
    }

    private Fusion() {}

    /// Applies every pattern that the target fuses; returns how many times one was applied.
    public static int apply(Graph graph, Target target) {
        return target.fuses(Pattern.GROUP_NORM_SILU) ? groupNormSilu(graph) : 0;
    }

    private static int groupNormSilu(Graph graph) {
        Map<Value, Integer> uses = uses(graph);
        Map<Value, Node> unfused = new IdentityHashMap<>();
        List<Node> rewritten = new ArrayList<>();
        int applied = 0;
        for (Node node : graph.nodes()) {
            Node norm = node.inputs().isEmpty() ? null : unfused.get(node.input(0));
            boolean silu = node.op() instanceof Activation activation && activation.kind() == Activation.Kind.SILU;
            if (silu && norm != null && !node.input(0).isView() && uses.get(node.input(0)) == 1) {
                GroupNorm plain = (GroupNorm) norm.op();
                Node fused = new Node(
                        new GroupNorm(plain.groups(), plain.eps(), true),
                        norm.inputs(),
                        List.of(
                                node.output(),
                                norm.outputs().get(1),
                                norm.outputs().get(2)));
                rewritten.set(indexOf(rewritten, norm), fused);
                applied++;
                continue;
            }
            if (node.op() instanceof GroupNorm plain && !plain.silu()) {
                unfused.put(node.output(), node);
            }
            rewritten.add(node);
        }
        graph.replaceNodes(rewritten);
        return applied;
    }

    /// Position of a node by identity, searched from the end where a producer usually stands.
    private static int indexOf(List<Node> nodes, Node wanted) {
        for (int index = nodes.size() - 1; index >= 0; index--) {
            if (nodes.get(index).outputs().contains(wanted.output())) {
                return index;
            }
        }
        throw new AssertionError("node not in the list: " + wanted);
    }

    /// How often each storage is read, by its owner, a reshape or a view; a kept value counts as read once more.
    private static Map<Value, Integer> uses(Graph graph) {
        Map<Value, Integer> uses = new IdentityHashMap<>();
        for (Node node : graph.nodes()) {
            node.inputs().forEach(input -> uses.merge(input.root(), 1, Integer::sum));
        }
        graph.kept().forEach(kept -> uses.merge(kept.root(), 1, Integer::sum));
        return uses;
    }
}
