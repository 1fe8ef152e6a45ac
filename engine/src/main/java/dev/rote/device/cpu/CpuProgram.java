package dev.rote.device.cpu;

import dev.rote.device.Buffer;
import dev.rote.device.Owned;
import dev.rote.device.Program;
import dev.rote.errors.DeviceException;
import dev.rote.graph.Node;
import dev.rote.graph.Plan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// One kernel list per lane; running it hands each list to its thread.
final class CpuProgram implements Program {
    private final CpuDevice device;
    private final LaneTeam team;
    private final String name;
    private final LaneBarrier barrier;
    private final Owned owned;
    private final List<Lane> lanes = new ArrayList<>();
    private final Runnable[] tasks;
    private final int threadsPerLane;
    private final long memoryBytes;
    private final CpuBuffer[] bound;
    private boolean closed;

    static CpuProgram open(
            CpuDevice device,
            DnnlEngine engine,
            LaneTeam team,
            String name,
            List<Plan> plans,
            Map<String, Buffer> bindings) {
        int threads = threadsPerLane(team, plans);
        return Owned.opening(owned -> new CpuProgram(owned, device, engine, team, name, plans, bindings, threads));
    }

    /// A program of one lane for one thread, whichever the team has more.
    static CpuProgram single(
            CpuDevice device, DnnlEngine engine, LaneTeam team, String name, Plan plan, Map<String, Buffer> bindings) {
        return Owned.opening(owned -> new CpuProgram(owned, device, engine, team, name, List.of(plan), bindings, 1));
    }

    private CpuProgram(
            Owned owned,
            CpuDevice device,
            DnnlEngine engine,
            LaneTeam team,
            String name,
            List<Plan> plans,
            Map<String, Buffer> bindings,
            int threadsPerLane) {
        this.owned = owned;
        this.device = device;
        this.team = team;
        this.name = name;
        this.barrier = new LaneBarrier(plans.size());
        this.threadsPerLane = threadsPerLane;
        requireSameNodes(plans);
        int threads = DnnlLibrary.threads();
        // A primitive is made for the number of threads that it will run with.
        DnnlLibrary.setThreads(threadsPerLane);
        try {
            for (Plan plan : plans) {
                LaneMemory memory = owned.add(LaneMemory.allocate(name, plan, bindings), LaneMemory::close);
                DnnlPrimitives dnnl =
                        owned.add(new DnnlPrimitives(engine, memory.scratch(), true), DnnlPrimitives::close);
                lanes.add(new Lane(plan, memory, dnnl));
            }
            Map<Integer, double[]> partials = new HashMap<>();
            for (int lane = 0; lane < lanes.size(); lane++) {
                lanes.get(lane).lower(new CollectiveKernels(lane, lanes.size(), barrier), partials);
            }
        } finally {
            DnnlLibrary.setThreads(threads);
        }
        this.tasks = lanes.toArray(Runnable[]::new);
        this.bound = plans.stream()
                .flatMap(plan -> plan.graph().externals().keySet().stream())
                .distinct()
                .map(external -> (CpuBuffer) bindings.get(external))
                .toArray(CpuBuffer[]::new);
        this.memoryBytes = lanes.stream().mapToLong(Lane::bytes).sum();
    }

    /// What [#memoryBytes] of a program of these plans would be, without allocating it.
    static long memoryBytes(DnnlEngine engine, LaneTeam team, List<Plan> plans) {
        int threads = DnnlLibrary.threads();
        DnnlLibrary.setThreads(threadsPerLane(team, plans));
        try {
            // Lanes with equal shares of the batch have equal plans.
            Map<Long, Long> known = new HashMap<>();
            return plans.stream()
                    .mapToLong(plan -> known.computeIfAbsent(plan.arenaBytes(), size -> laneBytes(engine, plan)))
                    .sum();
        } finally {
            DnnlLibrary.setThreads(threads);
        }
    }

    private static long laneBytes(DnnlEngine engine, Plan plan) {
        try (LaneMemory memory = LaneMemory.count(plan);
                DnnlPrimitives dnnl = new DnnlPrimitives(engine, memory.scratch(), false)) {
            CollectiveKernels collectives = new CollectiveKernels(0, 1, new LaneBarrier(1));
            Lowering lowering = new Lowering(memory, dnnl, collectives, new CollectiveLowering.SharedState() {
                @Override
                public long[] copies(int node, int input) {
                    return new long[] {memory.address(plan.nodes().get(node).input(input))};
                }

                @Override
                public double[] partials(int node, long elements) {
                    return new double[CollectiveKernels.normChunks(elements)];
                }
            });
            for (int index = 0; index < plan.nodes().size(); index++) {
                lower(lowering, plan.nodes().get(index), index);
                settle(dnnl, index);
            }
            return memory.bytes();
        }
    }

