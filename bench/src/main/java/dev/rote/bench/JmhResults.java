package dev.rote.bench;

import dev.rote.errors.DataException;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Reads JMH's JSON results (`-rf json`) of the benchmarks of this package.
final class JmhResults {
    private JmhResults() {}

    /// @param origin names the text in messages
    /// @param notes what else is known of searches
    /// @throws DataException when it is no such file, or a benchmark is unknown
    static List<Outcome> parse(String text, String origin, List<Peer> peers, SearchNotes notes) {
        try {
            List<Outcome> outcomes = new ArrayList<>();
            for (JsonNode result : JsonMapper.shared().readTree(text)) {
                outcomes.add(outcome(result, origin, peers, notes));
            }
            return outcomes;
        } catch (JacksonException failure) {
            throw new DataException(origin + ": expected JMH's JSON, found " + failure.getOriginalMessage(), failure);
        }
    }

    private static Outcome outcome(JsonNode result, String origin, List<Peer> peers, SearchNotes notes) {
        String name = result.required("benchmark").stringValue();
        JsonNode params = result.required("params");
        int threads = threads(params);
        Timing timing = Timing.of(samples(result.required("primaryMetric"), origin));
        if (name.endsWith(".trainingStep")) {
            Study study = study(params);
            Case timed = new Case(Case.TRAINING_STEP, study.shape(), study.precision());
            return new Outcome(timed, threads, timing, study.cost(threads).flops(), study.batch(), peers);
        }
        if (name.endsWith(".sweepStep")) {
            Study study = study(params);
            int runs = Integer.parseInt(params.required("runs").stringValue());
            String sharing = params.path("sharing").stringValue("streams");
            Case timed = new Case(Case.TRAINING_STEP, CudaSweepBench.shape(study, runs, sharing), study.precision());
            long flops = runs * study.cost(threads).flops();
            List<Peer> turns = Peer.of(new Case(Case.TRAINING_STEP, study.shape(), study.precision()), peers).stream()
                    .map(peer -> peer.oneAfterAnother(timed, runs))
                    .toList();
            return new Outcome(timed, threads, timing, flops, runs * study.batch(), turns);
        }
        if (name.endsWith(".sampling")) {
            Case timed = new Case(
                    Case.SAMPLING,
                    CudaSamplingBench.shape(study(params)),
                    study(params).precision());
            return new Outcome(timed, threads, timing, 0, study(params).batch(), peers);
        }
        if (name.endsWith(".nearestNeighbours")) {
            String shape = params.required("shape").stringValue();
            String type = params.path("type").stringValue("f32");
            Case timed = new Case(Case.NEAREST_NEIGHBOURS, shape, type);
            String device = params.path("device").stringValue("cpu");
            long flops = NearestNeighbourBench.flops(shape, device);
            return new Outcome(timed, threads, timing, flops, NearestNeighbourBench.queries(shape), peers)
                    .with(notes.search(shape, type, device));
        }
        if (name.endsWith(".memorizedFraction") || name.endsWith(".memorizationSearch")) {
            String shape = params.required("shape").stringValue();
            String benchmark = name.endsWith(".memorizedFraction") ? Case.MEMORIZED_FRACTION : Case.MEMORIZATION_SEARCH;
            int queries = NearestNeighbourBench.queries(shape);
            return new Outcome(new Case(benchmark, shape, "f32"), threads, timing, 0, queries, peers);
        }
        throw new DataException(origin + ": expected a benchmark of this project, found " + name);
    }

    /// Of the CPU, all if 0 was asked for; 1 where the host only launches.
    private static int threads(JsonNode params) {
        int asked = Integer.parseInt(params.path("threads").stringValue("1"));
        return asked == 0 ? Runtime.getRuntime().availableProcessors() : asked;
    }

    private static Study study(JsonNode params) {
        return new Study(
                Integer.parseInt(params.required("width").stringValue()),
                params.required("precision").stringValue(),
                Integer.parseInt(params.required("batch").stringValue()),
                params.path("optimizer").stringValue("sgd"));
    }

    /// Samples of all forks in milliseconds.
    private static double[] samples(JsonNode metric, String origin) {
        String unit = metric.required("scoreUnit").stringValue();
        if (!unit.equals("ms/op")) {
            throw new DataException(origin + ": scoreUnit: expected ms/op, found " + unit);
        }
        List<Double> samples = new ArrayList<>();
        for (JsonNode fork : metric.required("rawData")) {
            for (JsonNode sample : fork) {
                samples.add(sample.doubleValue());
            }
        }
        return samples.stream().mapToDouble(Double::doubleValue).toArray();
    }
}
