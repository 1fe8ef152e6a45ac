package dev.rote.device.cuda;

import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUevent;
import jcuda.driver.JCudaDriver;

/// Streams on which branches of a program are captured that have nothing to do with each other. They fork from the
/// device's stream and join it again; more branches than streams follow one another.
final class Branches implements AutoCloseable {
    /// Beyond it a graph has more branches than a GPU starts at a time.
    private static final int MOST = 16;

    private static final int NON_BLOCKING = 1;

    private final CudaDevice device;
    private final List<StreamHandle> streams = new ArrayList<>();
    private final Events events;

    /// @param branches how many there are; 0 for none but the device's stream
    Branches(CudaDevice device, int branches, String operation) {
        this.device = device;
        this.events = new Events(operation);
        boolean complete = false;
        try {
            for (int number = 0; number < Math.min(branches, MOST); number++) {
                StreamHandle stream = new StreamHandle();
                Driver.check(JCudaDriver.cuStreamCreate(stream, NON_BLOCKING), operation);
                streams.add(stream);
            }
            complete = true;
        } finally {
            if (!complete) {
                close();
            }
        }
    }

    /// After the capture has begun.
    void fork() {
        if (!streams.isEmpty()) {
            CUevent begun = events.recorded(device.stream());
            streams.forEach(stream -> events.wait(stream, begun));
        }
    }

    StreamHandle of(int branch) {
        return streams.get(branch % streams.size());
    }

    /// Before the capture ends.
    void join() {
        for (StreamHandle stream : streams) {
            events.wait(device.stream(), events.recorded(stream));
        }
    }

    @Override
    public void close() {
        events.close();
        streams.forEach(JCudaDriver::cuStreamDestroy);
        streams.clear();
    }
}
