package dev.rote.tools.cli;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Owned;
import dev.rote.device.Program;
import dev.rote.graph.DType;
import dev.rote.graph.Fusion;
import dev.rote.graph.Graph;
import dev.rote.graph.Plan;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.nn.Mode;
import dev.rote.nn.Parameters;
import dev.rote.nn.Precision;
import dev.rote.nn.UNet;
import dev.rote.nn.UNetConfig;
import dev.rote.optim.OptimizerConfig;
import dev.rote.train.Lane;
import dev.rote.train.ModelState;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Applies a trained U-Net to images, in batches of bounded size. An image's result depends on the image and its
/// time alone, but for the last bits: kernels are chosen for the number of images that run together.
///
/// @param images most images of one program run
record Predictor(Device device, UNetConfig network, Precision precision, ModelState model, int images)
        implements AutoCloseable {
    private static final String X = "x";
    private static final String T = "t";
    private static final String Y = "y";

    /// @param parameters flat, as [dev.rote.nn.ParameterLayout] says; `frozen` likewise
    static Predictor open(
            Device device, UNetConfig network, Precision precision, float[] parameters, float[] frozen, int images) {
        return Owned.opening(owned -> {
            ModelState model = owned.add(
                    ModelState.open(device, UNet.layout(network), precision, OptimizerConfig.sgd(0, 0), 0),
                    ModelState::close);
            model.setParameters(parameters);
            if (frozen.length > 0) {
                model.buffer(Parameters.FROZEN).writeFloats(frozen);
            }
            return new Predictor(device, network, precision, model, images);
        });
    }

    /// Predictions [N,H,W,outChannels].
    ///
    /// @param x [N,H,W,C], N at least 1
    /// @param t diffusion times [N]; rows of the network's table if it has one
    float[] predict(float[] x, float[] t, int height, int width) {
        int in = height * width * network.inChannels();
        int out = height * width * network.outChannels();
        float[] y = new float[Math.multiplyExact(t.length, out)];
        for (int done = 0; done < t.length; ) {
            int batch = Math.min(images, t.length - done);
            try (Pass pass = Owned.opening(owned -> new Pass(owned, batch, height, width))) {
                for (; t.length - done >= batch; done += batch) {
                    float[] part = pass.run(
                            MemorySegment.ofArray(x).asSlice(4L * done * in, 4L * batch * in),
                            Arrays.copyOfRange(t, done, done + batch));
                    System.arraycopy(part, 0, y, done * out, part.length);
                }
            }
        }
        return y;
    }

    /// A table is read by row; sinusoids are computed for any time.
    private DType timeType() {
        return network.tableRows() > 0 ? DType.I32 : DType.F32;
    }

    @Override
    public void close() {
        model.close();
    }

    /// The program for one size of batch.
    private final class Pass implements AutoCloseable {
        private final Owned owned;
        private final Map<String, Buffer> own = new HashMap<>();
        private final Program program;

        Pass(Owned owned, int batch, int height, int width) {
            this.owned = owned;
            Shape in = Shape.of(batch, height, width, network.inChannels());
            Shape out = Shape.of(batch, height, width, network.outChannels());
            own.put(X, owned.add(device.allocate("noisy images", DType.F32, in.elements()), Buffer::close));
            own.put(T, owned.add(device.allocate("diffusion times", timeType(), batch), Buffer::close));
            own.put(Y, owned.add(device.allocate("predictions", DType.F32, out.elements()), Buffer::close));
            List<Plan> lanes = new ArrayList<>();
            for (Lane lane : Lane.share(batch, device.lanes(batch))) {
                lanes.add(Plan.of(graph(in, out, lane), device.target()));
            }
            Map<String, Buffer> bindings = new HashMap<>(model.evaluationBindings(false));
            bindings.putAll(own);
            this.program = owned.add(device.compile("prediction", lanes, bindings), Program::close);
        }

        private Graph graph(Shape in, Shape out, Lane lane) {
            Graph graph = new Graph();
            Parameters parameters = new Parameters(graph, precision);
            Value x = graph.view(
                    graph.external(X, new TensorType(in, DType.F32)),
                    lane.first() * in.elements(1, 4),
                    new TensorType(in.with(0, lane.count()), DType.F32));
            Value t = graph.view(
                    graph.external(T, new TensorType(Shape.of(in.dim(0)), timeType())),
                    lane.first(),
                    new TensorType(Shape.of(lane.count()), timeType()));
            Value y = UNet.build(graph, parameters, network, x, t, Optional.empty(), Mode.evaluation());
            parameters.freeze();
            graph.place(y, graph.external(Y, new TensorType(out, DType.F32)), lane.first() * out.elements(1, 4));
            Fusion.apply(graph, device.target());
            return graph;
        }

        float[] run(MemorySegment x, float[] t) {
            own.get(X).write(0, x);
            if (timeType() == DType.F32) {
                own.get(T).writeFloats(t);
            } else {
                int[] rows = new int[t.length];
                for (int i = 0; i < t.length; i++) {
                    rows[i] = (int) t[i];
                }
                own.get(T).writeInts(rows);
            }
            program.run();
            return own.get(Y).readFloats();
        }

        @Override
        public void close() {
            owned.close();
        }
    }
}
