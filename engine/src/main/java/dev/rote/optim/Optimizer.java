package dev.rote.optim;

import dev.rote.graph.AdamUpdate;
import dev.rote.graph.Advance;
import dev.rote.graph.AllReduce;
import dev.rote.graph.ClipScale;
import dev.rote.graph.DType;
import dev.rote.graph.EmaUpdate;
import dev.rote.graph.GlobalNorm;
import dev.rote.graph.Graph;
import dev.rote.graph.RecordValue;
import dev.rote.graph.SgdUpdate;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.nn.Parameters;
import java.util.ArrayList;
import java.util.List;

/// The end of a training step: sum over lanes, clip, update, average, record, count.
public final class Optimizer {
    /// External counter [1] i32 of updates done.
    public static final String STEP = "step";

    /// External ring of losses: entry `step mod capacity`.
    public static final String LOSSES = "losses";

    /// External flat f32 buffers of the moments and of the averaged parameters.
    public static final String MOMENTUM = "momentum";

    public static final String EXP_AVG = "exp_avg";
    public static final String EXP_AVG_SQ = "exp_avg_sq";
    public static final String EMA = "ema";

    private Optimizer() {}

    /// The counter of updates, which the forward half draws by as well.
    public static Value step(Graph graph) {
        return graph.external(STEP, TensorType.i32(1));
    }

    /// Names of the flat f32 buffers that a configuration needs beside the parameters, in the order of checkpoints.
    public static List<String> buffers(OptimizerConfig config) {
        List<String> names = new ArrayList<>(
                switch (config.rule()) {
                    case OptimizerConfig.Rule.Sgd sgd -> List.of(MOMENTUM);
                    case OptimizerConfig.Rule.Adam adam -> List.of(EXP_AVG, EXP_AVG_SQ);
                });
        if (config.ema() > 0) {
            names.add(EMA);
        }
        return List.copyOf(names);
    }

    /// Writes the update: all-reduce of gradients and loss, clipping, the rule, the average, the loss into a ring of
    /// `ringCapacity` entries, and one more step counted. The bf16 copy of the parameters is renewed where the policy
    /// has one.
    public static void write(
            Graph graph, Parameters parameters, OptimizerConfig config, Backward backward, int ringCapacity) {
        Value gradients = backward.gradients();
        Value step = step(graph);
        graph.perform(new AllReduce(), gradients);
        graph.perform(new AllReduce(), backward.loss());
        Value scale = config.clip() > 0
                ? graph.apply(new ClipScale(config.clip()), graph.apply(new GlobalNorm(), gradients))
                : graph.constant("one", TensorType.f32(1), new float[] {1});
        Value rate = graph.apply(config.rate(), step);
        update(graph, parameters, config, gradients, rate, scale);
        if (config.ema() > 0) {
            graph.perform(new EmaUpdate(config.ema()), flat(graph, parameters, EMA), parameters.flat(), step);
        }
        Value ring = graph.external(LOSSES, TensorType.f32(ringCapacity));
        graph.perform(new RecordValue(), backward.loss(), step, ring);
        graph.perform(new Advance(), step);
    }

    private static void update(
            Graph graph, Parameters parameters, OptimizerConfig config, Value gradients, Value rate, Value scale) {
        List<Value> inputs = new ArrayList<>(List.of(parameters.flat(), gradients));
        buffers(config).stream()
                .filter(name -> !name.equals(EMA))
                .forEach(name -> inputs.add(flat(graph, parameters, name)));
        inputs.addAll(List.of(rate, scale, step(graph)));
        if (parameters.precision().compute() == DType.BF16) {
            inputs.add(graph.external(
                    Parameters.PARAMETERS_BF16, parameters.flat().type().with(DType.BF16)));
        }
        switch (config.rule()) {
            case OptimizerConfig.Rule.Sgd sgd -> graph.add(new SgdUpdate(sgd.momentum(), config.weightDecay()), inputs);
            case OptimizerConfig.Rule.Adam adam ->
                graph.add(
                        new AdamUpdate(adam.beta1(), adam.beta2(), adam.eps(), config.weightDecay(), adam.decoupled()),
                        inputs);
        }
    }

    private static Value flat(Graph graph, Parameters parameters, String name) {
        return graph.external(name, parameters.flat().type());
    }
}
