package dev.rote.device.cuda;

import dev.rote.graph.Node;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/// Puts off the last launch of each norm's gradient, which only sums what the norm left in its scratch memory, until
/// somebody reads the sums, and joins those that have been put off: most often the optimizer reads them, and they
/// are one or two launches in the place of 46.
///
/// What touches what is seen from the addresses, as in [Streams], so that any plan is right: before anything that
/// touches the sums, or writes where their terms lie, they are launched. A plan for which it pays keeps the terms
/// ([dev.rote.graph.Target#keepsWorkspace]).
final class LateSums {
    private final CudaMemory memory;
    private final Function<Node, Optional<ParameterSums>> sums;
    private final List<Lowered> program = new ArrayList<>();
    private final List<ParameterSums> pending = new ArrayList<>();
    private Node first; // of those pending

    /// @param sums what the last launch of a node sums, if it does
    LateSums(CudaMemory memory, Function<Node, Optional<ParameterSums>> sums) {
        this.memory = memory;
        this.sums = sums;
    }

    /// A program with the same results, in the same order but for these launches.
    List<Lowered> joined(List<Lowered> lowered) {
        lowered.forEach(this::add);
        launch();
        return program;
    }

    private void add(Lowered lowered) {
        if (isTouched(lowered)) {
            launch();
        }
        Optional<Node> norm = lowered.nodes().stream()
                .filter(node -> sums.apply(node).isPresent())
                .findFirst();
        if (norm.isEmpty()) {
            program.add(lowered);
            return;
        }
        ParameterSums late = sums.apply(norm.get()).orElseThrow();
        if (pending.size() == ParameterSums.MOST
                || (!pending.isEmpty() && pending.getFirst().rows() != late.rows())) {
            launch();
        }
        program.add(new Lowered(
                lowered.nodes(),
                lowered.launches().subList(0, lowered.launches().size() - 1)));
        if (pending.isEmpty()) {
            first = norm.get();
        }
        pending.add(late);
    }

    private boolean isTouched(Lowered lowered) {
        List<Range> writes = lowered.writes(memory);
        List<Range> results = results(pending).stream().map(memory::range).toList();
        List<Range> terms = pending.stream().map(ParameterSums::from).toList();
        return Range.anyOverlap(results, lowered.reads(memory))
                || Range.anyOverlap(results, writes)
                || Range.anyOverlap(terms, writes);
    }

    private void launch() {
        if (!pending.isEmpty()) {
            Node all = new Node(first.op(), List.of(), results(pending));
            program.add(new Lowered(List.of(all), List.of(ParameterSums.launch(pending, memory))));
            pending.clear();
        }
    }

    private static List<Value> results(List<ParameterSums> of) {
        return of.stream().flatMap(one -> Stream.of(one.dgamma(), one.dbeta())).toList();
    }
}
