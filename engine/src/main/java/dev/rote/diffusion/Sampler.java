package dev.rote.diffusion;

import dev.rote.graph.Advance;
import dev.rote.graph.Broadcast;
import dev.rote.graph.Clamp;
import dev.rote.graph.Embedding;
import dev.rote.graph.Graph;
import dev.rote.graph.Mix;
import dev.rote.graph.RandomNormal;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.random.Purpose;
import java.util.Optional;
import java.util.function.IntToDoubleFunction;

/// DDIM and DDPM sampling (Song et al. 2021, arXiv:2010.02502, eq. 12 and 16) along `indices` evenly spaced time
/// indices from T - 1 down to 0, both included, each rounded to the nearest integer.
///
/// An update from index t to the next index t' is, with `a = sqrt(alphaBar)`, `s = sqrt(1 - alphaBar)`, `sigma = eta
/// (s'/s) sqrt(1 - a^2/a'^2)`: `x' = a' x0 + sqrt(s'^2 - sigma^2) noise + sigma z`. It is written once, as a graph
/// that finds its coefficients by the counter [SampleBatch#STEP]; a run is [#updates()] runs of that program.
///
/// With a `clip`, the clean image that a prediction implies is clamped to the range that images have before it
/// is used, and the noise is what then is left of x: `x' = a' x0 + sqrt(s'^2 - sigma^2) (x - a x0) / s + sigma
/// z` (as in the released code of Ho et al. 2020 and of Nichol & Dhariwal 2021). Where the last indices hold
/// almost no signal, as with the cosine schedule, and the network predicts noise, samplers need it: there `x0 =
/// (x - s noise) / a` magnifies the network's error by 1/a, 20,000 at T = 1000.
///
/// @param eta 0 deterministic, 1 the variance of DDPM's posterior
/// @param finish also takes the update from index 0 to no noise at all; study 1 stops when index 0 is reached
/// @param clip the range that the implied clean image is clamped to, if it is
public record Sampler(
        Schedule schedule, Objective objective, int indices, double eta, boolean finish, Optional<Clamp> clip) {
    private static final int START_STREAM = 0;
    private static final int STEP_STREAM = 1;

    /// @throws IllegalArgumentException unless `2 <= indices <= T` and `0 <= eta <= 1`
    public Sampler {
        if (indices < 2 || indices > schedule.steps()) {
            throw new IllegalArgumentException(
                    "sampler steps: expected 2 to " + schedule.steps() + ", found " + indices);
        }
        if (!(eta >= 0 && eta <= 1)) {
            throw new IllegalArgumentException("eta: expected 0 to 1, found " + eta);
        }
    }

    /// Without clipping.
    public Sampler(Schedule schedule, Objective objective, int indices, double eta, boolean finish) {
        this(schedule, objective, indices, eta, finish, Optional.empty());
    }

    /// This sampler with the implied clean image clamped, in network units.
    public Sampler clipped(float low, float high) {
        return new Sampler(schedule, objective, indices, eta, finish, Optional.of(new Clamp(low, high)));
    }

    /// Deterministic DDIM as in study 1.
    public static Sampler ddim(Schedule schedule, Objective objective, int indices) {
        return new Sampler(schedule, objective, indices, 0, false);
    }

    /// Ancestral sampling through all T indices with the posterior's variance (Ho et al. 2020, arXiv:2006.11239,
    /// algorithm 2 and eq. 7), which is DDIM with eta = 1.
    public static Sampler ddpm(Schedule schedule, Objective objective) {
        return new Sampler(schedule, objective, schedule.steps(), 1, true);
    }

    /// Network evaluations of one sampling run.
    public int updates() {
        return finish ? indices : indices - 1;
    }

    /// Time index at which update number `update` evaluates the network.
    public int index(int update) {
        long left = indices - 1L - update;
        return Math.toIntExact(Math.round((double) left * (schedule.steps() - 1) / (indices - 1)));
    }

    /// `x' = ofX x + ofPrediction prediction + ofNoise z`.
    record Coefficients(double ofX, double ofPrediction, double ofNoise) {}

    Coefficients coefficients(int update) {
        return coefficients(update, objective);
    }

    /// @param predicted what the prediction is
    private Coefficients coefficients(int update, Objective predicted) {
        double alphaBar = schedule.alphaBar(index(update));
        double next = update == indices - 1 ? 1 : schedule.alphaBar(index(update + 1));
        double a = Math.sqrt(alphaBar);
        double s = Math.sqrt(1 - alphaBar);
        double sigma = eta * Math.sqrt((1 - next) / (1 - alphaBar) * (1 - alphaBar / next));
        double ofClean = Math.sqrt(next);
        double ofEstimate = Math.sqrt(Math.max(0, 1 - next - sigma * sigma));
        Objective.Conversion clean = predicted.convert(Objective.X0, a, s);
        Objective.Conversion noise = predicted.convert(Objective.NOISE, a, s);
        return new Coefficients(
                ofClean * clean.ofX() + ofEstimate * noise.ofX(),
                ofClean * clean.ofPrediction() + ofEstimate * noise.ofPrediction(),
                sigma);
    }

    /// Writes the start: standard normal images in [SampleBatch#X], a function of seed, [SampleBatch#DRAW] and element.
    public void writeStart(Graph graph, SampleBatch batch, long seed) {
        Value noise = graph.apply(normal(batch, seed, START_STREAM), batch.draw(graph));
        graph.place(noise, batch.all(graph), batch.firstElement());
    }

    /// Writes one update of [SampleBatch#X], in place; it advances [SampleBatch#STEP] and [SampleBatch#DRAW].
    public void writeStep(Graph graph, SampleBatch batch, long seed, Denoiser network) {
        Value all = batch.all(graph);
        Value step = batch.step(graph);
        Value draw = batch.draw(graph);
        Value x = graph.view(all, batch.firstElement(), batch.type());
        Value prediction = TrainingLoss.firstChannels(
                graph,
                network.predict(x, times(graph, step, batch.count())),
                batch.shape().last());
        Objective predicted = clip.isPresent() ? Objective.X0 : objective;
        Value known = clip.isPresent() ? graph.apply(clip.get(), clean(graph, step, x, prediction)) : prediction;
        Value moved = graph.apply(
                new Mix(),
                x,
                known,
                lookUp(graph, step, "of_x", update -> coefficients(update, predicted)
                        .ofX()),
                lookUp(graph, step, "of_prediction", update -> coefficients(update, predicted)
                        .ofPrediction()));
        if (eta > 0) {
            Value z = graph.apply(normal(batch, seed, STEP_STREAM), draw);
            Value one = graph.constant("one", TensorType.f32(1), new float[] {1});
            Value sigma =
                    lookUp(graph, step, "sigma", update -> coefficients(update).ofNoise());
            moved = graph.apply(new Mix(), moved, z, one, sigma);
        }
        graph.place(moved, all, batch.firstElement());
        graph.perform(new Advance(), step);
        graph.perform(new Advance(), draw);
    }

    /// The clean image that a prediction implies.
    private Value clean(Graph graph, Value step, Value x, Value prediction) {
        if (objective == Objective.X0) {
            return prediction;
        }
        return graph.apply(
                new Mix(),
                x,
                prediction,
                lookUp(graph, step, "clean_of_x", update -> clean(update).ofX()),
                lookUp(graph, step, "clean_of_prediction", update -> clean(update)
                        .ofPrediction()));
    }

    private Objective.Conversion clean(int update) {
        double alphaBar = schedule.alphaBar(index(update));
        return objective.convert(Objective.X0, Math.sqrt(alphaBar), Math.sqrt(1 - alphaBar));
    }

    private static RandomNormal normal(SampleBatch batch, long seed, int stream) {
        long first = Purpose.streamStart(stream) + batch.firstElement();
        return new RandomNormal(batch.type().shape(), seed, Purpose.SAMPLE.code(), first);
    }

    /// The time index of the update, once per image: [count] i32.
    private Value times(Graph graph, Value step, int count) {
        float[] table = new float[updates()];
        for (int update = 0; update < table.length; update++) {
            table[update] = index(update);
        }
        Value index =
                graph.apply(new Embedding(), graph.constant("times", TensorType.i32(table.length, 1), table), step);
        return graph.apply(new Broadcast(Shape.of(count), 0, 1), graph.reshape(index, Shape.of(1)));
    }

    private Value lookUp(Graph graph, Value step, String name, IntToDoubleFunction ofUpdate) {
        float[] table = new float[updates()];
        for (int update = 0; update < table.length; update++) {
            table[update] = (float) ofUpdate.applyAsDouble(update);
        }
        return graph.apply(new Embedding(), graph.constant(name, TensorType.f32(table.length, 1), table), step);
    }
}
