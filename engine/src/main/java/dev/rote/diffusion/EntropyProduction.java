package dev.rote.diffusion;

import dev.rote.graph.Add;
import dev.rote.graph.Graph;
import dev.rote.graph.Mix;
import dev.rote.graph.Multiply;
import dev.rote.graph.Reduce;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.function.IntToDoubleFunction;

/// What the forward process adds to the entropy of the samples, followed along their way back (Bonnaire et al. 2025,
/// arXiv:2505.17638, appendix B). With the score `s = -noise / sqrt(1 - alphaBar)` that a prediction implies, every
/// sample collects
///
/// `sum over the time indices i of (beta_i / 2) (x . s + |s|^2)`
///
/// whose mean P over samples gives the entropy of what the model draws: under `dx = -x dt + sqrt(2) dW` the entropy H
/// changes by `dH/dt = E[x . s + |s|^2]` and ends at that of N(0, I), and a step of the schedule is `dt = beta / 2`, so
/// `H = (d/2) log(2 pi e) - P`. It holds for a sampler that visits all indices and draws new noise at each
/// ([Sampler#ddpm]).
public final class EntropyProduction {
    /// External f32 buffer [N] of the samples' sums; zero before a sampling run.
    public static final String SUM = "sample.entropy";

    private EntropyProduction() {}

    /// A network whose every prediction adds to the sums of its samples.
    ///
    /// @param batch the sampler's
    /// @param firstIndex indices below it are left out: those that training never saw
    public static Denoiser observed(
            Graph graph, SampleBatch batch, Schedule schedule, Objective objective, int firstIndex, Denoiser network) {
        return (x, t) -> {
            Value prediction = network.predict(x, t);
            write(graph, batch, new NoiseLevels(graph, schedule, t), objective, firstIndex, x, prediction);
            return prediction;
        };
    }

    private static void write(
            Graph graph,
            SampleBatch batch,
            NoiseLevels levels,
            Objective objective,
            int firstIndex,
            Value x,
            Value prediction) {
        Value noise = objective.noise(
                levels,
                x,
                TrainingLoss.firstChannels(graph, prediction, x.shape().last()));
        // beta/2 (x.s + |s|^2) = noise . (beta / (2 v) noise - beta / (2 sqrt v) x) with v = 1 - alphaBar.
        Schedule schedule = levels.schedule();
        IntToDoubleFunction half = index -> index < firstIndex ? 0 : schedule.beta(index) / 2;
        Value weighted = graph.apply(
                new Mix(),
                noise,
                x,
                levels.lookUp("entropy of noise", i -> half.applyAsDouble(i) / (1 - schedule.alphaBar(i))),
                levels.lookUp("entropy of x", i -> -half.applyAsDouble(i) / Math.sqrt(1 - schedule.alphaBar(i))));
        Value produced = graph.apply(new Multiply(), weighted, noise);
        Value perSample = graph.apply(new Reduce(Reduce.Kind.SUM, 1, 4), produced);
        Value all = graph.external(SUM, TensorType.f32(batch.shape().dim(0)));
        Value before = graph.view(all, batch.first(), TensorType.f32(batch.count()));
        Value after = graph.apply(new Add(), before, graph.reshape(perSample, Shape.of(batch.count())));
        graph.place(after, all, batch.first());
    }
}
