package dev.rote.graph;

import java.util.List;

/// One application of an operation.
public record Node(Op op, List<Value> inputs, List<Value> outputs) {
    public Node {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
    }

    public Value input(int index) {
        return inputs.get(index);
    }

    public Value output() {
        return outputs.getFirst();
    }

    public List<TensorType> inputTypes() {
        return inputs.stream().map(Value::type).toList();
    }

    public List<TensorType> outputTypes() {
        return outputs.stream().map(Value::type).toList();
    }

    public Cost cost() {
        return op.cost(inputTypes(), outputTypes());
    }

    @Override
    public String toString() {
        return outputs + " = " + op + inputs;
    }
}
