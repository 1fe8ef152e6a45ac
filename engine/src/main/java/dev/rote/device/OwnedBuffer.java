package dev.rote.device;

import dev.rote.graph.DType;

/// What the buffers of all devices have in common: a name for messages, a size, and an end.
public abstract class OwnedBuffer implements Buffer {
    private final String owner;
    private final DType type;
    private final long elements;
    private boolean closed;

    protected OwnedBuffer(String owner, DType type, long elements) {
        this.owner = owner;
        this.type = type;
        this.elements = elements;
    }

    /// Gives the memory back; called once.
    protected abstract void release();

    @Override
    public final DType type() {
        return type;
    }

    @Override
    public final long elements() {
        return elements;
    }

    protected final String owner() {
        return owner;
    }

    /// @throws IllegalStateException if the buffer is closed
    public final void requireOpen() {
        if (closed) {
            throw new IllegalStateException("buffer " + owner + " is closed");
        }
    }

    /// @param offset in bytes, as is `size`
    /// @throws IllegalStateException if the buffer is closed
    /// @throws IllegalArgumentException if the range is not within it
    protected final void requireRange(long offset, long size) {
        requireOpen();
        if (offset < 0 || size > bytes() - offset) {
            throw new IllegalArgumentException("buffer " + owner + ": expected a range inside its " + bytes()
                    + " bytes, found " + size + " bytes at " + offset);
        }
    }

    @Override
    public final void close() {
        if (!closed) {
            closed = true;
            release();
        }
    }
}
