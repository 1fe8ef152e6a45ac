package dev.rote.graph;

import java.util.List;

/// Argument checks of the shape rules: one sentence with operation, expected and found.
final class Check {
    private Check() {}

    static void inputs(String operation, List<TensorType> inputs, int least, int most) {
        if (inputs.size() < least || inputs.size() > most) {
            throw new IllegalArgumentException(operation + ": expected " + least + (most > least ? " to " + most : "")
                    + " inputs, found " + inputs.size());
        }
    }

    static void that(boolean holds, String operation, String expected, Object found) {
        if (!holds) {
            throw new IllegalArgumentException(operation + ": expected " + expected + ", found " + found);
        }
    }

    /// The gradient rule of `operation` covers its first output only.
    static void firstOnly(String operation, List<Value> dOutputs) {
        for (int index = 1; index < dOutputs.size(); index++) {
            that(dOutputs.get(index) == null, operation, "a loss that depends on output 0 alone", "output " + index);
        }
    }

    static void rank(String operation, String name, TensorType type, int rank) {
        that(type.shape().rank() == rank, operation, name + " of rank " + rank, type);
    }

    static void shape(String operation, String name, TensorType type, Shape expected) {
        that(type.shape().equals(expected), operation, name + " " + expected, type);
    }

    static void type(String operation, String name, TensorType type, DType expected) {
        that(type.type() == expected, operation, name + " of type " + expected, type);
    }

    static void floating(String operation, String name, TensorType type) {
        that(type.type().isFloat(), operation, name + " of a floating type", type);
    }

    static void scalar(String operation, String name, TensorType type, DType dtype) {
        that(type.elements() == 1 && type.type() == dtype, operation, name + " a single " + dtype, type);
    }
}
