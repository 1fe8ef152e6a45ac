package dev.rote.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.reference.GradientCheck;
import dev.rote.reference.ReferenceRun;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PlanTest {
    private static final int GRAPHS = 300;

    /// Scratch memory of odd sizes for some operations, and some beside which others may run.
    private static final Target HUNGRY = new Target() {
        @Override
        public boolean fuses(Fusion.Pattern pattern) {
            return false;
        }

        @Override
        public long workspaceBytes(Op op, List<TensorType> inputs, List<TensorType> outputs) {
            return workspace(op);
        }

        @Override
        public int nodesBeside(Op op) {
            return beside(op);
        }
    };

    private static int beside(Op op) {
        return op instanceof Conv2d || op instanceof Add ? 3 : 0;
    }

    private static long workspace(Op op) {
        return op instanceof Conv2d || op instanceof Softmax ? 1001 : 0;
    }

    /// Bytes of the arena, used from node `first` to node `last`.
    private record Use(String what, long begin, long end, int first, int last) {
        boolean collides(Use other) {
            boolean sameTime = first <= other.last && other.first <= last;
            return sameTime && begin < other.end && other.begin < end;
        }
    }

    @Test
    void noTwoValuesAliveAtTheSameTimeOverlap() {
        for (long seed = 0; seed < GRAPHS; seed++) {
            Graph graph = RandomGraph.of(seed);
            Plan plan = Plan.of(graph, HUNGRY);
            List<Use> uses = uses(graph, plan);
            for (int i = 0; i < uses.size(); i++) {
                for (int j = 0; j < i; j++) {
                    assertThat(uses.get(i).collides(uses.get(j)))
                            .as("seed %s: %s and %s", seed, uses.get(i), uses.get(j))
                            .isFalse();
                }
            }
        }
    }

    @Test
    void everythingLiesAlignedInsideTheArena() {
        for (long seed = 0; seed < GRAPHS; seed++) {
            Graph graph = RandomGraph.of(seed);
            Plan plan = Plan.of(graph, HUNGRY);
            for (Use use : uses(graph, plan)) {
                assertThat(use.begin() % Plan.ALIGNMENT).as(use.what()).isZero();
                assertThat(use.begin()).as(use.what()).isNotNegative();
                assertThat(use.end()).as(use.what()).isLessThanOrEqualTo(plan.arenaBytes());
            }
        }
    }

    @Test
    void aRunInOneArenaGivesTheSameNumbersAsSeparateStorage() {
        for (long seed = 0; seed < GRAPHS; seed++) {
            Map<String, double[]> bindings = GradientCheck.normals(graphOf(seed), seed);
            Graph graph = RandomGraph.of(seed);
            ReferenceRun separate = ReferenceRun.of(graph, bindings);
            ReferenceRun shared = ReferenceRun.inArena(Plan.of(graph, Target.PLAIN), bindings);
            separate.run();
            shared.run();
            for (Value kept : graph.kept()) {
                assertThat(shared.read(kept))
                        .as("seed %s: %s", seed, kept)
                        .doesNotContain(Double.NaN)
                        .isEqualTo(separate.read(kept));
            }
        }
    }

    private static GradientCheck.Network graphOf(long seed) {
        return graph -> {
            RandomGraph.of(seed).externals().forEach((name, value) -> graph.external(name, value.type()));
            return null;
        };
    }

    @Test
    void aChainThatMayOverwriteUsesOneBlock() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(1000));
        Value y = graph.apply(new Scale(2, 0), x);
        for (int i = 0; i < 5; i++) {
            y = graph.apply(new Scale(2, 0), y);
        }
        graph.keep(y);
        assertThat(Plan.of(graph, Target.PLAIN).arenaBytes()).isEqualTo(4032);
    }

    @Test
    void aValueThatIsReadLaterOrTwiceOrKeptIsNotOverwritten() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(16));
        Value a = graph.apply(new Scale(2, 0), x);
        Value b = graph.apply(new Scale(3, 0), a);
        Value c = graph.apply(new Add(), b, a);
        Value d = graph.apply(new Add(), c, c);
        Value e = graph.keep(graph.apply(new Scale(1, 1), d));
        Value f = graph.keep(graph.apply(new Scale(1, 1), e));
        Plan plan = Plan.of(graph, Target.PLAIN);
        assertThat(plan.arenaOffset(b)).as("a is read later").isNotEqualTo(plan.arenaOffset(a));
        assertThat(plan.arenaOffset(c)).as("b dies").isEqualTo(plan.arenaOffset(b));
        assertThat(plan.arenaOffset(d)).as("c is read twice").isNotEqualTo(plan.arenaOffset(c));
        assertThat(plan.arenaOffset(e)).as("d dies").isEqualTo(plan.arenaOffset(d));
        assertThat(plan.arenaOffset(f)).as("e is kept").isNotEqualTo(plan.arenaOffset(e));
    }

    @Test
    void aValueReadThroughAReshapeLaterIsNotOverwritten() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(4, 4));
        Value a = graph.apply(new Scale(2, 0), x);
        Value flat = graph.reshape(a, Shape.of(16));
        Value b = graph.apply(new Scale(3, 0), a);
        graph.keep(graph.apply(new Add(), graph.reshape(b, Shape.of(16)), flat));
        Plan plan = Plan.of(graph, Target.PLAIN);
        assertThat(plan.arenaOffset(flat)).isEqualTo(plan.arenaOffset(a));
        assertThat(plan.arenaOffset(b)).isNotEqualTo(plan.arenaOffset(a));
    }

    @Test
    void valuesPlacedInOneBufferLieSideBySide() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(8));
        Value whole = graph.unplaced("whole", TensorType.f32(16));
        Value a = graph.apply(new Scale(2, 0), x);
        Value b = graph.apply(new Scale(3, 0), x);
        graph.place(a, whole, 0);
        graph.place(b, whole, 8);
        Value norm = graph.keep(graph.apply(new GlobalNorm(), whole));
        Plan plan = Plan.of(graph, Target.PLAIN);
        assertThat(plan.arenaOffset(b)).isEqualTo(plan.arenaOffset(a) + 32);
        ReferenceRun run = ReferenceRun.inArena(plan, Map.of("x", new double[] {1, 1, 1, 1, 1, 1, 1, 1}));
        run.run();
        assertThat(run.read(norm)).containsExactly(Math.sqrt(8 * 4 + 8 * 9));
    }

    @Test
    void whatIsNotAStepValueIsNotInTheArena() {
        Graph graph = new Graph();
        Value x = graph.external("x", TensorType.f32(8));
        Value local = graph.local("gradient", TensorType.f32(8));
        Value y = graph.apply(new Scale(2, 0), x);
        graph.place(y, local, 0);
        Plan plan = Plan.of(graph, Target.PLAIN);
        assertThat(plan.isInArena(x)).isFalse();
        assertThat(plan.isInArena(y)).isFalse();
        assertThat(plan.arenaBytes()).isZero();
    }

    @Test
    void readingWhatNobodyWroteIsRefused() {
        Graph graph = new Graph();
        Value unwritten = graph.unplaced("hole", TensorType.f32(4));
        graph.apply(new Scale(2, 0), unwritten);
        assertThatThrownBy(() -> Plan.of(graph, Target.PLAIN))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected a value written before node 0 (Scale) reads it, found hole");
    }

    /// Storage of each value and each scratch memory, except that an output which took over a dying input's storage
    /// begins one node after it.
    private static List<Use> uses(Graph graph, Plan plan) {
        Map<Value, int[]> lives = new IdentityHashMap<>();
        List<Node> nodes = graph.nodes();
        for (int index = 0; index < nodes.size(); index++) {
            for (Value output : nodes.get(index).outputs()) {
                int at = index;
                lives.computeIfAbsent(output.root(), value -> new int[] {at, at});
            }
            for (Value input : nodes.get(index).inputs()) {
                int[] life = lives.get(input.root());
                if (life != null) {
                    life[1] = Math.max(life[1], index + beside(nodes.get(index).op()));
                }
            }
        }
        graph.kept().forEach(kept -> lives.get(kept.root())[1] = nodes.size() + beside(new Add()));
        List<Use> uses = new ArrayList<>();
        for (int index = 0; index < nodes.size(); index++) {
            Node node = nodes.get(index);
            long scratch = plan.workspaceOffset(node);
            assertThat(scratch >= 0).isEqualTo(workspace(node.op()) > 0);
            if (scratch >= 0) {
                uses.add(new Use(
                        "scratch of " + node,
                        scratch,
                        scratch + workspace(node.op()),
                        index,
                        index + beside(node.op())));
            }
            for (Value output : node.outputs()) {
                if (plan.isInArena(output)) {
                    long begin = plan.arenaOffset(output);
                    int first = index + (tookOver(node, output, plan, lives, index) ? 1 : 0);
                    long end = begin + output.type().bytes();
                    uses.add(new Use(output.name(), begin, end, first, lives.get(output.root())[1]));
                }
            }
        }
        return uses;
    }

    /// True if this first output may overwrite an input that dies here, and stands where it stood.
    private static boolean tookOver(Node node, Value output, Plan plan, Map<Value, int[]> lives, int index) {
        int which = node.op().overwrites();
        if (which < 0 || output != node.output() || !plan.isInArena(node.input(which))) {
            return false;
        }
        Value input = node.input(which).root();
        boolean onlyReader =
                node.inputs().stream().filter(other -> other.root() == input).count() == 1;
        return onlyReader && lives.get(input)[1] == index && plan.arenaOffset(input) == plan.arenaOffset(output);
    }
}
