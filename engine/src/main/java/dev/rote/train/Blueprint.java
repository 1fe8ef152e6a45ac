package dev.rote.train;

import dev.rote.config.Attention;
import dev.rote.config.DiffusionConfig;
import dev.rote.config.ModelConfig;
import dev.rote.config.RunConfig;
import dev.rote.config.TrainConfig;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.diffusion.Denoiser;
import dev.rote.diffusion.Guidance;
import dev.rote.diffusion.Objective;
import dev.rote.diffusion.Sampler;
import dev.rote.diffusion.Schedule;
import dev.rote.diffusion.TrainingLoss;
import dev.rote.graph.Graph;
import dev.rote.graph.LearningRate;
import dev.rote.graph.Value;
import dev.rote.nn.Mode;
import dev.rote.nn.Network;
import dev.rote.nn.Parameters;
import dev.rote.nn.Precision;
import dev.rote.nn.ResidualMlpConfig;
import dev.rote.nn.UNetConfig;
import dev.rote.optim.OptimizerConfig;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/// What a [RunConfig] means for the parts of the engine that know no configuration files.
///
/// @param network for the images at hand
public record Blueprint(
        Network network,
        Precision precision,
        Schedule schedule,
        Objective objective,
        TrainingLoss loss,
        Sampler sampler,
        OptimizerConfig optimizer,
        Conditioning conditioning) {

    /// What becomes of class labels: dropped in training with this probability, guided by this weight in sampling.
    public record Conditioning(double labelDrop, double guidance) {}

    /// As [#of(RunConfig, Extent)], with the sampler clipped to the range of the images where `measure.clip`
    /// says so.
    ///
    /// @throws IllegalArgumentException if the network does not fit the images; the message names what does not
    public static Blueprint of(RunConfig config, Dataset images) {
        Blueprint blueprint = of(config, images.extent());
        if (!config.measure().clip()) {
            return blueprint;
        }
        // The offset is what black becomes, less the mean of the training images.
        float low = images.offset();
        float high = (float) (low + (config.data().high() - config.data().low()));
        return new Blueprint(
                blueprint.network,
                blueprint.precision,
                blueprint.schedule,
                blueprint.objective,
                blueprint.loss,
                blueprint.sampler.clipped(low, high),
                blueprint.optimizer,
                blueprint.conditioning);
    }

    /// For images of an extent whose values are not known: the sampler does not clip.
    ///
    /// @throws IllegalArgumentException if the network does not fit the images; the message names what does not
    public static Blueprint of(RunConfig config, Extent images) {
        DiffusionConfig diffusion = config.diffusion();
        Schedule schedule = schedule(diffusion);
        Objective objective =
                switch (diffusion.objective()) {
                    case NOISE -> Objective.NOISE;
                    case X0 -> Objective.X0;
                    case V -> Objective.V;
                };
        int first = diffusion.fixedIndex().orElse(diffusion.firstIndex());
        int last = diffusion.fixedIndex().orElse(diffusion.lastIndex());
        Network network = network(config.model(), diffusion.steps(), images);
        requireAddressable(network, config.model().width());
        return new Blueprint(
                network,
                precision(config.train().precision()),
                schedule,
                objective,
                TrainingLoss.training(schedule, objective, first, last, config.seed()),
                sampler(config, schedule, objective),
                optimizer(config.train()),
                new Conditioning(config.train().labelDrop(), config.measure().guidance()));
    }

    /// The network, for training or without dropout.
    ///
    /// @param labels classes [N] i32 of a network that has them; empty for its unconditional prediction
    public Denoiser denoiser(Graph graph, Parameters parameters, Optional<Value> labels, Mode mode) {
        return (x, t) -> network.build(graph, parameters, x, t, labels, mode);
    }

    /// What samplers follow: the network without dropout, guided where it has classes and a weight is asked for.
    public Denoiser sampled(Graph graph, Parameters parameters, Optional<Value> labels) {
        Denoiser conditional = denoiser(graph, parameters, labels, Mode.evaluation());
        Denoiser unconditional = denoiser(graph, parameters, Optional.empty(), Mode.evaluation());
        return labels.isEmpty() ? conditional : Guidance.of(graph, conditional, unconditional, conditioning.guidance());
    }

    private static void requireAddressable(Network network, int width) {
        long size = network.size();
        if (size > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("model.width: expected a network of at most " + Integer.MAX_VALUE
                    + " parameters, found " + size + " at width " + width);
        }
    }

    /// The noise schedule alone.
    public static Schedule schedule(DiffusionConfig diffusion) {
        return switch (diffusion.schedule()) {
            case LINEAR -> Schedule.linear(diffusion.steps(), diffusion.betaStart(), diffusion.betaEnd());
            case COSINE -> Schedule.cosine(diffusion.steps());
        };
    }

    /// DDIM over the configured indices, or DDPM's ancestral chain over as many.
    private static Sampler sampler(RunConfig config, Schedule schedule, Objective objective) {
        int indices = config.measure().samplerSteps();
        return switch (config.measure().sampler()) {
            case DDIM ->
                new Sampler(schedule, objective, indices, config.measure().eta(), false);
            case DDPM -> new Sampler(schedule, objective, indices, 1, true);
        };
    }

    private static Precision precision(TrainConfig.Precision precision) {
        return switch (precision) {
            case F32 -> Precision.F32;
            case TF32 -> Precision.TF32;
            case BF16 -> Precision.BF16;
        };
    }

    private static OptimizerConfig optimizer(TrainConfig train) {
        OptimizerConfig.Rule rule =
                switch (train.optimizer()) {
                    case SGD -> new OptimizerConfig.Rule.Sgd((float) train.momentum());
                    case ADAM, ADAMW ->
                        new OptimizerConfig.Rule.Adam(
                                (float) train.beta1(),
                                (float) train.beta2(),
                                (float) train.eps(),
                                train.optimizer() == TrainConfig.Optimizer.ADAMW);
                };
        LearningRate rate = new LearningRate(
                (float) train.lr(),
                (float) train.lrFinal(),
                train.warmup(),
                train.steps(),
                train.lrSchedule() == TrainConfig.LrSchedule.COSINE);
        return new OptimizerConfig(rule, rate, (float) train.weightDecay(), (float) train.clip(), (float) train.ema());
    }

    /// The network's configuration for images of the given extent.
    ///
    /// @param times time indices of the schedule
    public static Network network(ModelConfig model, int times, Extent images) {
        return model.family() == ModelConfig.Family.MLP_MIXTURE
                ? new ResidualMlpConfig(
                        images.size(), model.width(), model.blocks(), times, (float) model.eps(), model.classes())
                : unet(model, images);
    }

    /// The same of a family of U-Nets.
    public static UNetConfig unet(ModelConfig model, Extent images) {
        model.attention().checkOccurs(model.levels(), images.height());
        boolean study1 = model.family() == ModelConfig.Family.UNET_STUDY1;
        int channels = images.channels();
        return new UNetConfig(
                study1 ? UNetConfig.Naming.STUDY1 : UNetConfig.Naming.IDDPM,
                channels,
                model.outChannels() == 0 ? channels : model.outChannels(),
                model.width(),
                model.multipliers(),
                model.blocks(),
                attention(model.attention(), model.levels(), images.height()),
                model.middleAttention(),
                model.heads(),
                model.headSize(),
                model.groups(),
                (float) model.eps(),
                (float) model.dropout(),
                model.channelDropout(),
                model.classes(),
                model.scaleShift(),
                model.zeroInit(),
                model.timeEmbedding(),
                study1 ? RunConfig.STUDY1_TIMES : 0,
                model.timeTable() == ModelConfig.TimeTable.COS_SIN,
                model.timeActivation() == ModelConfig.Activation.GELU);
    }

    private static Set<Integer> attention(Attention attention, int levels, int size) {
        Set<Integer> chosen = new TreeSet<>();
        for (int level = 0; level < levels; level++) {
            if (attention.at(level, levels, size >> level)) {
                chosen.add(level);
            }
        }
        return chosen;
    }
}
