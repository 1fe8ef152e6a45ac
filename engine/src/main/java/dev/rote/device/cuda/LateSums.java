package dev.rote.device.cuda;

import dev.rote.graph.Node;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/// Puts off the last launch of each norm's gradient and of each small weight gradient, which only sums what the launch
/// before left in scratch memory, until somebody reads the sums, and joins those that have been put off: most often the
/// optimizer reads them, and they are a few launches in the place of a hundred.
///
/// What touches what is seen from the addresses, as in [Streams], so that any plan is right: before anything that
/// touches the sums, or writes where their terms lie, they are launched. A plan for which it pays keeps the terms
/// ([dev.rote.graph.Target#keepsWorkspace]).
final class LateSums {
    /// Sums of one kind that wait, each kind for itself: weight gradients go aside, and nothing else waits for them.
    private static final class Waiting {
        private final List<LateSum> sums = new ArrayList<>();
        private Node first;

        private List<Value> results() {
            return sums.stream().flatMap(sum -> sum.results().stream()).toList();
        }

        private List<Range> terms() {
            return sums.stream().map(LateSum::from).toList();
        }
    }

    private final CudaMemory memory;
    private final Function<Node, Optional<ParameterSums>> parameters;
    private final List<Lowered> program = new ArrayList<>();
    private final Waiting norms = new Waiting();
    private final Waiting weights = new Waiting();

    /// @param parameters what the last launch of a node sums, if it is a norm's gradient
    LateSums(CudaMemory memory, Function<Node, Optional<ParameterSums>> parameters) {
        this.memory = memory;
        this.parameters = parameters;
    }

    /// A program with the same results, in the same order but for these launches.
    List<Lowered> joined(List<Lowered> lowered) {
        lowered.forEach(this::add);
        launch(norms);
        launch(weights);
        return program;
    }

    private void add(Lowered lowered) {
        for (Waiting waiting : List.of(norms, weights)) {
            if (isTouched(waiting, lowered)) {
                launch(waiting);
            }
        }
        Optional<Node> norm = lowered.nodes().stream()
                .filter(node -> parameters.apply(node).isPresent())
                .findFirst();
        // Only where the plan has kept the terms: it looks at the scratch memory, which may be more than they are.
        Optional<SplitSum> weight = SplitSum.of(lowered)
                .filter(sum -> memory.workspaceRange(sum.node()).bytes() <= SplitSum.MOST_BYTES);
        if (norm.isPresent()) {
            putOff(norms, norm.get(), parameters.apply(norm.get()).orElseThrow(), lowered);
        } else if (weight.isPresent()) {
            putOff(weights, weight.get().node(), weight.get(), lowered);
        } else {
            program.add(lowered);
        }
    }

    private void putOff(Waiting waiting, Node node, LateSum late, Lowered lowered) {
        if (!late.joins(waiting.sums)) {
            launch(waiting);
        }
        program.add(new Lowered(
                lowered.nodes(),
                lowered.launches().subList(0, lowered.launches().size() - 1)));
        if (waiting.sums.isEmpty()) {
            waiting.first = node;
        }
        waiting.sums.add(late);
    }

    private boolean isTouched(Waiting waiting, Lowered lowered) {
        List<Range> writes = lowered.writes(memory);
        List<Range> results = waiting.results().stream().map(memory::range).toList();
        return Range.anyOverlap(results, lowered.reads(memory))
                || Range.anyOverlap(results, writes)
                || Range.anyOverlap(waiting.terms(), writes);
    }

    private void launch(Waiting waiting) {
        if (waiting.sums.isEmpty()) {
            return;
        }
        Node all = new Node(waiting.first.op(), List.of(), waiting.results());
        KernelLaunch launch = waiting.sums.getFirst().launch(waiting.sums, memory);
        program.add(new Lowered(List.of(all), List.of(launch), waiting.terms()));
        waiting.sums.clear();
    }
}
