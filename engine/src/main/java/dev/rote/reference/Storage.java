package dev.rote.reference;

import dev.rote.graph.Value;

/// Where the numbers of a run are kept. Views share what lies under them.
interface Storage {
    /// A copy of the value's elements.
    double[] read(Value value);

    /// Replaces the value's elements.
    void write(Value value, double[] elements);

    /// Called before each run: step values are undefined from here on, and read as NaN until they are written.
    void start();
}
