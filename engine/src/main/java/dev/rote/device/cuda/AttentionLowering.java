package dev.rote.device.cuda;

import dev.rote.graph.*;
import java.util.List;

/// Lowers attention, to `attention.cu` and `attention_backward.cu`.
final class AttentionLowering {
    private static final int THREADS = 256;
    /// As `attention.cuh` has them.
    private static final int MOST_ROWS = 16;

    private static final int COLUMNS = 64;
    private static final int TILE = 64 * COLUMNS;
    /// Shared memory of a block on every GPU since sm_80: 99 KiB.
    private static final long SHARED_BYTES = 99 << 10;

    private final CudaMemory memory;

    AttentionLowering(CudaMemory memory) {
        this.memory = memory;
    }

    /// @param rows of a block
    /// @param padded tokens, filled up to whole tiles
    /// @param kept numbers that a block keeps for each row and token
    private record Heads(int images, int tokens, int heads, int depth, int rows, int padded, int kept) {
        /// @param y [N,T,heads*D]
        static Heads of(Shape y, int heads, int kept) {
            int padded = Math.ceilDiv(y.dim(1), COLUMNS) * COLUMNS;
            int rows = MOST_ROWS;
            while (rows > 0 && sharedBytes(rows, padded, kept) > SHARED_BYTES) {
                rows /= 2;
            }
            if (rows == 0) {
                throw new IllegalArgumentException("Attention: expected at most "
                        + (SHARED_BYTES / 4 - TILE - MOST_ROWS) / kept / COLUMNS * COLUMNS + " tokens, found " + y);
            }
            return new Heads(y.dim(0), y.dim(1), heads, y.dim(2) / heads, rows, padded, kept);
        }

        private static long sharedBytes(int rows, int padded, int kept) {
            return 4L * (TILE + MOST_ROWS + (long) kept * rows * padded);
        }

        /// The fields that both argument structs end with.
        Arguments addTo(Arguments arguments) {
            return arguments
                    .i32("tokens", tokens)
                    .i32("heads", heads)
                    .i32("depth", depth)
                    .i32("rows", rows)
                    .i32("padded", padded)
                    .f32("scale", (float) (1 / Math.sqrt(depth)));
        }

        KernelLaunch launch(String kernel, Arguments arguments) {
            int blocks = Math.toIntExact((long) images * heads * Math.ceilDiv(tokens, rows));
            return new KernelLaunch(
                    kernel,
                    KernelLaunch.Extent.of(blocks),
                    KernelLaunch.Extent.of(THREADS),
                    Math.toIntExact(sharedBytes(rows, padded, kept)),
                    arguments);
        }
    }

    List<KernelLaunch> forward(int heads, Node node) {
        Value y = node.output();
        Heads of = Heads.of(y.shape(), heads, 1);
        Arguments arguments = of.addTo(new Arguments()
                .pointer("qkv", memory.address(node.input(0)))
                .pointer("y", memory.address(y))
                .pointer("lse", memory.address(node.outputs().get(1))));
        return List.of(of.launch("attention" + Names.type(y), arguments));
    }

    List<KernelLaunch> backward(int heads, Node node) {
        Value dy = node.input(0);
        Names.requireOneType(node, dy, node.input(1), node.input(2));
        Heads of = Heads.of(dy.shape(), heads, 2);
        Arguments arguments = of.addTo(new Arguments()
                .pointer("dy", memory.address(dy))
                .pointer("qkv", memory.address(node.input(1)))
                .pointer("y", memory.address(node.input(2)))
                .pointer("lse", memory.address(node.input(3)))
                .pointer("delta", memory.workspace(node))
                .pointer("dqkv", memory.address(node.output()))
                .i64("images", of.images()));
        String type = Names.type(dy);
        long vectors = (long) of.images() * of.tokens() * heads;
        int blocks = Math.toIntExact(Math.ceilDiv(vectors, THREADS / 32));
        return List.of(
                KernelLaunch.blocks("attention_delta" + type, blocks, THREADS, arguments),
                of.launch("attention_backward_queries" + type, arguments),
                of.launch("attention_backward_keys" + type, arguments));
    }
}
