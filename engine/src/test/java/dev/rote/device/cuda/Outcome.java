package dev.rote.device.cuda;

import dev.rote.device.Buffer;
import dev.rote.device.Program;
import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Plan;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.UnaryOperator;

/// What a graph in bf16 computes from normal numbers, and the kernels that did it.
record Outcome(float[] values, List<String> kernels) {
    /// Called "w...", weights: a tenth of the others.
    static Value input(Graph graph, String name, int... dims) {
        return graph.apply(new Cast(DType.BF16), graph.external(name, TensorType.f32(dims)));
    }

    /// Of one value; the graph's externals are filled by their names.
    static Outcome of(CudaDevice device, Graph graph, Value result) {
        return of(device, graph, result, false);
    }

    /// @param narrow whether the first dimension of every grid whose blocks take tiles in turn is one block, which
    ///     has all of them then
    static Outcome of(CudaDevice device, Graph graph, Value result, boolean narrow) {
        return of(device, graph, result, narrow ? Optional.of(Outcome::narrowed) : Optional.empty());
    }

    /// @param changed what each launch is to be instead
    static Outcome of(CudaDevice device, Graph graph, Value result, Optional<UnaryOperator<KernelLaunch>> changed) {
        graph.place(
                graph.apply(new Cast(DType.F32), result),
                graph.external("result", result.type().with(DType.F32)),
                0);
        Map<String, Buffer> buffers = new HashMap<>();
        graph.externals().forEach((name, value) -> {
            Buffer buffer = device.allocate(name, value.dtype(), value.elements());
            if (value.dtype() == DType.I32) {
                buffer.writeInts(new int[(int) value.elements()]);
            } else {
                buffer.writeFloats(normals(name, (int) value.elements(), name.startsWith("w") ? 0.1 : 1));
            }
            buffers.put(name, buffer);
        });
        Plan plan = Plan.of(graph, device.target());
        try (CudaMemory memory = new CudaMemory(device, "test", plan, buffers)) {
            List<KernelLaunch> launches = new CudaLowering(memory, device.tensorCores())
                    .lower(plan.nodes()).stream()
                            .flatMap(lowered -> lowered.launches().stream())
                            .map(launch -> (KernelLaunch) launch)
                            .toList();
            if (changed.isPresent()) {
                launches.forEach(launch -> device.kernels().prepare(launch));
                launches.forEach(launch -> device.kernels().launch(changed.get().apply(launch), device.stream()));
            } else {
                try (Program program = device.compile("test", List.of(plan), buffers)) {
                    program.run();
                }
            }
            return new Outcome(
                    buffers.get("result").readFloats(),
                    launches.stream().map(KernelLaunch::kernel).toList());
        } finally {
            buffers.values().forEach(Buffer::close);
        }
    }

    /// That these are the sums of another outcome, which were rounded once more, and not all rounded alike.
    void isRoundedLess(Outcome twice) {
        int different = 0;
        for (int i = 0; i < values.length; i++) {
            float other = twice.values()[i];
            if (!(Math.abs(values[i] - other) <= 0x1p-7f * (2 + Math.abs(other)))) {
                throw new AssertionError("element " + i + ": expected about " + other + ", found " + values[i]);
            }
            different += values[i] == other ? 0 : 1;
        }
        if (different == 0) {
            throw new AssertionError("expected sums rounded once, found those rounded twice, or zeros");
        }
    }

    /// That another outcome has the same bits.
    void isTheSameAs(Outcome other) {
        int difference = Arrays.mismatch(values, other.values());
        if (difference >= 0) {
            throw new AssertionError("element " + difference + ": expected " + other.values()[difference] + ", found "
                    + values[difference]);
        }
    }

    private static KernelLaunch narrowed(KernelLaunch launch) {
        KernelLaunch.Extent grid = launch.grid();
        return launch.filling() > 0
                ? new KernelLaunch(
                        launch.kernel(),
                        new KernelLaunch.Extent(1, grid.y(), grid.z()),
                        launch.block(),
                        launch.sharedBytes(),
                        launch.arguments())
                : launch;
    }

    private static float[] normals(String name, int count, double scale) {
        Random random = new Random(name.hashCode());
        float[] normals = new float[count];
        for (int i = 0; i < count; i++) {
            normals[i] = (float) (scale * random.nextGaussian());
        }
        return normals;
    }
}
