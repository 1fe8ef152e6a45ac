package dev.rote.graph;

/// One tensor of a [Graph]. Compared by identity.
///
/// A value either owns storage or lies inside another one: a parameter lies in the flat parameter buffer, a
/// reshape lies on the value that it renames. `base` and `offset` (in elements of this value's type) say where.
public final class Value {
    /// How long the storage of a value lives.
    public enum Lifetime {
        /// Bound to a device buffer by name; survives the step: parameters, moments, data set, counters.
        MODEL,
        /// Owned by the program, one per lane, zero at the start, survives the step: gradients.
        LOCAL,
        /// Written once when the program is compiled: tables.
        CONSTANT,
        /// Lives inside the step, in the arena.
        STEP
    }

    private final int id;
    private final String name;
    private final TensorType type;
    private final Lifetime lifetime;
    private Value base;
    private long offset;
    private boolean renames;

    Value(int id, String name, TensorType type, Lifetime lifetime) {
        this.id = id;
        this.name = name;
        this.type = type;
        this.lifetime = lifetime;
    }

    public int id() {
        return id;
    }

    public String name() {
        return name;
    }

    public TensorType type() {
        return type;
    }

    public Shape shape() {
        return type.shape();
    }

    public DType dtype() {
        return type.type();
    }

    public long elements() {
        return type.elements();
    }

    /// The value that owns the storage of this one; itself if it is not a view.
    public Value root() {
        Value value = this;
        while (value.base != null) {
            value = value.base;
        }
        return value;
    }

    /// Bytes from the start of [#root()] to the first element.
    public long byteOffset() {
        long bytes = 0;
        for (Value value = this; value.base != null; value = value.base) {
            bytes += value.offset * value.dtype().bytes();
        }
        return bytes;
    }

    public Lifetime lifetime() {
        return root().lifetime;
    }

    public boolean isView() {
        return base != null;
    }

    /// The value of which this one is another shape, through any number of reshapes; itself if it is none.
    public Value unreshaped() {
        Value value = this;
        while (value.renames) {
            value = value.base;
        }
        return value;
    }

    void lieIn(Value owner, long elementOffset) {
        base = owner;
        offset = elementOffset;
    }

    void rename(Value owner) {
        lieIn(owner, 0);
        renames = true;
    }

    @Override
    public String toString() {
        return name + ":" + type;
    }
}
