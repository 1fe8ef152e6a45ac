package dev.rote.bench;

import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.graph.Graph;
import dev.rote.graph.Plan;
import dev.rote.graph.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// One operation as a program: once on each of several sets of operands, together larger than the cache.
final class TimedOperation implements AutoCloseable {
    private static final int MOST_SETS = 16;
    private static final int MOST_LAUNCHES = 500;
    private static final int SAMPLES = 10;
    private static final int FEWEST = 3;

    private final OperationCase one;
    private final List<OperationBuffers> sets = new ArrayList<>();
    private final Program program;
    private final Buffer marker;
    private int launches;

    /// @param cacheBytes of the device; the operands are twice as large, or 16 sets
    TimedOperation(Device device, OperationCase one, long cacheBytes) {
        this.one = one;
        long bytes = bytes(one.inputs()) + bytes(one.op().infer(one.inputs()));
        long wanted = Math.clamp((2 * cacheBytes + bytes - 1) / bytes, 1, MOST_SETS);
        Graph graph = new Graph();
        Map<String, Buffer> bindings = new HashMap<>();
        for (int set = 0; set < wanted; set++) {
            OperationBuffers buffers = new OperationBuffers(device, one.op(), one.inputs(), set);
            sets.add(buffers);
            buffers.write(graph);
            bindings.putAll(buffers.bindings());
        }
        marker = device.allocate("marker", dev.rote.graph.DType.I32, 1);
        program = device.compile("timed operation", List.of(Plan.of(graph, device.target())), bindings);
    }

    private static long bytes(List<TensorType> types) {
        return types.stream().mapToLong(TensorType::bytes).sum();
    }

    /// Samples of groups of launches with one wait each: at least 10, or 3 when they take five times the time.
    ///
    /// @param seconds for all samples together
    Timing time(double seconds) {
        milliseconds(1);
        double one = milliseconds(1);
        int runs = (int) Math.clamp(Math.round(seconds * 1e3 / SAMPLES / one), 1, MOST_LAUNCHES);
        launches = runs * sets.size();
        double[] samples = new double[1000];
        int count = 0;
        double spent = 0;
        while (count < samples.length
                && (count < FEWEST || spent < seconds * 1e3 || (count < SAMPLES && spent < 5e3 * seconds))) {
            double taken = milliseconds(runs);
            spent += taken;
            samples[count++] = taken / launches;
        }
        return Timing.of(Arrays.copyOf(samples, count));
    }

    private double milliseconds(int runs) {
        long start = System.nanoTime();
        for (int run = 0; run < runs; run++) {
            program.run();
        }
        marker.readInts();
        return (System.nanoTime() - start) * 1e-6;
    }

    /// Runs of the operation in one sample.
    int launches() {
        return launches;
    }

    /// Compares what was timed with the definition.
    ///
    /// @return false if there is no cheap comparison
    /// @throws AssertionError if it differs
    boolean check() {
        return OperationCheck.of(one)
                .map(check -> {
                    check.compare(sets.getFirst());
                    return true;
                })
                .orElse(false);
    }

    @Override
    public void close() {
        program.close();
        marker.close();
        sets.forEach(OperationBuffers::close);
    }
}
