package dev.rote.tools.features;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/// Writes one-operation networks as ONNX files, which are protocol buffers: message and field numbers are those of
/// `onnx.proto` (ModelProto, GraphProto, NodeProto, ValueInfoProto, TypeProto).
final class OnnxModel {
    private static final int FLOAT = 1;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /// A network `y = operation(inputs...)`; a dimension of -1 is free.
    ///
    /// @param metadata keys and values in turn
    static byte[] of(String operation, String[] inputs, int type, long[] shape, String... metadata) {
        var node = new OnnxModel();
        var graph = new OnnxModel();
        for (String input : inputs) {
            node.text(1, input);
        }
        node.text(2, "y").text(4, operation);
        graph.bytes(1, node).text(2, "graph");
        for (String input : inputs) {
            graph.bytes(11, value(input, type, shape));
        }
        graph.bytes(12, value("y", type, null));
        var model = new OnnxModel()
                .number(1, 8)
                .bytes(7, graph)
                .bytes(8, new OnnxModel().text(1, "").number(2, 13));
        for (int i = 0; i < metadata.length; i += 2) {
            model.bytes(14, new OnnxModel().text(1, metadata[i]).text(2, metadata[i + 1]));
        }
        return model.out.toByteArray();
    }

    /// A network with one f32 input called `x`.
    static byte[] of(String operation, long[] shape, String... metadata) {
        return of(operation, new String[] {"x"}, FLOAT, shape, metadata);
    }

    private static OnnxModel value(String name, int type, long[] shape) {
        var tensor = new OnnxModel().number(1, type);
        if (shape != null) {
            var dimensions = new OnnxModel();
            for (int i = 0; i < shape.length; i++) {
                var dimension = new OnnxModel();
                dimensions.bytes(1, shape[i] < 0 ? dimension.text(2, "d" + i) : dimension.number(1, shape[i]));
            }
            tensor.bytes(2, dimensions);
        }
        return new OnnxModel().text(1, name).bytes(2, new OnnxModel().bytes(1, tensor));
    }

    private OnnxModel number(int field, long value) {
        varint((long) field << 3);
        varint(value);
        return this;
    }

    private OnnxModel text(int field, String value) {
        return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    private OnnxModel bytes(int field, OnnxModel message) {
        return bytes(field, message.out.toByteArray());
    }

    private OnnxModel bytes(int field, byte[] value) {
        varint((long) field << 3 | 2);
        varint(value.length);
        out.writeBytes(value);
        return this;
    }

    private void varint(long value) {
        long rest = value;
        for (; rest > 0x7f; rest >>>= 7) {
            out.write((int) (rest & 0x7f | 0x80));
        }
        out.write((int) rest);
    }
}
