package dev.rote.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Lays our times beside the peers': one line per case on standard output, a JSON file, and a Markdown table.
///
/// Arguments: `jmh=FILE` (JMH's JSON), `ours=FILE` (JSON lines of whole commands, [OwnLine]), `operations=FILE` (JSON
/// lines of [OperationTimes]) and `peers=FILE` (JSON lines), `log=FILE` (what [NearestNeighbourBench] printed, for
/// the share of queries certified at once) and `wrong=FILE` (lines of `nearest.py --wrong`), each as often as there
/// are files; `json=FILE` and `table=FILE` (to write); `title=TEXT` of a new page; `bandwidth=TB/S` of the GPU, 4.3
/// unless given, for the roofline of searches; and any
/// other `KEY=TEXT` as a fact about the run, such as `cpu=...`; facts keep their order.
public final class BenchReport {
    private BenchReport() {}

    public static void main(String[] arguments) throws IOException {
        Map<String, List<Path>> read = new HashMap<>();
        Map<String, Path> files = new LinkedHashMap<>();
        Map<String, String> facts = new LinkedHashMap<>();
        String title = "CPU results";
        double bandwidth = 4.3;
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException("arguments: expected KEY=VALUE, found " + argument);
            }
            String key = argument.substring(0, equals);
            String value = argument.substring(equals + 1);
            switch (key) {
                case "jmh", "ours", "operations", "peers", "log", "wrong" ->
                    read.computeIfAbsent(key, unused -> new ArrayList<>()).add(Path.of(value));
                case "json", "table" -> files.put(key, Path.of(value));
                case "title" -> title = value;
                case "bandwidth" -> bandwidth = Double.parseDouble(value);
                default -> facts.put(key, value);
            }
        }
        for (String key : List.of("json", "table")) {
            if (!files.containsKey(key)) {
                throw new IllegalArgumentException("arguments: expected " + key + "=FILE, found none");
            }
        }
        List<Outcome> outcomes = outcomes(read, new Ceiling(bandwidth));
        List<WrongAnswers> wrong = wrong(read);
        print(outcomes, System.out);
        Files.writeString(files.get("json"), json(facts, outcomes, wrong));
        Path table = files.get("table");
        String page = Files.exists(table) ? Files.readString(table) : "";
        Files.writeString(table, ResultTable.replace(page, title, facts, outcomes, wrong));
    }

    /// Whole benchmarks as they were given, then operations, those that take most of their step first.
    private static List<Outcome> outcomes(Map<String, List<Path>> files, Ceiling ceiling) throws IOException {
        List<Peer> peers = new ArrayList<>();
        for (Path file : files.getOrDefault("peers", List.of())) {
            peers.addAll(Peer.parse(Files.readString(file), file.toString()));
        }
        List<String> logs = new ArrayList<>();
        for (Path file : files.getOrDefault("log", List.of())) {
            logs.add(Files.readString(file));
        }
        SearchNotes notes = SearchNotes.of(ceiling, logs);
        List<Outcome> outcomes = new ArrayList<>();
        for (Path file : files.getOrDefault("jmh", List.of())) {
            outcomes.addAll(JmhResults.parse(Files.readString(file), file.toString(), peers, notes));
        }
        for (Path file : files.getOrDefault("ours", List.of())) {
            OwnLine.parse(Files.readString(file), file.toString()).forEach(line -> outcomes.add(line.outcome(peers)));
        }
        for (Path file : files.getOrDefault("operations", List.of())) {
            OperationResult.parse(Files.readString(file), file.toString()).stream()
                    .sorted(Comparator.comparingDouble(OperationResult::stepMs).reversed())
                    .forEach(result -> outcomes.add(Outcome.of(result, peers)));
        }
        return outcomes;
    }

    private static List<WrongAnswers> wrong(Map<String, List<Path>> files) throws IOException {
        List<WrongAnswers> wrong = new ArrayList<>();
        for (Path file : files.getOrDefault("wrong", List.of())) {
            wrong.addAll(WrongAnswers.parse(Files.readString(file), file.toString()));
        }
        return wrong;
    }

    private static void print(List<Outcome> outcomes, PrintStream out) {
        outcomes.forEach(outcome -> out.println(outcome.line()));
    }

    private static String json(Map<String, String> facts, List<Outcome> outcomes, List<WrongAnswers> wrong) {
        JsonMapper mapper = JsonMapper.shared();
        ObjectNode root = mapper.createObjectNode();
        ObjectNode run = root.putObject("run");
        facts.forEach(run::put);
        ArrayNode results = root.putArray("results");
        for (Outcome outcome : outcomes) {
            ObjectNode result = results.addObject();
            result.put("benchmark", outcome.timed().benchmark())
                    .put("shape", outcome.timed().shape())
                    .put("type", outcome.timed().type())
                    .put("threads", outcome.threads())
                    .put("median_ms", outcome.timing().medianMs())
                    .put("p10_ms", outcome.timing().p10Ms())
                    .put("p90_ms", outcome.timing().p90Ms())
                    .put("samples", outcome.timing().samples())
                    .put("flops", outcome.flops());
            outcome.operation().ifPresent(operation -> result.put("count", operation.count())
                    .put("bytes", operation.bytes())
                    .put("floor_ms", operation.floorMs())
                    .put("checked", operation.checked()));
            outcome.search().ifPresent(search -> {
                search.floorMs().ifPresent(floor -> result.put("floor_ms", floor));
                search.certified().ifPresent(share -> result.put("certified", share));
            });
            outcome.ratio().ifPresent(ratio -> result.put("peer_over_ours", ratio));
            ArrayNode peers = result.putArray("peers");
            outcome.peers().forEach(peer -> peers.add(peer.line()));
        }
        if (!wrong.isEmpty()) {
            ArrayNode lines = root.putArray("wrong_answers");
            wrong.forEach(answers -> lines.add(answers.line()));
        }
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
    }
}
