package dev.rote.reference;

import dev.rote.graph.Graph;
import dev.rote.graph.Value;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;

/// An array of its own for every value that owns its storage.
final class SeparateStorage implements Storage {
    private final Map<Value, double[]> arrays = new IdentityHashMap<>();

    /// @param bindings an array for every external that owns its storage, by name, at least as large; used, not copied
    /// @throws IllegalArgumentException if a binding is missing or too small
    SeparateStorage(Graph graph, Map<String, double[]> bindings) {
        graph.externals().forEach((name, value) -> {
            if (!value.isView()) {
                arrays.put(value, bound(name, value, bindings.get(name)));
            }
        });
        graph.constants().forEach((value, data) -> {
            double[] array = new double[data.length];
            for (int i = 0; i < data.length; i++) {
                array[i] = data[i];
            }
            write(value, array);
        });
    }

    private static double[] bound(String name, Value value, double[] array) {
        if (array == null || array.length < value.elements()) {
            throw new IllegalArgumentException("binding " + name + ": expected at least " + value.elements()
                    + " elements, found " + (array == null ? "none" : array.length));
        }
        return array;
    }

    @Override
    public double[] read(Value value) {
        int offset = elementOffset(value);
        return Arrays.copyOfRange(array(value.root()), offset, offset + (int) value.elements());
    }

    @Override
    public void write(Value value, double[] elements) {
        System.arraycopy(elements, 0, array(value.root()), elementOffset(value), elements.length);
    }

    @Override
    public void start() {
        arrays.forEach((root, array) -> {
            if (root.lifetime() == Value.Lifetime.STEP) {
                Arrays.fill(array, Double.NaN);
            }
        });
    }

    private double[] array(Value root) {
        return arrays.computeIfAbsent(root, SeparateStorage::fresh);
    }

    private static double[] fresh(Value root) {
        double[] array = new double[Math.toIntExact(root.elements())];
        if (root.lifetime() == Value.Lifetime.STEP) {
            Arrays.fill(array, Double.NaN);
        }
        return array;
    }

    private static int elementOffset(Value value) {
        return Math.toIntExact(value.byteOffset() / value.dtype().bytes());
    }
}
