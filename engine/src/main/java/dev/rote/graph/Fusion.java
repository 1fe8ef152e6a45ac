package dev.rote.graph;

import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// Rewrites patterns of a forward graph into fused operations that a [Target] has kernels for. Runs before [Autodiff],
/// so that the backward half is derived from the fused operations and is fused as well.
public final class Fusion {
    /// The patterns, each named after what it joins.
    public enum Pattern {
        /// [GroupNorm] whose result only a SiLU [Activation] reads becomes one normalisation with SiLU.
        GROUP_NORM_SILU,
        /// [Upsample] whose result only a [Conv2d] reads becomes a convolution of an upsampled input.
        UPSAMPLE_CONVOLUTION
    }

    private final Map<Value, Integer> uses;
    private final Map<Value, Node> producers = new IdentityHashMap<>();
    private final List<Node> rewritten = new ArrayList<>();
    private int applied;

    private Fusion(Graph graph) {
        this.uses = uses(graph);
    }

    /// Applies every pattern that the target fuses; returns how many times one was applied.
    public static int apply(Graph graph, Target target) {
        Fusion fusion = new Fusion(graph);
        graph.nodes().forEach(node -> fusion.take(node, target));
        graph.replaceNodes(fusion.rewritten);
        return fusion.applied;
    }

    private void take(Node node, Target target) {
        Node first = node.inputs().isEmpty() ? null : producers.get(node.input(0));
        if (first == null || node.input(0).isView() || uses.get(node.input(0)) != 1) {
            add(node);
        } else if (isSilu(node.op())
                && first.op() instanceof GroupNorm norm
                && !norm.silu()
                && target.fuses(Pattern.GROUP_NORM_SILU)) {
            groupNormSilu(norm, first, node);
        } else if (node.op() instanceof Conv2d conv
                && conv.input() == Conv2d.Input.PLAIN
                && first.op() instanceof Upsample
                && target.fuses(Pattern.UPSAMPLE_CONVOLUTION)) {
            upsampleConvolution(conv, first, node);
        } else {
            add(node);
        }
    }

    private static boolean isSilu(Op op) {
        return op instanceof Activation activation && activation.kind() == Activation.Kind.SILU;
    }

    /// In the place of the norm.
    private void groupNormSilu(GroupNorm plain, Node norm, Node silu) {
        List<Value> outputs =
                List.of(silu.output(), norm.outputs().get(1), norm.outputs().get(2));
        Node fused = new Node(new GroupNorm(plain.groups(), plain.eps(), true), norm.inputs(), outputs);
        rewritten.set(rewritten.lastIndexOf(norm), fused);
        applied++;
    }

    /// In the place of the convolution.
    private void upsampleConvolution(Conv2d plain, Node upsample, Node convolution) {
        List<Value> inputs = new ArrayList<>(convolution.inputs());
        inputs.set(0, upsample.input(0));
        rewritten.remove(rewritten.lastIndexOf(upsample));
        add(new Node(plain.reading(Conv2d.Input.UPSAMPLED), inputs, convolution.outputs()));
        applied++;
    }

    private void add(Node node) {
        rewritten.add(node);
        node.outputs().forEach(output -> producers.put(output, node));
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
