package dev.rote.bench;

import dev.rote.graph.Conv2d;
import dev.rote.graph.Linear;
import dev.rote.graph.MatMul;
import dev.rote.graph.Op;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Times of NVIDIA's libraries inside Rote, `--kernels vendor`, as those of a peer: the same buffers, launches and
/// checks as ours, biases and their gradients included.
///
/// @param device the description of the device, with the libraries' versions
record VendorTimes(String device) {
    /// Who computes an operation there; empty if our own kernels do.
    static Optional<String> library(Op op) {
        return Optional.ofNullable(
                switch (op) {
                    case Conv2d ignored -> "cuDNN";
                    case Conv2d.BackwardData ignored -> "cuDNN";
                    case Conv2d.BackwardWeight ignored -> "cuDNN";
                    case Linear ignored -> "cuBLAS";
                    case Linear.BackwardData ignored -> "cuBLAS";
                    case Linear.BackwardWeight ignored -> "cuBLAS";
                    case MatMul ignored -> "cuBLAS";
                    default -> null;
                });
    }

    /// The JSON line of a peer; [OperationResult#parse] reads it as well.
    String line(Op op, OperationResult result) {
        ObjectNode line = (ObjectNode) JsonMapper.shared().readTree(result.json());
        return line.put("peer", library(op).orElseThrow())
                .put("version", device.replaceFirst(".*products and convolutions by ", ""))
                .put("setting", "in Rote, --kernels vendor")
                .put("device", device)
                .toString();
    }
}
