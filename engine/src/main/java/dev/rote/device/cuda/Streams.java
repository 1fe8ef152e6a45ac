package dev.rote.device.cuda;

import dev.rote.graph.Conv2d;
import dev.rote.graph.Linear;
import dev.rote.graph.Op;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUevent;

/// The two streams of a program while it is captured. Gradients of weights, which only the optimizer reads, go aside;
/// everything else follows one after another, and waits for what is aside where both touch the same memory.
///
/// What touches what is seen from the addresses, so that any plan is right: an aside node starts after all main nodes
/// before it; a main node that writes what an aside one reads, or touches what it writes, starts after it.
final class Streams implements AutoCloseable {
    /// A node that nobody has waited for yet.
    private record Aside(List<Range> reads, List<Range> writes, CUevent done) {}

    private final CudaMemory memory;
    private final StreamHandle main;
    private final StreamHandle side;
    private final boolean several;
    private final List<Aside> pending = new ArrayList<>(); // oldest first
    private final Events events;

    /// @param several whether anything may go aside: calls of a vendor's library share its stream and scratch memory
    Streams(CudaMemory memory, CudaDevice device, boolean several, String operation) {
        this.memory = memory;
        this.main = device.stream();
        this.side = device.sideStream();
        this.several = several;
        this.events = new Events(operation);
    }

    /// True for what only the end of a step waits for.
    static boolean runsAside(Op op) {
        return op instanceof Conv2d.BackwardWeight || op instanceof Linear.BackwardWeight;
    }

    private boolean isAside(Lowered lowered) {
        return several && runsAside(lowered.first().op());
    }

    /// The stream for the launches, with what it must wait for already waited for.
    StreamHandle enter(Lowered lowered) {
        if (isAside(lowered)) {
            events.wait(side, events.recorded(main));
            return side;
        }
        List<Range> reads = lowered.reads(memory);
        List<Range> writes = lowered.writes(memory);
        int finished = 0; // of the pending ones, when these start; the side stream keeps their order
        for (int index = 0; index < pending.size(); index++) {
            Aside aside = pending.get(index);
            boolean meets = Range.anyOverlap(writes, aside.reads)
                    || Range.anyOverlap(writes, aside.writes)
                    || Range.anyOverlap(reads, aside.writes);
            finished = meets ? index + 1 : finished;
        }
        if (finished > 0) {
            events.wait(main, pending.get(finished - 1).done);
            pending.subList(0, finished).clear();
        }
        return main;
    }

    /// After the launches.
    void leave(Lowered lowered) {
        if (isAside(lowered)) {
            pending.add(new Aside(lowered.reads(memory), lowered.writes(memory), events.recorded(side)));
        }
    }

    /// The main stream waits for everything.
    void join() {
        if (!pending.isEmpty()) {
            events.wait(main, pending.getLast().done);
            pending.clear();
        }
    }

    @Override
    public void close() {
        events.close();
    }
}
