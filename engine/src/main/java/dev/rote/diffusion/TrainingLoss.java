package dev.rote.diffusion;

import dev.rote.graph.Graph;
import dev.rote.graph.MeanSquaredError;
import dev.rote.graph.RandomIndex;
import dev.rote.graph.RandomNormal;
import dev.rote.graph.Slice;
import dev.rote.graph.Value;
import dev.rote.random.Purpose;

/// The denoising loss (Ho et al. 2020, arXiv:2006.11239, eq. 14): mean squared error between prediction and target over
/// all elements of the batch, at time indices drawn uniformly from `firstIndex` to `lastIndex`, one per image.
///
/// @param noisePurpose what the noise is drawn for
/// @param timePurpose what the time indices are drawn for
public record TrainingLoss(
        Schedule schedule,
        Objective objective,
        int firstIndex,
        int lastIndex,
        long seed,
        Purpose noisePurpose,
        Purpose timePurpose) {
    /// @throws IllegalArgumentException unless `0 <= firstIndex <= lastIndex < T`
    public TrainingLoss {
        if (firstIndex < 0 || firstIndex > lastIndex || lastIndex >= schedule.steps()) {
            throw new IllegalArgumentException("time indices: expected 0 <= first <= last < " + schedule.steps()
                    + ", found " + firstIndex + " to " + lastIndex);
        }
    }

    /// The loss of training. Study 1 draws from 1 to 999: index 0 is never used.
    public static TrainingLoss training(
            Schedule schedule, Objective objective, int firstIndex, int lastIndex, long seed) {
        return new TrainingLoss(schedule, objective, firstIndex, lastIndex, seed, Purpose.NOISE, Purpose.TIME);
    }

    /// The loss at one time index, with noise that training never sees; the `step` of [#write] counts the draws.
    public static TrainingLoss evaluation(Schedule schedule, Objective objective, int index, long seed) {
        return new TrainingLoss(schedule, objective, index, index, seed, Purpose.EVAL_NOISE, Purpose.EVAL_NOISE);
    }

    /// Writes this graph's share of the loss: summed over the graphs (lanes, micro-batches) of one batch it is the
    /// mean. Draws depend on an image's number in the batch, not on how the batch is divided.
    ///
    /// @param x0 clean images [N,H,W,C] f32
    /// @param step counter [1] i32; every value has noise and times of its own
    /// @param firstImage number within the whole batch of the first image of x0
    /// @param batchImages images of the whole batch
    /// @return [1] f32
    public Value write(Graph graph, Denoiser network, Value x0, Value step, long firstImage, long batchImages) {
        int images = x0.shape().dim(0);
        long perImage = x0.elements() / images;
        Value t =
                graph.apply(new RandomIndex(images, firstIndex, lastIndex, seed, timePurpose.code(), firstImage), step);
        Value noise = graph.apply(new RandomNormal(x0.shape(), seed, noisePurpose.code(), firstImage * perImage), step);
        NoiseLevels levels = new NoiseLevels(graph, schedule, t);
        Value x = Objective.diffuse(levels, x0, noise);
        Value prediction =
                firstChannels(graph, network.predict(x, t), x0.shape().last());
        float weight = (float) (1.0 / ((double) batchImages * perImage));
        return graph.apply(new MeanSquaredError(weight), prediction, objective.target(levels, x0, noise));
    }

    /// The first `channels` channels; the others of a network with predicted variances are not used.
    static Value firstChannels(Graph graph, Value prediction, int channels) {
        int found = prediction.shape().last();
        return found == channels
                ? prediction
                : graph.apply(new Slice(prediction.shape().rank() - 1, 0, channels), prediction);
    }
}
