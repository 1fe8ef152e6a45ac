package dev.rote.bench;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.graph.AdamUpdate;
import dev.rote.graph.Attention;
import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Embedding;
import dev.rote.graph.Graph;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.Multiply;
import dev.rote.graph.Op;
import dev.rote.graph.Plan;
import dev.rote.graph.RandomNormal;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import dev.rote.random.Purpose;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/// Inputs and outputs of one operation on a device, in buffers of their own; floats are standard normal, drawn there.
///
/// What a forward pass saves for a backward one is computed by the forward operation. Single floats are 0.001: learning
/// rates and scales, by which parameters stay finite however often they are updated.
final class OperationBuffers implements AutoCloseable {
    private static final float SINGLE = 1e-3f;
    private static final int TIMES = 1000;

    private final Device device;
    private final Op op;
    private final List<TensorType> types;
    private final String prefix;
    private final long seed;
    private final Map<String, Buffer> buffers = new HashMap<>();

    /// @param set number of this set of operands
    OperationBuffers(Device device, Op op, List<TensorType> types, int set) {
        this.device = device;
        this.op = op;
        this.types = types;
        this.prefix = "set" + set + ".";
        this.seed = set;
        for (int index = 0; index < types.size(); index++) {
            allocate("in" + index, types.get(index));
        }
        List<TensorType> outputs = outputTypes();
        for (int index = 0; index < outputs.size(); index++) {
            allocate("out" + index, outputs.get(index));
        }
        allocate("draw", TensorType.i32(1));
        fill();
    }

    private void allocate(String name, TensorType type) {
        buffers.put(prefix + name, device.allocate(prefix + name, type.type(), type.elements()));
    }

    Map<String, Buffer> bindings() {
        return buffers;
    }

    List<TensorType> types() {
        return types;
    }

    List<TensorType> outputTypes() {
        return op.infer(types);
    }

    Buffer input(int index) {
        return buffers.get(prefix + "in" + index);
    }

    Buffer output(int index) {
        return buffers.get(prefix + "out" + index);
    }

    /// Appends the operation on these operands.
    void write(Graph graph) {
        List<Value> inputs = new ArrayList<>();
        for (int index = 0; index < types.size(); index++) {
            inputs.add(operand(graph, index));
        }
        List<Value> outputs = graph.add(op, inputs);
        for (int index = 0; index < outputs.size(); index++) {
            Value output = outputs.get(index);
            graph.place(output, graph.external(prefix + "out" + index, output.type()), 0);
        }
    }

    private Value operand(Graph graph, int index) {
        return graph.external(prefix + "in" + index, types.get(index));
    }

    private void fill() {
        Graph graph = new Graph();
        Random random = new Random(seed);
        for (int index = 0; index < types.size(); index++) {
            TensorType type = types.get(index);
            if (type.type() == DType.U8) {
                byte[] bytes = new byte[(int) type.elements()];
                random.nextBytes(bytes);
                input(index).write(0, MemorySegment.ofArray(bytes));
            } else if (type.type() == DType.I32) {
                int most = most();
                int count = (int) type.elements();
                input(index)
                        .writeInts(
                                count == 1
                                        ? new int[] {1}
                                        : random.ints(count, 0, most).toArray());
            } else if (type.elements() == 1 && type.type() == DType.F32) {
                input(index).writeFloats(new float[] {SINGLE});
            } else if (!saved(index)) {
                draw(graph, index);
            }
        }
        save(graph);
        try (Program program =
                device.compile("operands of " + op.label(), List.of(Plan.of(graph, device.target())), buffers)) {
            program.run();
            buffers.get(prefix + "draw").readInts(); // waits, as the program's memory goes
        }
    }

    /// Numbers below this are indices that the operation can look up.
    private int most() {
        return switch (op) {
            case Embedding ignored -> types.getFirst().shape().dim(0);
            case Embedding.Backward back -> back.rows();
            default -> TIMES;
        };
    }

    private void draw(Graph graph, int index) {
        TensorType type = types.get(index);
        Value step = graph.external(prefix + "draw", TensorType.i32(1));
        Value drawn =
                graph.apply(new RandomNormal(type.shape(), 100 * seed + index, Purpose.SYNTHETIC.code(), 0), step);
        if (op instanceof AdamUpdate && index == 3) { // a mean of squares
            drawn = graph.apply(new Multiply(), drawn, drawn);
        }
        if (type.type() == DType.BF16) {
            drawn = graph.apply(new Cast(DType.BF16), drawn);
        }
        graph.place(drawn, operand(graph, index), 0);
    }

    private boolean saved(int index) {
        return (op instanceof GroupNorm.Backward && index >= types.size() - 2)
                || (op instanceof Attention.Backward && index >= 2);
    }

    private void save(Graph graph) {
        switch (op) {
            case GroupNorm.Backward back -> {
                int mean = types.size() - 2; // behind dy, one tensor or two, gamma and beta
                List<Value> forward = IntStream.range(1, mean)
                        .mapToObj(index -> operand(graph, index))
                        .toList();
                List<Value> outputs = graph.add(back.forward(), forward);
                graph.place(outputs.get(1), operand(graph, mean), 0);
                graph.place(outputs.get(2), operand(graph, mean + 1), 0);
            }
            case Attention.Backward back -> {
                List<Value> outputs = graph.add(new Attention(back.heads()), List.of(operand(graph, 1)));
                graph.place(outputs.get(0), operand(graph, 2), 0);
                graph.place(outputs.get(1), operand(graph, 3), 0);
            }
            default -> {}
        }
    }

    @Override
    public void close() {
        buffers.values().forEach(Buffer::close);
    }
}
