package dev.rote.device.cpu;

import dev.rote.errors.DeviceException;
import java.util.concurrent.atomic.AtomicInteger;

/// Where the lanes of a program wait for each other. A lane that fails breaks the barrier, so that the others do not
/// wait for ever.
final class LaneBarrier {
    private static final int SPINS = 20_000;

    private final int lanes;
    private final AtomicInteger arrived = new AtomicInteger();
    private volatile int generation;
    private volatile boolean broken;

    LaneBarrier(int lanes) {
        this.lanes = lanes;
    }

    void await() {
        if (lanes == 1) {
            return;
        }
        int mine = generation;
        if (arrived.incrementAndGet() == lanes) {
            arrived.set(0);
            generation = mine + 1;
            return;
        }
        for (int spin = 0; generation == mine; spin++) {
            if (broken) {
                throw new DeviceException("another lane of the program failed");
            }
            if (spin < SPINS) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
    }

    boolean isBroken() {
        return broken;
    }

    void fail() {
        broken = true;
    }

    /// Makes the barrier usable again once all lanes have stopped.
    void reset() {
        broken = false;
        arrived.set(0);
    }
}
