package dev.rote.device;

/// A compiled step. [#run] does no allocation on the Java heap and decides nothing.
public interface Program extends AutoCloseable {
    /// Runs the step once. Calls of one program, and of programs that share buffers, must not overlap in time.
    ///
    /// @throws dev.rote.errors.DeviceException if an operation fails, naming it
    /// @throws IllegalStateException if the program is closed
    void run();

    /// Bytes of the arenas and local values of all lanes.
    long memoryBytes();

    @Override
    void close();
}
