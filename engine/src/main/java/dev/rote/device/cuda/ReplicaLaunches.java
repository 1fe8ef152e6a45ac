package dev.rote.device.cuda;

import dev.rote.graph.Node;
import dev.rote.graph.Plan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Programs that do the same to other memory, as one: where their launches differ in arguments only, one launch starts
/// the blocks of all of them, by the kernel's entry for replicas (`kernel.cuh`). Every block does what it does
/// alone, so each program has the bits that it has alone.
///
/// What it gains: 16 small networks side by side are 16 times 500 launches of a few microseconds, and a GPU starts one
/// after another; as one they are 500, with blocks enough to fill it.
final class ReplicaLaunches {
    /// `MOST_REPLICAS` of `kernel.cuh`.
    static final int MOST = 16;

    private static final String SUFFIX = "_replicas";

    /// A plan's launches, and where its values lie. Of several programs that became one: where those of the first do.
    record Program(Plan plan, CudaMemory memory, List<Lowered> lowered) {}

    /// What programs must have in common: as for launches, and which of their values share memory, as what runs beside
    /// what is decided by the first.
    private record Shape(List<List<Geometry>> launches, List<Place> places) {}

    /// Where a value begins.
    ///
    /// @param owner [#ARENA], or the number of the buffer that it lies in, in the order in which nodes name them
    private record Place(int owner, long offset) {
        static final int ARENA = -1;
    }

    /// Of a launch, all but its arguments.
    private record Geometry(
            String kernel,
            KernelLaunch.Extent grid,
            KernelLaunch.Extent block,
            KernelLaunch.Extent cluster,
            int sharedBytes) {
        static Geometry of(KernelLaunch launch) {
            return new Geometry(launch.kernel(), launch.grid(), launch.block(), launch.cluster(), launch.sharedBytes());
        }
    }

    private final Predicate<String> known;

    /// @param known whether there is a kernel of that name
    ReplicaLaunches(Predicate<String> known) {
        this.known = known;
    }

    /// Up to [#MOST] programs of one shape each become one. What has no like stays as it is, and where a kernel has no
    /// entry for replicas its launches follow one another.
    List<Program> merge(List<Program> programs) {
        Map<Shape, List<Program>> alike = new LinkedHashMap<>();
        for (Program program : programs) {
            alike.computeIfAbsent(shape(program), shape -> new ArrayList<>()).add(program);
        }
        List<Program> merged = new ArrayList<>();
        for (List<Program> same : alike.values()) {
            for (int first = 0; first < same.size(); first += MOST) {
                merged.add(one(same.subList(first, Math.min(same.size(), first + MOST))));
            }
        }
        return merged;
    }

    private static Shape shape(Program program) {
        List<List<Geometry>> launches = program.lowered().stream()
                .map(lowered -> lowered.launches().stream()
                        .map(launch -> Geometry.of((KernelLaunch) launch))
                        .toList())
                .toList();
        Plan plan = program.plan();
        Map<Long, Integer> owners = new HashMap<>();
        List<Place> places = new ArrayList<>();
        for (Node node : plan.nodes()) {
            places.add(new Place(Place.ARENA, plan.workspaceOffset(node)));
            Stream.concat(node.inputs().stream(), node.outputs().stream()).forEach(value -> {
                if (plan.isInArena(value)) {
                    places.add(new Place(Place.ARENA, plan.arenaOffset(value)));
                } else {
                    long begins = program.memory().address(value) - value.byteOffset();
                    Integer owner = owners.computeIfAbsent(begins, address -> owners.size());
                    places.add(new Place(owner, value.byteOffset()));
                }
            });
        }
        return new Shape(launches, places);
    }

    private Program one(List<Program> same) {
        Program first = same.getFirst();
        if (same.size() == 1) {
            return first;
        }
        List<Lowered> lowered = new ArrayList<>();
        for (int index = 0; index < first.lowered().size(); index++) {
            int at = index;
            List<List<? extends Launch>> each = same.stream()
                    .<List<? extends Launch>>map(
                            program -> program.lowered().get(at).launches())
                    .toList();
            List<KernelLaunch> launches = IntStream.range(0, each.getFirst().size())
                    .mapToObj(number -> each.stream()
                            .map(of -> (KernelLaunch) of.get(number))
                            .toList())
                    .flatMap(alike -> together(alike).stream())
                    .toList();
            Lowered its = first.lowered().get(at);
            lowered.add(new Lowered(its.nodes(), launches, its.alsoRead()));
        }
        return new Program(first.plan(), first.memory(), lowered);
    }

    private List<KernelLaunch> together(List<KernelLaunch> alike) {
        KernelLaunch first = alike.getFirst();
        String kernel = first.kernel() + SUFFIX;
        int planes = first.grid().z();
        if (Integer.bitCount(planes) != 1 || !known.test(kernel)) {
            return alike;
        }
        List<Arguments> each = alike.stream().map(KernelLaunch::arguments).toList();
        return List.of(new KernelLaunch(
                kernel,
                first.gridOfAll(alike.size()),
                first.block(),
                first.cluster(),
                first.sharedBytes(),
                0,
                Arguments.replicas(each, MOST, Integer.numberOfTrailingZeros(planes))));
    }
}
