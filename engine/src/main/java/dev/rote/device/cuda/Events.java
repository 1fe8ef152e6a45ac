package dev.rote.device.cuda;

import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUevent;
import jcuda.driver.CUevent_flags;
import jcuda.driver.JCudaDriver;

/// The order between streams of a program that is being captured: one goes on when another has come to a point.
final class Events implements AutoCloseable {
    private final String operation;
    private final List<CUevent> events = new ArrayList<>();

    /// @param operation names the program in messages
    Events(String operation) {
        this.operation = operation;
    }

    /// The point that a stream has come to.
    CUevent recorded(StreamHandle stream) {
        CUevent event = new CUevent();
        Driver.check(JCudaDriver.cuEventCreate(event, CUevent_flags.CU_EVENT_DISABLE_TIMING), operation);
        events.add(event);
        Driver.check(JCudaDriver.cuEventRecord(event, stream), operation);
        return event;
    }

    /// What a stream does from now on comes after that point.
    void wait(StreamHandle stream, CUevent event) {
        Driver.check(JCudaDriver.cuStreamWaitEvent(stream, event, 0), operation);
    }

    @Override
    public void close() {
        events.forEach(JCudaDriver::cuEventDestroy);
        events.clear();
    }
}
