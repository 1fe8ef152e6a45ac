package dev.rote.train;

import dev.rote.data.Dataset;
import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Owned;
import dev.rote.device.Program;
import dev.rote.diffusion.TrainingLoss;
import dev.rote.graph.AllReduce;
import dev.rote.graph.Batch;
import dev.rote.graph.DType;
import dev.rote.graph.Fusion;
import dev.rote.graph.Graph;
import dev.rote.graph.Plan;
import dev.rote.graph.RecordValue;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.nn.Mode;
import dev.rote.nn.Parameters;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The loss of a data set at one fixed diffusion time, without dropout: mean squared error per value, over the first
/// `images` images, for several draws of the noise. The noise of a draw is the same at every call, so curves over
/// training are smooth.
public final class FixedTimeLoss implements AutoCloseable {
    private static final String CHUNK = "evaluation.chunk";
    private static final String DRAW = "evaluation.draw";
    private static final String LOSS = "evaluation.loss";

    /// What is measured.
    ///
    /// @param data its images become resident for as long as the loss is open
    /// @param images how many of them count, from the first on
    /// @param batch images at a time
    /// @param average uses the averaged parameters if the model has any
    public record Subject(Dataset data, int images, int batch, int timeIndex, boolean average, long seed) {
        private int chunk() {
            return Math.min(images, batch);
        }

        /// Images of the last, smaller chunk; 0 if there is none.
        private int left() {
            return images % chunk();
        }
    }

    private final Owned owned;
    private final Subject subject;
    private final boolean average;
    private final ModelState model;
    private final Map<String, Buffer> own = new HashMap<>();
    private final Program whole;
    private final Program rest;

    /// @throws dev.rote.errors.DeviceException if the device has too little memory
    public static FixedTimeLoss open(Device device, Blueprint blueprint, ModelState model, Subject subject) {
        return Owned.opening(owned -> new FixedTimeLoss(owned, device, blueprint, model, subject));
    }

    private FixedTimeLoss(Owned owned, Device device, Blueprint blueprint, ModelState model, Subject subject) {
        this.owned = owned;
        this.subject = subject;
        this.average = subject.average() && model.hasAverage();
        this.model = model;
        ResidentData resident =
                owned.add(ResidentData.open(device, "evaluation images", subject.data()), ResidentData::close);
        allocate(device, CHUNK, "evaluation chunk", DType.I32);
        allocate(device, DRAW, "evaluation draw", DType.I32);
        allocate(device, LOSS, "evaluation loss", DType.F32);
        Map<String, Buffer> bindings = new HashMap<>(model.evaluationBindings(this.average));
        bindings.putAll(resident.bindings());
        bindings.putAll(own);
        this.whole = compile(device, plans(device, blueprint, subject, subject.chunk(), 0), bindings);
        int left = subject.left();
        this.rest = left == 0
                ? null
                : compile(device, plans(device, blueprint, subject, left, subject.images() - left), bindings);
    }

    private void allocate(Device device, String external, String owner, DType type) {
        own.put(external, owned.add(device.allocate(owner, type, 1), Buffer::close));
    }

    private Program compile(Device device, List<Plan> plans, Map<String, Buffer> bindings) {
        return owned.add(device.compile("loss at a fixed time", plans, bindings), Program::close);
    }

    /// What a loss allocates.
    public static long bytes(Device device, Blueprint blueprint, Subject subject) {
        int left = subject.left();
        long rest =
                left == 0 ? 0 : device.programBytes(plans(device, blueprint, subject, left, subject.images() - left));
        return ResidentData.bytes(subject.data())
                + 2L * DType.I32.bytes()
                + DType.F32.bytes()
                + device.programBytes(plans(device, blueprint, subject, subject.chunk(), 0))
                + rest;
    }

    private static List<Plan> plans(Device device, Blueprint blueprint, Subject subject, int count, int offset) {
        Dataset data = subject.data();
        TrainingStep.requireLabels(blueprint, data);
        TrainingLoss loss = TrainingLoss.evaluation(
                blueprint.schedule(), blueprint.objective(), subject.timeIndex(), subject.seed());
        List<Plan> plans = new ArrayList<>();
        boolean labelled = blueprint.network().classes() > 0;
        for (Lane lane : Lane.share(count, device.lanes(count))) {
            Graph graph = new Graph();
            Parameters parameters = new Parameters(graph, blueprint.precision());
            Value chunkNumber = graph.external(CHUNK, TensorType.i32(1));
            Value draw = graph.external(DRAW, TensorType.i32(1));
            Batch batch =
                    new Batch(lane.count(), count, offset + lane.first(), 0, data.scale(), data.offset(), false, false);
            List<Value> inputs = new ArrayList<>(
                    List.of(graph.external(TrainingStep.DATA, TrainingStep.dataType(data)), chunkNumber));
            if (labelled) {
                inputs.add(graph.external(TrainingStep.LABELS, TensorType.i32(data.count())));
            }
            List<Value> drawn = graph.add(batch, inputs);
            Optional<Value> labels = labelled ? Optional.of(drawn.get(2)) : Optional.empty();
            Value share = loss.write(
                    graph,
                    blueprint.denoiser(graph, parameters, labels, Mode.evaluation()),
                    drawn.get(0),
                    draw,
                    lane.first(),
                    count);
            parameters.freeze();
            graph.perform(new AllReduce(), share);
            graph.perform(new RecordValue(), share, draw, graph.external(LOSS, TensorType.f32(1)));
            Fusion.apply(graph, device.target());
            plans.add(Plan.of(graph, device.target()));
        }
        return plans;
    }

    /// Program runs of one draw.
    public int chunks() {
        return (subject.images() + subject.chunk() - 1) / subject.chunk();
    }

    /// One mean loss per draw of the noise.
    public double[] losses(int draws) {
        if (average) {
            model.refreshAverage();
        }
        double[] losses = new double[draws];
        for (int draw = 0; draw < draws; draw++) {
            double sum = 0;
            for (int number = 0; number < chunks(); number++) {
                own.get(DRAW).writeInts(draw * chunks() + number);
                boolean last = rest != null && number == chunks() - 1;
                own.get(CHUNK).writeInts(last ? 0 : number);
                (last ? rest : whole).run();
                sum += own.get(LOSS).readFloats()[0] * (double) (last ? subject.left() : subject.chunk());
            }
            losses[draw] = sum / subject.images();
        }
        return losses;
    }

    @Override
    public void close() {
        owned.close();
    }
}