    /// @throws IllegalArgumentException for a tensor whose elements an `int` cannot count where a kernel does
    private static Kernel lower(Lowering lowering, Node node, int index) {
        try {
            return lowering.lower(node, index);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    node.op().label() + " " + node.inputTypes() + ": expected tensors of at most " + Integer.MAX_VALUE
                            + " elements, found a larger one; take a smaller batch",
                    e);
        }
    }

    /// Descriptors of many operations are large together.
    private static void settle(DnnlPrimitives dnnl, int index) {
        if (index % 64 == 63) {
            dnnl.settle();
        }
    }

    private static int threadsPerLane(LaneTeam team, List<Plan> plans) {
        return Math.max(1, team.size() / plans.size());
    }

    private void requireSameNodes(List<Plan> plans) {
        List<Node> first = plans.getFirst().nodes();
        for (Plan plan : plans) {
            boolean same = plan.nodes().size() == first.size();
            for (int index = 0; same && index < first.size(); index++) {
                same = plan.nodes().get(index).op().getClass()
                        == first.get(index).op().getClass();
            }
            if (!same) {
                throw new IllegalArgumentException(
                        "program " + name + ": expected lanes with the same sequence of operations");
            }
        }
    }

    @Override
    public void run() {
        requireOpen();
        team.run(tasks);
        throwFailure();
    }

    void requireOpen() {
        if (closed) {
            throw new IllegalStateException("program " + name + " is closed");
        }
        // Kernels hold addresses: a buffer that was closed must be found here.
        for (CpuBuffer buffer : bound) {
            buffer.requireOpen();
        }
    }

    /// Runs the only lane on the thread at hand; [#throwFailure] tells what came of it.
    void runHere() {
        tasks[0].run();
    }

    void throwFailure() {
        RuntimeException first = null;
        for (int index = 0; index < lanes.size(); index++) {
            Lane lane = lanes.get(index);
            // The lane that failed first, not one that only heard of it at the barrier.
            if (lane.failure != null && (first == null || !lane.followed)) {
                first = lane.failure;
            }
        }
        if (first != null) {
            barrier.reset();
            throw first;
        }
    }

    @Override
    public long memoryBytes() {
        return memoryBytes;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            device.released(this, memoryBytes);
            owned.close();
        }
    }

    /// One lane's kernels, in order.
    private final class Lane implements Runnable {
        private final Plan plan;
        private final LaneMemory memory;
        private final DnnlPrimitives dnnl;
        private Kernel[] kernels = {};
        private RuntimeException failure;
        private boolean followed;

        Lane(Plan plan, LaneMemory memory, DnnlPrimitives dnnl) {
            this.plan = plan;
            this.memory = memory;
            this.dnnl = dnnl;
        }

        void lower(CollectiveKernels collectives, Map<Integer, double[]> partials) {
            Lowering lowering = new Lowering(memory, dnnl, collectives, new CollectiveLowering.SharedState() {
                @Override
                public long[] copies(int node, int input) {
                    return lanes.stream()
                            .mapToLong(lane -> lane.memory.address(
                                    lane.plan.nodes().get(node).input(input)))
                            .toArray();
                }

                @Override
                public double[] partials(int node, long elements) {
                    return partials.computeIfAbsent(node, key -> new double[CollectiveKernels.normChunks(elements)]);
                }
            });
            List<Node> nodes = plan.nodes();
            kernels = new Kernel[nodes.size()];
            for (int index = 0; index < kernels.length; index++) {
                kernels[index] = CpuProgram.lower(lowering, nodes.get(index), index);
                settle(dnnl, index);
            }
            dnnl.settle();
        }

        @Override
        public void run() {
            failure = null;
            followed = false;
            DnnlLibrary.setThreads(threadsPerLane);
            int index = 0;
            try {
                for (; index < kernels.length; index++) {
                    kernels[index].run();
                }
            } catch (RuntimeException | Error e) {
                followed = barrier.isBroken();
                barrier.fail();
                Node node = plan.nodes().get(index);
                failure = new DeviceException(
                        "program " + name + ", " + node.op().label() + " " + node.inputTypes() + ": " + e.getMessage(),
                        e);
            }
        }

        long bytes() {
            return memory.bytes();
        }
    }
}
