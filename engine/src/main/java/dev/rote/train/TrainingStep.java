package dev.rote.train;

import dev.rote.data.Dataset;
import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.graph.Batch;
import dev.rote.graph.Cost;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Plan;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.nn.Mode;
import dev.rote.nn.ParameterLayout;
import dev.rote.nn.Parameters;
import dev.rote.optim.Backward;
import dev.rote.optim.Optimizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One optimizer update as one program: draw images, times and noise, forward, loss, backward, sum over lanes, clip,
/// update, average, record the loss, count. The host's part is one call.
public final class TrainingStep {
    /// External of the resident images [M,H,W,C], u8 or f32.
    public static final String DATA = "data";

    /// External of the labels [M] i32.
    public static final String LABELS = "labels";

    /// How images are drawn.
    ///
    /// @param batch images of one micro-batch
    /// @param accumulate micro-batches per update
    /// @param flip mirrors images at random
    public record Draw(int batch, int accumulate, boolean flip, long seed) {}

    private final List<Plan> lanes;
    private final ParameterLayout layout;

    private TrainingStep(List<Plan> lanes, ParameterLayout layout) {
        this.lanes = lanes;
        this.layout = layout;
    }

    /// Writes the graphs of all lanes and plans them; nothing is allocated on the device.
    ///
    /// @param draw how images are drawn; their values are scaled and shifted by [Dataset#scale()] and
    ///     [Dataset#offset()]
    /// @throws IllegalArgumentException if labels are missing or are not classes of the network
    public static TrainingStep plan(Device device, Blueprint blueprint, Dataset data, Draw draw) {
        return plan(device, device.lanes(draw.batch()), blueprint, data, draw);
    }

    /// The same for a number of lanes, at most those of the device.
    static TrainingStep plan(Device device, int lanes, Blueprint blueprint, Dataset data, Draw draw) {
        requireLabels(blueprint, data);
        boolean labelled = blueprint.network().classes() > 0;
        List<Plan> plans = new ArrayList<>();
        ParameterLayout layout = null;
        for (Lane lane : Lane.share(draw.batch(), lanes)) {
            Graph graph = new Graph();
            Parameters parameters = new Parameters(graph, blueprint.precision());
            Value step = Optimizer.step(graph);
            long images = (long) draw.batch() * draw.accumulate();
            Backward backward = Backward.write(graph, device.target(), parameters, draw.accumulate(), micro -> {
                long first = (long) micro * draw.batch() + lane.first();
                List<Value> drawn = draw(graph, data, labelled, batch(draw, data, lane.count(), images, first));
                Optional<Value> labels = drawn.size() == 3 ? Optional.of(drawn.get(2)) : Optional.empty();
                Mode mode = new Mode.Training(
                        draw.seed(), step, first, blueprint.conditioning().labelDrop());
                return blueprint
                        .loss()
                        .write(
                                graph,
                                blueprint.denoiser(graph, parameters, labels, mode),
                                drawn.get(0),
                                step,
                                first,
                                images);
            });
            Optimizer.write(graph, parameters, blueprint.optimizer(), backward, ModelState.RING);
            layout = parameters.freeze();
            plans.add(Plan.of(graph, device.target()));
        }
        return new TrainingStep(List.copyOf(plans), layout);
    }

    /// @throws IllegalArgumentException unless a network with classes gets images whose labels are among them
    static void requireLabels(Blueprint blueprint, Dataset data) {
        int classes = blueprint.network().classes();
        if (classes == 0) {
            return;
        }
        int[] labels = data.labels()
                .orElseThrow(() -> new IllegalArgumentException(
                        "model.classes: expected 0 for images without labels, found " + classes));
        for (int label : labels) {
            if (label < 0 || label >= classes) {
                throw new IllegalArgumentException("model.classes: expected more than every label of the images, which "
                        + "count from 0, found " + classes + " and an image with label " + label);
            }
        }
    }

    private static Batch batch(Draw draw, Dataset data, int count, long images, long first) {
        return new Batch(count, images, first, draw.seed(), data.scale(), data.offset(), true, draw.flip());
    }

    private static List<Value> draw(Graph graph, Dataset data, boolean labelled, Batch batch) {
        List<Value> inputs = new ArrayList<>(List.of(graph.external(DATA, dataType(data)), Optimizer.step(graph)));
        if (labelled) {
            inputs.add(graph.external(LABELS, TensorType.i32(data.count())));
        }
        return graph.add(batch, inputs);
    }

    static TensorType dataType(Dataset data) {
        Shape shape = Shape.of(data.count(), data.height(), data.width(), data.channels());
        return new TensorType(shape, data.eightBit() ? DType.U8 : DType.F32);
    }

    /// Where the parameters lie.
    public ParameterLayout layout() {
        return layout;
    }

    public int lanes() {
        return lanes.size();
    }

    /// Arithmetic and traffic of one update, all lanes together.
    public Cost cost() {
        return lanes.stream().map(Plan::cost).reduce(Cost.ZERO, Cost::plus);
    }

    /// Bytes of the arenas of all lanes.
    public long arenaBytes() {
        return lanes.stream().mapToLong(Plan::arenaBytes).sum();
    }

    /// Bytes that [#compile] will allocate: arenas, locals, constants and scratch memory of all lanes.
    public long bytes(Device device) {
        return device.programBytes(lanes);
    }

    /// The graph of the first lane, for listings and DOT.
    public Graph graph() {
        return lanes.getFirst().graph();
    }

    /// The step of one lane as a part of a program of several ([Device#together]).
    ///
    /// @param bindings as of [#compile]
    /// @throws IllegalStateException if there are several lanes
    public Device.Part part(Map<String, Buffer> bindings) {
        if (lanes.size() != 1) {
            throw new IllegalStateException("part: expected a step of one lane, found " + lanes.size());
        }
        return new Device.Part(lanes.getFirst(), bindings);
    }

    /// @param bindings the model's buffers and the data under [#DATA] (and [#LABELS])
    public Program compile(Device device, Map<String, Buffer> bindings) {
        return device.compile("training step", lanes, bindings);
    }
}
