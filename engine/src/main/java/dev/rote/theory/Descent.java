package dev.rote.theory;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.device.linalg.Matrix;
import dev.rote.graph.AdamUpdate;
import dev.rote.graph.Advance;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.MatMul;
import dev.rote.graph.Mix;
import dev.rote.graph.Multiply;
import dev.rote.graph.Plan;
import dev.rote.graph.Reduce;
import dev.rote.graph.SgdUpdate;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.optim.OptimizerConfig;
import dev.rote.optim.OptimizerConfig.Rule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Gradient descent on A `[d, p]`, from zero, for several models of one size at once, on a device. The gradient is
/// that of the whole training set: `dL/dA = 2 Delta/(d p) A U + 2 sqrt(Delta)/(d sqrt(p)) V^T`.
///
/// One step at rate eta is `eta / d^2` of the closed form's training time and multiplies what is left of mode lambda
/// by `1 - 2 Delta lambda eta / (d p)`. The authors' code trains A / sqrt(p) at the rate 0.01 d / Delta, which is
/// [#authorsRate] here: 1 - 0.02 lambda.
///
/// Models are shared out over the device's lanes; the same bits whatever their number.
public final class Descent implements AutoCloseable {
    private static final String A = "a";
    private static final String GRADIENT = "gradient";
    private static final String STEP = "step";
    private static final String TRACES = "traces";

    private final List<Moments> models;
    private final OptimizerConfig optimizer;
    private final Map<String, Buffer> buffers = new LinkedHashMap<>();
    private final int d;
    private final int p;
    private Program step;
    private Program evaluation;
    private long steps;

    private Descent(List<Moments> models, OptimizerConfig optimizer) {
        this.models = List.copyOf(models);
        this.optimizer = optimizer;
        this.d = models.getFirst().sizes().d();
        this.p = models.getFirst().sizes().p();
    }

    /// Copies the models to the device.
    ///
    /// @param models of equal d and p; their n may differ
    /// @param optimizer a rule at a constant rate, without decay, clipping or average
    /// @throws IllegalArgumentException if the models do not fit together, or the optimizer asks for more
    /// @throws dev.rote.errors.DeviceException if the memory cannot be had
    public static Descent open(Device device, List<Moments> models, OptimizerConfig optimizer) {
        if (models.isEmpty()
                || models.stream()
                        .anyMatch(m -> m.sizes().d()
                                        != models.getFirst().sizes().d()
                                || m.sizes().p() != models.getFirst().sizes().p())) {
            throw new IllegalArgumentException("descent: expected one or more models of equal d and p");
        }
        if (optimizer.weightDecay() != 0 || optimizer.clip() != 0 || optimizer.ema() != 0) {
            throw new IllegalArgumentException("descent: expected no weight decay, clipping or average");
        }
        Descent descent = new Descent(models, optimizer);
        try {
            descent.fill(device);
            int lanes = device.lanes(models.size());
            descent.step = device.compile("descent", descent.plans(device, lanes, true), descent.buffers);
            descent.evaluation = device.compile("losses", descent.plans(device, 1, false), descent.buffers);
            return descent;
        } catch (RuntimeException | Error e) {
            descent.close();
            throw e;
        }
    }

    /// The rate of the authors' code in our convention: 0.01 d p / Delta.
    public static double authorsRate(Sizes sizes, double delta) {
        return 0.01 * sizes.d() * sizes.p() / delta;
    }

    /// Bytes of buffers for so many models, without the programs.
    public static long bytes(int models, int d, int p) {
        return 4L * models * (2L * p * p + 7L * d * p);
    }

    /// Goes on by so many updates.
    public void run(long updates) {
        for (long i = 0; i < updates; i++) {
            step.run();
        }
        steps += updates;
    }

    /// Updates done.
    public long steps() {
        return steps;
    }

    /// Training time in the closed form's units, steps * rate / d^2; of Adam it is only a name for steps.
    public double tau() {
        return steps * (double) optimizer.rate().peak() / ((double) d * d);
    }

