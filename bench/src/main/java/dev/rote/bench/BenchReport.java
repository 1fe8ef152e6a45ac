package dev.rote.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Lays our times beside the peers': one line per case on standard output, a JSON file, and a Markdown table.
///
/// Arguments: `jmh=FILE` (JMH's JSON, may be repeated), `peers=FILE` (JSON lines), `json=FILE` and `table=FILE` (to
/// write), and any other `KEY=TEXT` as a fact about the run, such as `cpu=...`; facts keep their order.
public final class BenchReport {
    private BenchReport() {}

    public static void main(String[] arguments) throws IOException {
        List<Path> jmh = new ArrayList<>();
        Map<String, Path> files = new LinkedHashMap<>();
        Map<String, String> facts = new LinkedHashMap<>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException("arguments: expected KEY=VALUE, found " + argument);
            }
            String key = argument.substring(0, equals);
            String value = argument.substring(equals + 1);
            switch (key) {
                case "jmh" -> jmh.add(Path.of(value));
                case "peers", "json", "table" -> files.put(key, Path.of(value));
                default -> facts.put(key, value);
            }
        }
        for (String key : List.of("peers", "json", "table")) {
            if (!files.containsKey(key)) {
                throw new IllegalArgumentException("arguments: expected " + key + "=FILE, found none");
            }
        }
        List<Outcome> outcomes = read(jmh, files.get("peers"));
        print(outcomes, System.out);
        Files.writeString(files.get("json"), json(facts, outcomes));
        Path table = files.get("table");
        String page = Files.exists(table) ? Files.readString(table) : "";
        Files.writeString(table, ResultTable.replace(page, facts, outcomes));
    }

    private static List<Outcome> read(List<Path> jmh, Path peerFile) throws IOException {
        List<Peer> peers = Peer.parse(Files.readString(peerFile), peerFile.toString());
        List<Outcome> outcomes = new ArrayList<>();
        for (Path file : jmh) {
            outcomes.addAll(JmhResults.parse(Files.readString(file), file.toString(), peers));
        }
        return outcomes;
    }

    private static void print(List<Outcome> outcomes, PrintStream out) {
        outcomes.forEach(outcome -> out.println(outcome.line()));
    }

    private static String json(Map<String, String> facts, List<Outcome> outcomes) {
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
            outcome.ratio().ifPresent(ratio -> result.put("peer_over_ours", ratio));
            ArrayNode peers = result.putArray("peers");
            outcome.peers().forEach(peer -> peers.add(peer.line()));
        }
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
    }
}
