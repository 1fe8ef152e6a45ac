package dev.rote.device.cuda;

import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;

/// The second stage of the gradients of a norm's scale and shift: sums over the images, or chunks of rows, for
/// which the norm's gradient has left a line each. Several norms are one launch of `norm_parameters.cu`.
///
/// @param from [2,rows,channels] f32
/// @param rows of each
/// @param dgamma [channels] f32
/// @param dbeta the same
record ParameterSums(Range from, int rows, Value dgamma, Value dbeta) implements LateSum {
    static final String KERNEL = "norm_parameters";
    /// `NORMS` of the kernel.
    static final int MOST = 32;

    private static final int BLOCK_CHANNELS = 8;
    private static final int THREADS = 256;

    private int channels() {
        return dgamma.shape().last();
    }

    private int blocks() {
        return 2 * Math.ceilDiv(channels(), BLOCK_CHANNELS);
    }

    @Override
    public List<Value> results() {
        return List.of(dgamma, dbeta);
    }

    /// If they have the same rows.
    @Override
    public boolean joins(List<LateSum> others) {
        return others.size() < MOST
                && others.stream().allMatch(other -> other instanceof ParameterSums norm && norm.rows == rows);
    }

    @Override
    public KernelLaunch launch(List<LateSum> all, CudaMemory memory) {
        return together(all.stream().map(ParameterSums.class::cast).toList(), memory);
    }

    /// @param norms up to [#MOST], of the same rows
    static KernelLaunch together(List<ParameterSums> norms, CudaMemory memory) {
        List<Integer> firstBlocks = new ArrayList<>();
        int blocks = 0;
        for (ParameterSums norm : norms) {
            firstBlocks.add(blocks);
            blocks += norm.blocks();
        }
        Arguments arguments = new Arguments()
                .pointers("sums", norms.stream().map(norm -> norm.from.from()).toList(), MOST)
                .pointers(
                        "dgamma",
                        norms.stream().map(norm -> memory.address(norm.dgamma)).toList(),
                        MOST)
                .pointers(
                        "dbeta",
                        norms.stream().map(norm -> memory.address(norm.dbeta)).toList(),
                        MOST)
                .i32s("channels", norms.stream().map(ParameterSums::channels).toList(), MOST)
                .i32s("first_block", firstBlocks, MOST)
                .i32("rows", norms.getFirst().rows)
                .i32("norms", norms.size());
        return KernelLaunch.blocks(KERNEL, blocks, THREADS, arguments);
    }
}
