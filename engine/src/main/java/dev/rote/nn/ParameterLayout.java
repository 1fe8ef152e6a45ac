package dev.rote.nn;

import java.util.List;
import java.util.Optional;

/// Where the parameters of a network lie: trained ones in a flat buffer of [#size()] elements, frozen ones in another
/// of [#frozenSize()], in the order of weight files. Gradients, moments and averages have the same arrangement.
/// Elements between parameters are zero and stay so.
///
/// @param specs in the order of weight files
public record ParameterLayout(List<ParameterSpec> specs) {
    /// Offsets are multiples of this many elements: 64 bytes in f32, 32 in bf16.
    public static final int ALIGNMENT = 16;

    public ParameterLayout {
        specs = List.copyOf(specs);
    }

    /// The first multiple of [#ALIGNMENT] from `elements` on.
    static long align(long elements) {
        return (elements + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /// Elements of the flat buffer of trained parameters, with the gaps.
    public long size() {
        return size(true);
    }

    /// Elements of the flat buffer of frozen tables, with the gaps; 0 if there are none.
    public long frozenSize() {
        return size(false);
    }

    /// Number of trained parameters.
    public long count() {
        return specs.stream()
                .filter(ParameterSpec::trainable)
                .mapToLong(ParameterSpec::elements)
                .sum();
    }

    /// Number of values in a weight file: trained and frozen.
    public long fileCount() {
        return specs.stream().mapToLong(ParameterSpec::elements).sum();
    }

    public Optional<ParameterSpec> find(String name) {
        return specs.stream().filter(spec -> spec.name().equals(name)).findFirst();
    }

    /// Fresh trained parameters, flat [size()]: a function of the seed alone.
    public float[] initialParameters(long seed) {
        return initial(true, seed);
    }

    /// The frozen tables, flat [frozenSize()].
    public float[] initialFrozen() {
        return initial(false, 0);
    }

    private float[] initial(boolean trainable, long seed) {
        float[] flat = new float[Math.toIntExact(size(trainable))];
        for (int number = 0; number < specs.size(); number++) {
            ParameterSpec spec = specs.get(number);
            if (spec.trainable() == trainable) {
                for (int i = 0; i < spec.elements(); i++) {
                    flat[(int) spec.offset() + i] = spec.init().at(seed, number, i);
                }
            }
        }
        return flat;
    }

    private long size(boolean trainable) {
        return specs.stream()
                .filter(spec -> spec.trainable() == trainable)
                .mapToLong(spec -> align(spec.offset() + spec.elements()))
                .max()
                .orElse(0);
    }
}
