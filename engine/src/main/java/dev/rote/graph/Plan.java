package dev.rote.graph;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/// The memory plan of a graph: when each step value lives, and where in one arena.
///
/// A value lives from the node that writes it to the last one that reads it (kept values: to the end). An operation
/// that
/// may overwrite an input takes over its storage when nothing reads it later. What a node reads that others may run
/// beside ([Target#nodesBeside]) lives on for those. Storage blocks are laid out greedily,
/// largest first, each at the lowest offset free during its whole life (Pisarchyk & Lee 2020, arXiv:2001.03288,
/// "greedy by size"). Offsets are multiples of 64 bytes.
public final class Plan {
    /// Alignment of every block, in bytes: one cache line, one AVX-512 register.
    public static final int ALIGNMENT = 64;

    /// A contiguous part of the arena, alive from node `first` to node `last`, both included.
    private static final class Block {
        private final int first;
        private int last;
        private long bytes;
        private long offset = -1;

        Block(int first, long bytes) {
            this.first = first;
            this.last = first;
            this.bytes = bytes;
        }

        boolean overlaps(Block other) {
            return first <= other.last && other.first <= last;
        }
    }

    private final Graph graph;
    private final Map<Value, Block> blocks = new IdentityHashMap<>();
    private final Map<Node, Block> workspaces = new IdentityHashMap<>();
    private final long arenaBytes;

    private Plan(Graph graph, Target target) {
        this.graph = graph;
        Map<Value, Integer> lastUse = lastUses(graph, target);
        List<Block> all = new ArrayList<>();
        List<Node> nodes = graph.nodes();
        for (int index = 0; index < nodes.size(); index++) {
            Node node = nodes.get(index);
            for (int output = 0; output < node.outputs().size(); output++) {
                assign(node, output, index, lastUse, all);
            }
            long workspace = target.workspaceBytes(node.op(), node.inputTypes(), node.outputTypes());
            if (workspace > 0) {
                Block block = new Block(index, workspace);
                block.last = target.keepsWorkspace(node.op(), workspace)
                        ? nodes.size()
                        : index + target.nodesBeside(node.op());
                workspaces.put(node, block);
                all.add(block);
            }
        }
        this.arenaBytes = layOut(all);
    }

    /// Plans the graph as it stands; later changes of the graph are not seen.
    ///
    /// @throws IllegalArgumentException if a node reads a step value that no earlier node wrote
    public static Plan of(Graph graph, Target target) {
        return new Plan(graph, target);
    }

    public Graph graph() {
        return graph;
    }

    public List<Node> nodes() {
        return graph.nodes();
    }

    public long arenaBytes() {
        return arenaBytes;
    }

    /// True if the value's storage is in the arena.
    public boolean isInArena(Value value) {
        return blocks.containsKey(value.root());
    }

    /// Byte offset in the arena of the first element of a step value.
    public long arenaOffset(Value value) {
        return blocks.get(value.root()).offset + value.byteOffset();
    }

    /// Byte offset in the arena of a node's scratch memory; -1 if it has none.
    public long workspaceOffset(Node node) {
        Block block = workspaces.get(node);
        return block == null ? -1 : block.offset;
    }

    /// Bytes of a node's scratch memory, rounded up to the alignment.
    public long workspaceBytes(Node node) {
        Block block = workspaces.get(node);
        return block == null ? 0 : block.bytes;
    }

    public Cost cost() {
        return graph.cost();
    }

    private void assign(Node node, int output, int index, Map<Value, Integer> lastUse, List<Block> all) {
        Value root = node.outputs().get(output).root();
        if (root.lifetime() != Value.Lifetime.STEP || blocks.containsKey(root)) {
            return;
        }
        Block block = output == 0 ? inherited(node, index, lastUse) : null;
        if (block == null) {
            block = new Block(index, root.type().bytes());
            all.add(block);
        }
        block.last = Math.max(block.last, lastUse.getOrDefault(root, index));
        blocks.put(root, block);
    }

    /// The block of an input that this node may overwrite and nobody reads afterwards; null if there is none.
    private Block inherited(Node node, int index, Map<Value, Integer> lastUse) {
        int which = node.op().overwrites();
        if (which < 0) {
            return null;
        }
        Value source = node.input(which).root();
        Block block = blocks.get(source);
        boolean dies = block != null && block.last == index && lastUse.getOrDefault(source, -1) == index;
        boolean once =
                node.inputs().stream().filter(input -> input.root() == source).count() == 1;
        boolean fits =
                dies && once && source.type().bytes() == node.output().type().bytes();
        return fits ? block : null;
    }

    private static Map<Value, Integer> lastUses(Graph graph, Target target) {
        Map<Value, Integer> last = new IdentityHashMap<>();
        Map<Value, Boolean> written = new IdentityHashMap<>();
        List<Node> nodes = graph.nodes();
        for (int index = 0; index < nodes.size(); index++) {
            Node node = nodes.get(index);
            for (Value input : node.inputs()) {
                Value root = input.root();
                boolean ready = root.lifetime() != Value.Lifetime.STEP || written.containsKey(root);
                Check.that(
                        ready,
                        "Plan",
                        "a value written before node " + index + " ("
                                + node.op().label() + ") reads it",
                        input);
                last.merge(root, index + target.nodesBeside(node.op()), Math::max);
            }
            node.outputs().forEach(output -> written.put(output.root(), true));
        }
        graph.kept().forEach(kept -> last.merge(kept.root(), nodes.size(), Math::max));
        return last;
    }

    private static long layOut(List<Block> blocks) {
        List<Block> bySize = new ArrayList<>(blocks);
        bySize.sort(Comparator.comparingLong((Block block) -> block.bytes)
                .reversed()
                .thenComparingInt(block -> block.first));
        List<Block> placed = new ArrayList<>();
        long end = 0;
        for (Block block : bySize) {
            block.bytes = (block.bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
            List<Block> rivals = placed.stream()
                    .filter(block::overlaps)
                    .sorted(Comparator.comparingLong(rival -> rival.offset))
                    .toList();
            long offset = 0;
            for (Block rival : rivals) {
                if (offset + block.bytes <= rival.offset) {
                    break;
                }
                offset = Math.max(offset, rival.offset + rival.bytes);
            }
            block.offset = offset;
            placed.add(block);
            end = Math.max(end, offset + block.bytes);
        }
        return end;
    }
}
