package dev.rote.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.graph.Plan;
import dev.rote.graph.Target;
import dev.rote.graph.Value;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// The golden checks of [GoldenStudy1] on a device.
public final class GoldenRun {
    private final GoldenStudy1 golden = new GoldenStudy1();
    private final Device device;
    private final Target target;

    public GoldenRun(Device device) {
        this(device, device.target());
    }

    /// @param target what is fused: the device's own, or less
    public GoldenRun(Device device, Target target) {
        this.device = device;
        this.target = target;
    }

    /// Forward, loss and every gradient.
    public void checkGradients() {
        GoldenStudy1.Step step = GoldenStudy1.gradients(target);
        List<Value> results = List.of(step.y(), step.loss(), step.gradients());
        for (Value result : results) {
            step.graph().place(result, step.graph().external("result " + result, result.type()), 0);
        }
        Map<String, Buffer> bindings = bind(step);
        run(step, bindings, 1);
        golden.checkPrediction(read(bindings, "result " + results.get(0)));
        golden.checkLoss(read(bindings, "result " + results.get(1))[0]);
        golden.checkGradients(read(bindings, "result " + results.get(2)));
    }

    /// Ten updates by SGD with momentum, in f32.
    public void checkTraining() {
        checkTraining(1e-4);
    }

    /// Ten updates by SGD with momentum.
    ///
    /// @param tolerance of each loss, relative
    public void checkTraining(double tolerance) {
        GoldenStudy1.Step step = GoldenStudy1.training(target, 10);
        Map<String, Buffer> bindings = bind(step);
        run(step, bindings, 10);
        assertThat(bindings.get("step").readInts()).containsExactly(10);
        golden.checkLosses(read(bindings, "losses"), tolerance);
    }

    private Map<String, Buffer> bind(GoldenStudy1.Step step) {
        Map<String, Buffer> bindings = new HashMap<>();
        step.graph()
                .externals()
                .forEach((name, value) -> bindings.put(name, device.allocate(name, value.dtype(), value.elements())));
        bindings.get("x").writeFloats(golden.x());
        bindings.get("t").writeInts(golden.t());
        bindings.get("eps").writeFloats(golden.eps());
        bindings.get("parameters").writeFloats(golden.parameters());
        bindings.get("frozen").writeFloats(golden.frozen());
        return bindings;
    }

    private void run(GoldenStudy1.Step step, Map<String, Buffer> bindings, int times) {
        try (Program program = device.compile("golden", List.of(Plan.of(step.graph(), device.target())), bindings)) {
            for (int i = 0; i < times; i++) {
                program.run();
            }
        }
    }

    private static double[] read(Map<String, Buffer> bindings, String name) {
        float[] values = bindings.get(name).readFloats();
        return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
    }
}
