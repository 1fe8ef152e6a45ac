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
    /// @throws DataException when it is no such file, or a benchmark is unknown
    static List<Outcome> parse(String text, String origin, List<Peer> peers) {
        try {
            List<Outcome> outcomes = new ArrayList<>();
            for (JsonNode result : JsonMapper.shared().readTree(text)) {
                outcomes.add(outcome(result, origin, peers));
            }
            return outcomes;
        } catch (JacksonException failure) {
            throw new DataException(origin + ": expected JMH's JSON, found " + failure.getOriginalMessage(), failure);
        }
    }

    private static Outcome outcome(JsonNode result, String origin, List<Peer> peers) {
        String name = result.required("benchmark").stringValue();
        JsonNode params = result.required("params");
        int asked = Integer.parseInt(params.required("threads").stringValue());
        int threads = asked == 0 ? Runtime.getRuntime().availableProcessors() : asked;
        Timing timing = Timing.of(samples(result.required("primaryMetric"), origin));
        if (name.endsWith(".trainingStep")) {
            int width = Integer.parseInt(params.required("width").stringValue());
            String precision = params.required("precision").stringValue();
            int batch = Integer.parseInt(params.required("batch").stringValue());
            String shape = "W=" + width + " batch=" + batch + " 32x32x1";
            long flops = StudyOneStep.cost(width, precision, batch, threads).flops();
            Case timed = new Case(Case.TRAINING_STEP, shape, precision);
            return new Outcome(timed, threads, timing, flops, batch, of(timed, peers));
        }
        if (name.endsWith(".nearestNeighbours")) {
            String shape = params.required("shape").stringValue();
            Case timed = new Case(Case.NEAREST_NEIGHBOURS, shape, "f32");
            long flops = NearestNeighbourBench.flops(shape);
            return new Outcome(timed, threads, timing, flops, NearestNeighbourBench.queries(shape), of(timed, peers));
        }
        throw new DataException(origin + ": expected a benchmark of this project, found " + name);
    }

    private static List<Peer> of(Case timed, List<Peer> peers) {
        return peers.stream().filter(peer -> peer.timed().equals(timed)).toList();
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