    /// The losses of each model now.
    public List<Losses> losses() {
        evaluation.run();
        float[] traces = buffers.get(TRACES).readFloats();
        int count = models.size();
        List<Losses> losses = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Moments model = models.get(i);
            double root = Math.sqrt(p);
            losses.add(GradientFlow.of(tau(), model.sizes(), model.delta(), model.truth(), new double[] {
                traces[i] / (double) p,
                traces[count + i] / root,
                traces[2 * count + i] / (double) p,
                traces[3 * count + i] / root
            }));
        }
        return losses;
    }

    /// A of one model, `[d, p]`.
    public float[] parameters(int model) {
        float[] all = buffers.get(A).readFloats();
        float[] one = new float[d * p];
        System.arraycopy(all, model * one.length, one, 0, one.length);
        return one;
    }

    private void fill(Device device) {
        long flat = (long) models.size() * d * p;
        for (String name : List.of(A, GRADIENT, "first", "second")) {
            buffers.put(name, device.allocate("theory." + name, DType.F32, flat));
        }
        buffers.put(STEP, device.allocate("theory.step", DType.I32, 1));
        buffers.put(TRACES, device.allocate("theory.traces", DType.F32, 4L * models.size()));
        for (int i = 0; i < models.size(); i++) {
            Moments model = models.get(i);
            put(device, "u" + i, model.u(), false);
            put(device, "v" + i, model.v(), true);
            put(device, "testU" + i, model.testU(), false);
            put(device, "testV" + i, model.testV(), true);
        }
    }

    private void put(Device device, String name, Matrix matrix, boolean transposed) {
        int rows = matrix.rows();
        int columns = matrix.columns();
        float[] values = new float[rows * columns];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                values[transposed ? j * rows + i : i * columns + j] = (float) matrix.get(i, j);
            }
        }
        Buffer buffer = device.allocate("theory." + name, DType.F32, values.length);
        buffers.put(name, buffer);
        buffer.writeFloats(values);
    }

    /// A graph per lane, of all models or of the lane's share.
    private List<Plan> plans(Device device, int lanes, boolean training) {
        List<Plan> plans = new ArrayList<>();
        int count = models.size();
        for (int lane = 0; lane < lanes; lane++) {
            Graph graph = new Graph();
            // Every lane runs the same sequence of operations: the last ones may do a model twice.
            int each = Math.ceilDiv(count, lanes);
            for (int i = lane * each; i < (lane + 1) * each; i++) {
                int model = Math.min(i, count - 1);
                if (training) {
                    gradient(graph, model);
                } else {
                    traces(graph, model);
                }
            }
            if (training) {
                update(graph);
            }
            plans.add(Plan.of(graph, device.target()));
        }
        return plans;
    }

    private void gradient(Graph graph, int model) {
        double delta = models.get(model).delta();
        Value applied = product(graph, "u", model);
        Value v = graph.external("v" + model, TensorType.f32(1, d, p));
        Value gradient = graph.apply(
                new Mix(),
                applied,
                v,
                number(graph, 2 * delta / ((double) d * p)),
                number(graph, 2 * Math.sqrt(delta) / (d * Math.sqrt(p))));
        graph.place(gradient, graph.external(GRADIENT, flat()), (long) model * d * p);
    }

    private void update(Graph graph) {
        Value a = graph.external(A, flat());
        Value gradient = graph.external(GRADIENT, flat());
        Value first = graph.external("first", flat());
        Value step = graph.external(STEP, TensorType.i32(1));
        Value rate = graph.apply(optimizer.rate(), step);
        Value scale = number(graph, 1);
        switch (optimizer.rule()) {
            case Rule.Sgd sgd -> graph.perform(new SgdUpdate(sgd.momentum(), 0), a, gradient, first, rate, scale, step);
            case Rule.Adam adam ->
                graph.perform(
                        new AdamUpdate(adam.beta1(), adam.beta2(), adam.eps(), 0, adam.decoupled()),
                        a,
                        gradient,
                        first,
                        graph.external("second", flat()),
                        rate,
                        scale,
                        step);
        }
        graph.perform(new Advance(), step);
    }

    /// Tr(A U A^T), Tr(A V), and the same of the population.
    private void traces(Graph graph, int model) {
        Value out = graph.external(TRACES, TensorType.f32(4 * models.size()));
        for (int test = 0; test < 2; test++) {
            Value applied = product(graph, test == 0 ? "u" : "testU", model);
            Value v = graph.external((test == 0 ? "v" : "testV") + model, TensorType.f32(1, d, p));
            List<Value> factors = List.of(applied, v);
            for (int i = 0; i < 2; i++) {
                Value products = graph.apply(new Multiply(), factors.get(i), view(graph, model));
                Value trace = graph.apply(new Reduce(Reduce.Kind.SUM, 0, 3), products);
                graph.place(trace, out, (long) (2 * test + i) * models.size() + model);
            }
        }
    }

    /// A U of one model.
    private Value product(Graph graph, String u, int model) {
        Value matrix = graph.external(u + model, TensorType.f32(1, p, p));
        return graph.apply(new MatMul(false, false), view(graph, model), matrix);
    }

    /// A of one model `[1, d, p]`.
    private Value view(Graph graph, int model) {
        return graph.view(graph.external(A, flat()), (long) model * d * p, TensorType.f32(1, d, p));
    }

    private TensorType flat() {
        return new TensorType(Shape.of(models.size() * d * p), DType.F32);
    }

    private static Value number(Graph graph, double value) {
        return graph.constant("number", TensorType.f32(1), new float[] {(float) value});
    }

    @Override
    public void close() {
        if (step != null) {
            step.close();
        }
        if (evaluation != null) {
            evaluation.close();
        }
        buffers.values().forEach(Buffer::close);
    }
}
