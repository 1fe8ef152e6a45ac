package dev.rote.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A program under construction: values and the nodes that compute them, in execution order. Written by one thread.
public final class Graph {
    private final List<Value> values = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Value> externals = new LinkedHashMap<>();
    private final Map<Value, float[]> constants = new LinkedHashMap<>();
    private final List<Value> kept = new ArrayList<>();

    /// A value that lives in a device buffer bound under `name`. Asked twice with the same type, it is the same value.
    ///
    /// @throws IllegalArgumentException if the name is taken by another type
    public Value external(String name, TensorType type) {
        Value known = externals.get(name);
        if (known != null) {
            Check.that(
                    known.type().equals(type), "external " + name, known.type().toString(), type);
            return known;
        }
        Value value = newValue(name, type, Value.Lifetime.MODEL);
        externals.put(name, value);
        return value;
    }

    /// A value owned by the program itself (one per lane), zero at the start and kept between runs.
    public Value local(String name, TensorType type) {
        return newValue(name, type, Value.Lifetime.LOCAL);
    }

    /// A table of fixed numbers. I32 constants hold integers exactly up to 2^24.
    public Value constant(String name, TensorType type, float[] data) {
        Check.that(data.length == type.elements(), "constant " + name, type.elements() + " numbers", data.length);
        Value value = newValue(name, type, Value.Lifetime.CONSTANT);
        constants.put(value, data.clone());
        return value;
    }

    /// A value whose storage is assigned later by [#place], as a parameter's is once all are known.
    public Value unplaced(String name, TensorType type) {
        return newValue(name, type, Value.Lifetime.STEP);
    }

    /// Applies an operation and returns its outputs.
    ///
    /// @throws IllegalArgumentException if the inputs do not fit the operation
    public List<Value> add(Op op, List<Value> inputs) {
        List<TensorType> types = op.infer(inputs.stream().map(Value::type).toList());
        List<Value> outputs = new ArrayList<>(types.size());
        for (TensorType type : types) {
            outputs.add(newValue(op.label() + "_" + values.size(), type, Value.Lifetime.STEP));
        }
        nodes.add(new Node(op, inputs, outputs));
        return Collections.unmodifiableList(outputs);
    }

    /// Applies an operation and returns its first output.
    public Value apply(Op op, Value... inputs) {
        return add(op, Arrays.asList(inputs)).getFirst();
    }

    /// Applies an operation that only changes its inputs.
    public void perform(Op op, Value... inputs) {
        add(op, Arrays.asList(inputs));
    }

    /// The same elements under another shape; no node, no copy.
    public Value reshape(Value value, Shape shape) {
        if (value.shape().equals(shape)) {
            return value;
        }
        Check.that(shape.elements() == value.elements(), "reshape", value.elements() + " elements", shape);
        Value renamed = newValue(value.name() + shape, value.type().with(shape), value.lifetime());
        renamed.rename(value);
        return renamed;
    }

    /// A contiguous part of another value. It carries no gradient; [Slice] does.
    public Value view(Value base, long offset, TensorType type) {
        Check.that(base.dtype() == type.type(), "view", "type " + base.dtype(), type);
        Check.that(
                offset >= 0 && offset + type.elements() <= base.elements(),
                "view of " + base,
                "a part inside it",
                "offset " + offset + " of " + type);
        Value view = newValue(base.name() + "_view" + values.size(), type, base.lifetime());
        view.lieIn(base, offset);
        return view;
    }

    /// Lays the storage of a value at `offset` elements inside `owner`, so that whoever computes it writes there.
    public void place(Value value, Value owner, long offset) {
        Check.that(!value.isView(), "place", "a value that owns its storage", value);
        Check.that(
                value.dtype() == owner.dtype() && offset >= 0 && offset + value.elements() <= owner.elements(),
                "place in " + owner,
                "a value that fits at offset " + offset,
                value);
        value.lieIn(owner, offset);
    }

    /// Marks a step value as readable after the run: its storage is not reused inside the step.
    public Value keep(Value value) {
        kept.add(value);
        return value;
    }

    public List<Node> nodes() {
        return Collections.unmodifiableList(nodes);
    }

    public List<Value> values() {
        return Collections.unmodifiableList(values);
    }

    public List<Value> kept() {
        return Collections.unmodifiableList(kept);
    }

    public Map<String, Value> externals() {
        return Collections.unmodifiableMap(externals);
    }

    public Map<Value, float[]> constants() {
        return Collections.unmodifiableMap(constants);
    }

    /// Sum of the costs of all nodes.
    public Cost cost() {
        return nodes.stream().map(Node::cost).reduce(Cost.ZERO, Cost::plus);
    }

    /// Replaces the node list by a rewritten one with the same meaning; used by [Fusion].
    void replaceNodes(List<Node> rewritten) {
        nodes.clear();
        nodes.addAll(rewritten);
    }

    private Value newValue(String name, TensorType type, Value.Lifetime lifetime) {
        Value value = new Value(values.size(), name, type, lifetime);
        values.add(value);
        return value;
    }
}
