package dev.rote.device.cuda;

import dev.rote.graph.Node;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.ToIntFunction;

/// The sum of the parts of a weight gradient ([ProductSplit]), `sum_splits` of `matmul.cu`: alone, or joined with
/// others.
///
/// @param node the weight gradient
/// @param from [splits,elements + sums] f32
/// @param alone the launch of it alone
record SplitSum(Node node, Range from, Arguments alone) implements LateSum {
    static final String ALONE = "sum_splits";
    static final String JOINED = "sum_splits_joined";
    static final int THREADS = 256;
    /// Larger ones are better read while they are in the second-level cache: then a launch of one is long enough. At
    /// W = 8 and 16 (batch 128) all of a step's sums are smaller, at W = 32 (batch 512) 32 of 75.
    static final long MOST_BYTES = 8 << 20;
    /// `JOINED_SUMS` of the kernel.
    static final int MOST = 32;

    private static final int WIDE_SPLITS = 32;
    private static final int BLOCK_VALUES = 32;

    /// What the last launch of a weight gradient sums, if it does and may wait.
    static Optional<SplitSum> of(Lowered lowered) {
        List<Node> weights = lowered.nodes().stream()
                .filter(node -> Streams.runsAside(node.op()))
                .toList();
        if (weights.size() != 1
                || !(lowered.launches().getLast() instanceof KernelLaunch launch)
                || !launch.kernel().equals(ALONE)) {
            return Optional.empty();
        }
        Arguments its = launch.arguments();
        long from = its.value("partial");
        long bytes = its.value("splits") * (its.value("n") + its.value("sums")) * Float.BYTES;
        return Optional.of(new SplitSum(weights.getFirst(), new Range(from, from + bytes), its))
                .filter(sum -> bytes <= MOST_BYTES);
    }

    /// The gradient, and maybe that of the bias.
    @Override
    public List<Value> results() {
        return node.outputs();
    }

    @Override
    public boolean joins(List<LateSum> others) {
        return others.size() < MOST;
    }

    /// Values of a block of the kernels: fewer, of more threads each, where there are many parts.
    static int valuesOfBlock(long splits) {
        return splits <= WIDE_SPLITS ? THREADS : BLOCK_VALUES;
    }

    private int values() {
        return (int) (alone.value("n") + alone.value("sums"));
    }

    @Override
    public KernelLaunch launch(List<LateSum> all, CudaMemory memory) {
        List<SplitSum> sums = all.stream().map(SplitSum.class::cast).toList();
        List<Integer> firstBlocks = new ArrayList<>();
        int blocks = 0;
        for (SplitSum sum : sums) {
            firstBlocks.add(blocks);
            blocks += Math.ceilDiv(sum.values(), valuesOfBlock(sum.alone.value("splits")));
        }
        if (sums.size() == 1) {
            return KernelLaunch.blocks(ALONE, blocks, THREADS, sums.getFirst().alone);
        }
        Arguments arguments = new Arguments()
                .pointers("partial", addresses(sums, "partial"), MOST)
                .pointers("y", addresses(sums, "y"), MOST)
                .pointers("row_sums", addresses(sums, "row_sums"), MOST)
                .i32s("n", numbers(sums, sum -> (int) sum.alone.value("n")), MOST)
                .i32s("sums", numbers(sums, sum -> (int) sum.alone.value("sums")), MOST)
                .i32s("splits", numbers(sums, sum -> (int) sum.alone.value("splits")), MOST)
                .i32s("first_block", firstBlocks, MOST)
                .i32("count", sums.size());
        return KernelLaunch.blocks(JOINED, blocks, THREADS, arguments);
    }

    private static List<Long> addresses(List<SplitSum> sums, String field) {
        return sums.stream().map(sum -> sum.alone.value(field)).toList();
    }

    private static List<Integer> numbers(List<SplitSum> sums, ToIntFunction<SplitSum> number) {
        return sums.stream().map(number::applyAsInt).toList();
    }
}
