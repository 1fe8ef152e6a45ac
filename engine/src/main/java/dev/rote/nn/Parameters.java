package dev.rote.nn;

import dev.rote.graph.Cast;
import dev.rote.graph.DType;
import dev.rote.graph.Fill;
import dev.rote.graph.Graph;
import dev.rote.graph.Node;
import dev.rote.graph.Scale;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// The parameters of the networks of one graph, collected while they are written.
///
/// Each is a leaf without storage until [#freeze()] lays it in the external `parameters` (f32), `parameters.bf16`
/// (matrices under the bf16 policy, same offsets) or `frozen`. The order of declaration alone decides the layout, so
/// graphs of one network share buffers whatever their batch, lane or mode. Declaring a name again gives the same leaf.
public final class Parameters {
    /// External f32 buffer of the trained parameters.
    public static final String PARAMETERS = "parameters";

    /// External bf16 copy of the trained parameters, of which only the matrices are read.
    public static final String PARAMETERS_BF16 = "parameters.bf16";

    /// External f32 buffer of the tables that are not trained.
    public static final String FROZEN = "frozen";

    /// Program-owned f32 buffer of the gradients.
    public static final String GRADIENTS = "gradients";

    private final Graph graph;
    private final Precision precision;
    private final Map<String, ParameterSpec> specs = new LinkedHashMap<>();
    private final Map<String, Value> leaves = new LinkedHashMap<>();
    private long size;
    private long frozenSize;
    private ParameterLayout layout;

    public Parameters(Graph graph, Precision precision) {
        this.graph = graph;
        this.precision = precision;
    }

    /// Elements that the flat buffer of the trained parameters has so far.
    long size() {
        return size;
    }

    public Precision precision() {
        return precision;
    }

    /// A trained vector [size], f32.
    public Value vector(String name, int size, Init init) {
        return vector(name, size, init, FileForm.SAME);
    }

    public Value vector(String name, int size, Init init, FileForm form) {
        return declare(name, Shape.of(size), init, form, true, false);
    }

    /// A trained matrix [K,C] or filter [K,R,S,C] in the policy's type.
    public Value matrix(String name, Shape shape, Init init) {
        return matrix(name, shape, init, shape.rank() == 4 ? FileForm.FILTER : FileForm.SAME);
    }

    public Value matrix(String name, Shape shape, Init init, FileForm form) {
        return declare(name, shape, init, form, true, true);
    }

    /// A trained matrix [K,C] that is f32 in every policy: of the time embedding, or a table of rows.
    public Value exactMatrix(String name, Shape shape, Init init) {
        return declare(name, shape, init, FileForm.SAME, true, false);
    }

    /// A table that files hold but training leaves alone, f32.
    public Value frozen(String name, Shape shape, Init init) {
        return declare(name, shape, init, FileForm.SAME, false, false);
    }

    /// The leaves that training changes, in the order of the layout.
    public List<Value> trainable() {
        return specs.values().stream()
                .filter(ParameterSpec::trainable)
                .map(spec -> leaves.get(spec.name()))
                .toList();
    }

    /// Ends the collection and lays every leaf in its flat buffer. Asked again, it gives the same layout.
    public ParameterLayout freeze() {
        if (layout == null) {
            layout = new ParameterLayout(List.copyOf(specs.values()));
            specs.values().forEach(spec -> graph.place(leaves.get(spec.name()), home(spec), spec.offset()));
        }
        return layout;
    }

    /// The flat f32 buffer of the trained parameters.
    ///
    /// @throws IllegalStateException before [#freeze()]
    public Value flat() {
        return graph.external(PARAMETERS, flatType(DType.F32));
    }

    /// A flat f32 buffer for gradients, owned by the program and zero at the start.
    ///
    /// @throws IllegalStateException before [#freeze()]
    public Value gradientBuffer(String name) {
        return graph.local(name, flatType(DType.F32));
    }

    /// Lays the gradients of [#trainable()], in that order, in a new buffer called [#GRADIENTS].
    public Value placeGradients(List<Value> gradients) {
        Value buffer = gradientBuffer(GRADIENTS);
        placeGradients(gradients, buffer);
        return buffer;
    }

    /// Lays the gradients of [#trainable()], in that order, in a flat buffer: what computes a gradient writes it there.
    /// One that cannot be placed (zero, part of another value, already placed, not f32, no node's output) is copied.
    ///
    /// @throws IllegalArgumentException if their number is not that of the trained parameters
    /// @throws IllegalStateException before [#freeze()]
    public void placeGradients(List<Value> gradients, Value buffer) {
        List<ParameterSpec> trained = requireLayout().specs().stream()
                .filter(ParameterSpec::trainable)
                .toList();
        if (gradients.size() != trained.size()) {
            throw new IllegalArgumentException("gradients: expected " + trained.size() + ", found " + gradients.size());
        }
        Set<Value> computed = Collections.newSetFromMap(new IdentityHashMap<>());
        for (Node node : graph.nodes()) {
            computed.addAll(node.outputs());
        }
        for (int index = 0; index < trained.size(); index++) {
            ParameterSpec spec = trained.get(index);
            graph.place(placeable(gradients.get(index), spec, computed), buffer, spec.offset());
        }
    }

    private Value placeable(Value gradient, ParameterSpec spec, Set<Value> computed) {
        if (gradient == null) {
            return graph.apply(new Fill(new TensorType(spec.shape(), DType.F32), 0));
        }
        if (gradient.dtype() != DType.F32) {
            return graph.apply(new Cast(DType.F32), gradient);
        }
        Value source = gradient.unreshaped();
        return source.isView() || !computed.contains(source) ? graph.apply(new Scale(1, 0), gradient) : source;
    }

    private Value home(ParameterSpec spec) {
        if (!spec.trainable()) {
            return graph.external(FROZEN, new TensorType(flatShape(layout.frozenSize()), DType.F32));
        }
        boolean copy = spec.matrix() && precision.compute() == DType.BF16;
        return copy ? graph.external(PARAMETERS_BF16, flatType(DType.BF16)) : flat();
    }

    private TensorType flatType(DType type) {
        return new TensorType(flatShape(requireLayout().size()), type);
    }

    private static Shape flatShape(long elements) {
        return Shape.of(Math.toIntExact(elements));
    }

    private ParameterLayout requireLayout() {
        if (layout == null) {
            throw new IllegalStateException("parameters: the layout is not frozen yet");
        }
        return layout;
    }

    private Value declare(String name, Shape shape, Init init, FileForm form, boolean trainable, boolean matrix) {
        long offset = trainable ? size : frozenSize;
        ParameterSpec spec = new ParameterSpec(name, shape, form, trainable, matrix, init, offset);
        ParameterSpec known = specs.get(name);
        if (known != null) {
            if (!known.shape().equals(shape) || known.trainable() != trainable || known.matrix() != matrix) {
                throw new IllegalArgumentException(
                        "parameter " + name + ": expected its first form " + known + ", found " + spec);
            }
            return leaves.get(name);
        }
        if (layout != null) {
            throw new IllegalStateException("parameter " + name + ": declared after the layout was frozen");
        }
        if (trainable) {
            size = ParameterLayout.align(offset + shape.elements());
        } else {
            frozenSize = ParameterLayout.align(offset + shape.elements());
        }
        specs.put(name, spec);
        DType type = matrix ? precision.compute() : DType.F32;
        leaves.put(name, graph.unplaced(name, new TensorType(shape, type)));
        return leaves.get(name);
    }
}
