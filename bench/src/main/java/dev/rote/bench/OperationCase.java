package dev.rote.bench;

import dev.rote.graph.AllReduce;
import dev.rote.graph.Cost;
import dev.rote.graph.DType;
import dev.rote.graph.Graph;
import dev.rote.graph.Node;
import dev.rote.graph.Op;
import dev.rote.graph.TensorType;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// An operation of a training step, and how often the step has it.
///
/// @param peer how it is put to a peer, if it is
record OperationCase(Case timed, Op op, List<TensorType> inputs, int count, Cost cost, Optional<PeerCase> peer) {
    /// The different operations of a graph. Seeds and places in a draw make no difference.
    ///
    /// @param precision `f32`, `tf32` or `bf16`: what an operation on f32 values is called
    static List<OperationCase> of(Graph graph, String precision) {
        Map<Case, OperationCase> found = new LinkedHashMap<>();
        for (Node node : graph.nodes()) {
            if (!(node.op() instanceof AllReduce)) { // nothing, on one lane
                OperationCase one = of(node, precision);
                found.merge(one.timed, one, (known, again) -> known.repeated());
            }
        }
        return new ArrayList<>(found.values());
    }

    private static OperationCase of(Node node, String precision) {
        Optional<PeerCase> peer = PeerCase.of(node.op(), node.inputTypes());
        boolean shortened = Stream.concat(node.inputTypes().stream(), node.outputTypes().stream())
                .anyMatch(value -> value.type() == DType.BF16);
        String type = shortened ? "bf16" : precision.equals("tf32") && peer.isPresent() ? "tf32" : "f32";
        Case timed = peer.map(words -> new Case(words.benchmark(), words.shape(), type))
                .orElseGet(() -> new Case(snake(node.op().label()), shape(node), type));
        return new OperationCase(timed, node.op(), node.inputTypes(), 1, node.cost(), peer);
    }

    private OperationCase repeated() {
        return new OperationCase(timed, op, inputs, count + 1, cost, peer);
    }

    private static String snake(String label) {
        return label.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
    }

    private static String shape(Node node) {
        return types(node.inputTypes()) + (node.outputs().isEmpty() ? "" : " to " + types(node.outputTypes()));
    }

    private static String types(List<TensorType> types) {
        return String.join(" ", types.stream().map(TensorType::toString).toList());
    }

    /// The least time in milliseconds that the roofline allows.
    double floorMs(Ceiling ceiling) {
        return ceiling.floorMs(timed.type(), cost);
    }

    /// A JSON line for the peers.
    ///
    /// @throws java.util.NoSuchElementException unless there is a [#peer]
    String peerLine() {
        ObjectNode line = JsonMapper.shared().createObjectNode();
        line.put("benchmark", timed.benchmark()).put("shape", timed.shape()).put("type", timed.type());
        peer.orElseThrow().fields().forEach(line::putPOJO);
        return line.put("count", count).toString();
    }
}
