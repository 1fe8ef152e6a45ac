package dev.rote.device;

import dev.rote.graph.DType;
import dev.rote.graph.Plan;
import dev.rote.graph.Target;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// A place where programs run. Passed in by whoever owns it, never looked up; several may be open at once.
///
/// A device has one or more **lanes**, programs that run side by side inside one step on disjoint parts of the batch:
/// a CPU has one lane per thread, a GPU one. Whoever builds a step builds one graph per lane with the lane's share
/// of the images, and joins them by collective operations ([dev.rote.graph.AllReduce], the optimizer updates).
public interface Device extends AutoCloseable {
    /// Short kind: `cpu`, `cuda`.
    String kind();

    /// One line for people and run records: model, instruction set or compute capability, threads, libraries.
    String describe();

    /// How many lanes a program for a batch of `batch` images should have: at least 1, at most `batch`.
    int lanes(int batch);

    /// What the device fuses and how much scratch memory its operations need.
    Target target();

    /// A zeroed buffer.
    ///
    /// @param owner who answers for it, named when memory is reported
    /// @throws dev.rote.errors.DeviceException if the memory cannot be had
    Buffer allocate(String owner, DType type, long elements);

    /// Makes a program of one plan per lane.
    ///
    /// @param name for error messages and profiles
    /// @param bindings a buffer for every external value of the plans, by name, at least as large
    /// @throws IllegalArgumentException if a binding is missing or does not fit
    Program compile(String name, List<Plan> lanes, Map<String, Buffer> bindings);

    /// A program of one lane that has nothing to do with others.
    ///
    /// @param bindings a buffer for every external value of the plan, by name
    record Part(Plan plan, Map<String, Buffer> bindings) {}

    /// Makes one program of several: running it runs each of them, side by side where the device can. Each computes the
    /// bits of a program that [#compile] makes of it alone, on a CPU with one thread.
    ///
    /// @param name for error messages and profiles
    /// @throws IllegalArgumentException if there is no part, or a binding is missing or does not fit
    Program together(String name, List<Part> parts);

    /// What [Program#memoryBytes] of a program of these plans would be; nothing is allocated.
    long programBytes(List<Plan> lanes);

    /// References in which nearest neighbours are searched on this device; empty where it has no kernels for that, as
    /// on a CPU, whose search is [dev.rote.metrics.NearestNeighbours].
    ///
    /// @throws IllegalArgumentException if a value is NaN or infinite (row and column are named)
    /// @throws dev.rote.errors.DeviceException if the memory cannot be had
    default Optional<NearestSearch> nearestSearch(Vectors references) {
        return Optional.empty();
    }

    /// What a search among so many f32 references allocates at most, for as many queries at once; nothing is allocated.
    default long nearestSearchBytes(int references, int dimension, int queries) {
        return 0;
    }

    /// Bytes that can still be allocated; empty where nobody knows.
    OptionalLong freeBytes();

    /// Bytes of buffers and programs that are open on this device.
    long allocatedBytes();

    /// Frees what is still open and stops the device's threads.
    @Override
    void close();
}
