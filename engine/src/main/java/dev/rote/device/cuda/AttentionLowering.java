package dev.rote.device.cuda;

import dev.rote.graph.*;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Lowers attention: to the kernels of [TensorAttention] where tensor cores take it, otherwise to `attention.cu` and
/// `attention_backward.cu`.
final class AttentionLowering {
    private static final int THREADS = 256;
    private static final int WARP = 32;
    private static final int DELTA_ROUNDS = 4; // of `attention_delta`
    /// As `attention.cuh` has them.
    private static final int MOST_ROWS = 16;

    private static final int COLUMNS = 64;
    private static final int TILE = 64 * COLUMNS;
    private static final long SHARED_BYTES = TensorAttention.SHARED_BYTES;
    /// Of compute capability 9.0, and how many threads one has of blocks with a thread for each token, forward and
    /// backward: about, as it says only what is brought to its second-level cache early.
    private static final int MULTIPROCESSORS = 132;

    private static final int THREADS_FORWARD = 768;
    private static final int THREADS_BACKWARD = 512;

    private final CudaMemory memory;
    private final TensorCores cores;

    AttentionLowering(CudaMemory memory, TensorCores cores) {
        this.memory = memory;
        this.cores = cores;
    }

    private record Heads(int images, int tokens, int heads, int depth) {
        /// @param y [N,T,heads*D]
        static Heads of(Shape y, int heads) {
            return new Heads(y.dim(0), y.dim(1), heads, y.dim(2) / heads);
        }

        float scale() {
            return (float) (1 / Math.sqrt(depth));
        }

        Optional<TensorAttention> onTensorCores(DType type, TensorCores cores) {
            return TensorAttention.of(type, tokens, heads * depth, depth, cores);
        }

        /// Of all images.
        long all() {
            return (long) images * heads;
        }

        /// Images after which a multiprocessor has its next block, of blocks that have a head and a thread for each
        /// token.
        ///
        /// @param threads of a multiprocessor
        int ahead(int threads) {
            return Math.max(1, MULTIPROCESSORS * threads / tokens / heads);
        }

        /// The fields that the argument structs of the tensor cores' kernels end with.
        Arguments addTo(Arguments arguments) {
            return arguments
                    .i32("tokens", tokens)
                    .i32("heads", heads)
                    .i32("depth", depth)
                    .f32("scale", scale());
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
            int blocks = Math.toIntExact(of.all() * Math.ceilDiv(of.tokens(), rows));
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
        Optional<TensorAttention> tensor = of.onTensorCores(y.dtype(), cores);
        if (tensor.isPresent()) {
            of.addTo(arguments).i32("ahead", of.ahead(THREADS_FORWARD));
            return List.of(tensor.get().forward(of.all(), of.tokens(), arguments));
        }
        Split split = Split.of(of, 1);
        return List.of(split.launch("attention" + Names.type(y), split.addTo(arguments)));
    }

    List<KernelLaunch> backward(int heads, Node node) {
        Value dy = node.input(0);
        Names.requireOneType(node, dy, node.input(1), node.input(2));
        Heads of = Heads.of(dy.shape(), heads);
        Optional<TensorAttention> tensor = of.onTensorCores(dy.dtype(), cores);
        if (tensor.isPresent() && tensor.get().backwardByHead(of.all(), of.tokens())) {
            Arguments arguments = new Arguments()
                    .pointer("dy", memory.address(dy))
                    .pointer("qkv", memory.address(node.input(1)))
                    .pointer("y", memory.address(node.input(2)))
                    .pointer("lse", memory.address(node.input(3)))
                    .pointer("dqkv", memory.address(node.output()));
            of.addTo(arguments).i32("ahead", of.ahead(THREADS_BACKWARD));
            return List.of(tensor.get().backwardByHead(of.all(), of.tokens(), arguments));
        }
        Arguments arguments = new Arguments()
                .pointer("dy", memory.address(dy))
                .pointer("qkv", memory.address(node.input(1)))
                .pointer("lse", memory.address(node.input(3)))
                .pointer("delta", memory.workspace(node))
                .pointer("dqkv", memory.address(node.output()));
        List<KernelLaunch> launches = new ArrayList<>();
        launches.add(delta(of, node));
        if (tensor.isPresent()) {
            launches.addAll(tensor.get().backward(of.all(), of.tokens(), of.addTo(arguments)));
            return launches;
        }
        Split split = Split.of(of, 2);
        split.addTo(arguments);
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
        int lanes = lanes(of.depth() * dy.dtype().bytes(), memory.address(dy) | memory.address(node.input(2)));
        arguments.i32("lanes", lanes);
        long vectors = (long) of.images() * of.tokens() * of.heads();
        int perBlock = lanes == 0 ? THREADS / WARP : THREADS / lanes * DELTA_ROUNDS;
        int blocks = Math.toIntExact(Math.ceilDiv(vectors, perBlock));
        return KernelLaunch.blocks("attention_delta" + Names.type(dy), blocks, THREADS, arguments);
    }

    /// Lanes that share a vector in pieces of 16 bytes; 0 where it is not so many pieces, or not aligned to them.
    private static int lanes(int vectorBytes, long addresses) {
        int lanes = vectorBytes / Packing.BYTES;
        boolean whole = (vectorBytes | addresses) % Packing.BYTES == 0 && Integer.bitCount(lanes) == 1;
        return whole && lanes <= WARP ? lanes : 0;
    }
}
