package dev.rote.train;

import dev.rote.data.Dataset;
import dev.rote.device.Buffer;
import dev.rote.device.Device;
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
import dev.rote.nn.UNet;
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

    private final int images;
    private final int chunk;
    private final boolean average;
    private final ModelState model;
    private final Map<String, Buffer> own = new HashMap<>();
    private final Program whole;
    private final Program rest;

    /// @param data its images become resident for as long as this is open
    /// @param images how many of them count, from the first on
    /// @param batch images at a time
    public FixedTimeLoss(
            Device device,
            Blueprint blueprint,
            ModelState model,
            Dataset data,
            int images,
            int batch,
            int timeIndex,
            boolean average,
            long seed) {
        this.images = images;
        this.chunk = Math.min(images, batch);
        this.average = average && model.hasAverage();
        this.model = model;
        ResidentData resident = new ResidentData(device, "evaluation images", data);
        own.putAll(resident.bindings());
        own.put(CHUNK, device.allocate("evaluation chunk", DType.I32, 1));
        own.put(DRAW, device.allocate("evaluation draw", DType.I32, 1));
        own.put(LOSS, device.allocate("evaluation loss", DType.F32, 1));
        TrainingLoss loss = TrainingLoss.evaluation(blueprint.schedule(), blueprint.objective(), timeIndex, seed);
        Map<String, Buffer> bindings = new HashMap<>(model.evaluationBindings(this.average));
        bindings.putAll(own);
        this.whole = compile(device, blueprint, data, loss, chunk, 0, bindings);
        int left = images % chunk;
        this.rest = left == 0 ? null : compile(device, blueprint, data, loss, left, images - left, bindings);
    }

    private Program compile(
            Device device,
            Blueprint blueprint,
            Dataset data,
            TrainingLoss loss,
            int count,
            int offset,
            Map<String, Buffer> bindings) {
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
                    (x, t) -> UNet.build(graph, parameters, blueprint.network(), x, t, labels, Mode.evaluation()),
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
        return device.compile("loss at a fixed time", plans, bindings);
    }

    /// Program runs of one draw.
    public int chunks() {
        return (images + chunk - 1) / chunk;
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
                sum += own.get(LOSS).readFloats()[0] * (double) (last ? images % chunk : chunk);
            }
            losses[draw] = sum / images;
        }
        return losses;
    }

    @Override
    public void close() {
        whole.close();
        if (rest != null) {
            rest.close();
        }
        own.values().forEach(Buffer::close);
    }
}
