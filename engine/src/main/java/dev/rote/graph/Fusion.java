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
        UPSAMPLE_CONVOLUTION,
        /// [Concat] of two tensors' channels that only [GroupNorm]s and 1 x 1 [Conv2d]s read is left out: they read the
        /// two.
        CONCAT_READERS
    }

    private final Target target;
    private final Map<Value, Integer> uses;
    private final Map<Value, List<Node>> readers = new IdentityHashMap<>();
    private final Map<Value, Node> producers = new IdentityHashMap<>();
    private final Map<Value, Node> leftOut = new IdentityHashMap<>();
    private final List<Node> rewritten = new ArrayList<>();
    private int applied;

    private Fusion(Graph graph, Target target) {
        this.target = target;
        this.uses = uses(graph);
        for (Node node : graph.nodes()) {
            node.inputs().forEach(input -> readers.computeIfAbsent(input, unused -> new ArrayList<>())
                    .add(node));
        }
    }

    /// Applies every pattern that the target fuses; returns how many times one was applied.
    public static int apply(Graph graph, Target target) {
        Fusion fusion = new Fusion(graph, target);
        graph.nodes().forEach(fusion::take);
        graph.replaceNodes(fusion.rewritten);
        return fusion.applied;
    }

    private void take(Node original) {
        if (isLeftOut(original)) {
            leftOut.put(original.output(), original);
            applied++;
            return;
        }
        Node node = joined(original);
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

    /// A concatenation that all its readers can do without.
    private boolean isLeftOut(Node node) {
        return node.op() instanceof Concat concat
                && target.fuses(Pattern.CONCAT_READERS)
                && node.inputs().size() == 2
                && concat.axis() == node.output().shape().rank() - 1
                && !node.output().isView()
                && readers.containsKey(node.output())
                && readers.get(node.output()).size() == uses.get(node.output())
                && readers.get(node.output()).stream().allMatch(reader -> readsTwo(reader, node.output()));
    }

    /// Whether the node can read two tensors in the place of `x`, its first input and no other one.
    private static boolean readsTwo(Node node, Value x) {
        boolean can =
                switch (node.op()) {
                    case GroupNorm ignored -> node.inputs().size() == 3;
                    case Conv2d conv ->
                        conv.equals(Conv2d.same(1)) && node.input(1).shape().elements(1, 3) == 1;
                    default -> false;
                };
        return can && node.inputs().lastIndexOf(x) == 0;
    }

    /// The node, reading what a concatenation that was left out would have joined.
    private Node joined(Node node) {
        Node concat = node.inputs().isEmpty() ? null : leftOut.get(node.input(0));
        if (concat == null) {
            return node;
        }
        List<Value> inputs = new ArrayList<>(concat.inputs());
        inputs.addAll(node.inputs().subList(1, node.inputs().size()));
        Op op = node.op() instanceof Conv2d conv ? conv.reading(Conv2d.Input.JOINED) : node.op();
        return new Node(op, inputs, node.outputs());
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
