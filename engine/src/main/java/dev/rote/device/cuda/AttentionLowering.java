package dev.rote.device.cuda;

import dev.rote.graph.*;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Lowers attention, to `attention_mma.cu` and `attention_backward_mma.cu` where tensor cores take it, otherwise to
/// `attention.cu` and `attention_backward.cu`.
final class AttentionLowering {
    private static final int THREADS = 256;
    /// As `attention.cuh` has them.
    private static final int MOST_ROWS = 16;

    private static final int COLUMNS = 64;
    private static final int TILE = 64 * COLUMNS;
    /// Shared memory of a block on every GPU since sm_80: 99 KiB.
    private static final long SHARED_BYTES = 99 << 10;

    /// The tensor cores' kernels: the head size up to which one is taken, and how many pairs of tiles pass through its
    /// backward direction. A third pair of 128 would not fit in shared memory.
    private enum Tensor {
        UP_TO_16(16, 2),
        UP_TO_32(32, 2),
        UP_TO_64(64, 2),
        UP_TO_128(128, 1);

        private static final int THREADS = 128;
        private static final int TOKENS = 64; // of a block

        private final int depth;
        private final int pairs;

        Tensor(int depth, int pairs) {
            this.depth = depth;
            this.pairs = pairs;
        }

        /// Empty if rows are not aligned to 16 bytes, or are too long, or of another type.
        static Optional<Tensor> of(Value y, int heads) {
            int depth = y.shape().last() / heads;
            return Arrays.stream(values())
                    .filter(one -> y.dtype() == DType.BF16 && depth % 8 == 0 && depth <= one.depth)
                    .findFirst();
        }

        /// @param numbers in f32 behind the tiles in shared memory
        KernelLaunch launch(String direction, int tiles, int numbers, Heads of, Arguments arguments) {
            int blocks = Math.toIntExact((long) of.images() * of.heads() * Math.ceilDiv(of.tokens(), TOKENS));
            return new KernelLaunch(
                    direction + "_bf16_mma_" + depth,
                    KernelLaunch.Extent.of(blocks),
                    KernelLaunch.Extent.of(THREADS),
                    tiles * 2 * TOKENS * (depth + 8) + 4 * numbers,
                    arguments);
        }

        KernelLaunch forward(Heads of, Arguments arguments) {
            return launch("attention", 5, 0, of, arguments);
        }

        List<KernelLaunch> backward(Heads of, Arguments arguments) {
            int tiles = 2 + 2 * pairs;
            return List.of(
                    launch("attention_backward_queries", tiles, 0, of, arguments),
                    launch("attention_backward_keys", tiles, pairs * 2 * TOKENS, of, arguments));
        }
    }

    private final CudaMemory memory;

    AttentionLowering(CudaMemory memory) {
        this.memory = memory;
    }

    private record Heads(int images, int tokens, int heads, int depth) {
        /// @param y [N,T,heads*D]
        static Heads of(Shape y, int heads) {
            return new Heads(y.dim(0), y.dim(1), heads, y.dim(2) / heads);
        }

        float scale() {
            return (float) (1 / Math.sqrt(depth));
        }
    }

    /// How the kernels for every size share the work.
    ///
    /// @param rows of a block
    /// @param padded tokens, filled up to whole tiles
    /// @param kept numbers that a block keeps for each row and token
    private record Split(Heads of, int rows, int padded, int kept) {
        static Split of(Heads of, int kept) {
            int padded = Math.ceilDiv(of.tokens(), COLUMNS) * COLUMNS;
            int rows = MOST_ROWS;
            while (rows > 0 && sharedBytes(rows, padded, kept) > SHARED_BYTES) {
                rows /= 2;
            }
            if (rows == 0) {
                long most = (SHARED_BYTES / 4 - TILE - MOST_ROWS) / kept / COLUMNS * COLUMNS;
                throw new IllegalArgumentException(
                        "Attention: expected at most " + most + " tokens, found " + of.tokens());
            }
            return new Split(of, rows, padded, kept);
        }

        private static long sharedBytes(int rows, int padded, int kept) {
            return 4L * (TILE + MOST_ROWS + (long) kept * rows * padded);
        }

        /// The fields that both argument structs end with.
        Arguments addTo(Arguments arguments) {
            return arguments
                    .i32("tokens", of.tokens())
                    .i32("heads", of.heads())
                    .i32("depth", of.depth())
                    .i32("rows", rows)
                    .i32("padded", padded)
                    .f32("scale", of.scale());
        }

        KernelLaunch launch(String kernel, Arguments arguments) {
            int blocks = Math.toIntExact((long) of.images() * of.heads() * Math.ceilDiv(of.tokens(), rows));
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
        Heads of = Heads.of(y.shape(), heads);
        Arguments arguments = new Arguments()
                .pointer("qkv", memory.address(node.input(0)))
                .pointer("y", memory.address(y))
                .pointer("lse", memory.address(node.outputs().get(1)));
        Optional<Tensor> tensor = Tensor.of(y, heads);
        if (tensor.isPresent()) {
            return List.of(tensor.get().forward(of, sizes(of, arguments)));
        }
        Split split = Split.of(of, 1);
        return List.of(split.launch("attention" + Names.type(y), split.addTo(arguments)));
    }

    private static Arguments sizes(Heads of, Arguments arguments) {
        return arguments
                .i32("tokens", of.tokens())
                .i32("heads", of.heads())
                .i32("depth", of.depth())
                .f32("scale", of.scale());
    }

    List<KernelLaunch> backward(int heads, Node node) {
        Value dy = node.input(0);
        Names.requireOneType(node, dy, node.input(1), node.input(2));
        Heads of = Heads.of(dy.shape(), heads);
        Optional<Tensor> tensor = Tensor.of(dy, heads);
        List<KernelLaunch> launches = new ArrayList<>();
        launches.add(delta(of, node));
        if (tensor.isPresent()) {
            Arguments arguments = new Arguments()
                    .pointer("dy", memory.address(dy))
                    .pointer("qkv", memory.address(node.input(1)))
                    .pointer("lse", memory.address(node.input(3)))
                    .pointer("delta", memory.workspace(node))
                    .pointer("dqkv", memory.address(node.output()));
            launches.addAll(tensor.get().backward(of, sizes(of, arguments)));
            return launches;
        }
        Split split = Split.of(of, 2);
        Arguments arguments = split.addTo(new Arguments()
                .pointer("dy", memory.address(dy))
                .pointer("qkv", memory.address(node.input(1)))
                .pointer("lse", memory.address(node.input(3)))
                .pointer("delta", memory.workspace(node))
                .pointer("dqkv", memory.address(node.output())));
        launches.add(split.launch("attention_backward_queries" + Names.type(dy), arguments));
        launches.add(split.launch("attention_backward_keys" + Names.type(dy), arguments));
        return launches;
    }

    private KernelLaunch delta(Heads of, Node node) {
        Value dy = node.input(0);
        Arguments arguments = new Arguments()
                .pointer("dy", memory.address(dy))
                .pointer("y", memory.address(node.input(2)))
                .pointer("delta", memory.workspace(node))
                .i64("images", of.images())
                .i32("tokens", of.tokens())
                .i32("heads", of.heads())
                .i32("depth", of.depth());
        long vectors = (long) of.images() * of.tokens() * of.heads();
        int blocks = Math.toIntExact(Math.ceilDiv(vectors, THREADS / 32));
        return KernelLaunch.blocks("attention_delta" + Names.type(dy), blocks, THREADS, arguments);
    }
}
