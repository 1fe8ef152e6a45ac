package dev.rote.train;

import dev.rote.config.RunConfig;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.Program;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Trainers on one device whose updates are one program: small networks that leave most of a GPU idle fill it together,
/// as do many seeds of one run. Each has the bits that it has alone, on a CPU with one thread.
///
/// They advance in step: [Trainer#train] of each is called by a thread of its own, and every call waits until all
/// others want updates as well. A trainer that is closed is waited for no longer; what is left goes on.
public final class Replicas {
    private final Device device;
    private final List<Trainer> members = new ArrayList<>();
    private final Map<Trainer, Integer> waiting = new HashMap<>();
    private final Map<Trainer, Integer> advanced = new HashMap<>();
    private RuntimeException failure;
    private Program program; // of all members; null until it is wanted
    private final long before; // bytes of the device that are none of theirs
    private long promised; // bytes that members will have allocated

    public Replicas(Device device) {
        this.device = device;
        this.before = device.allocatedBytes();
    }

    /// Looks whether one more fits, beside what the others will still allocate: the arenas come with the first update.
    ///
    /// @throws dev.rote.errors.EnvironmentException if less memory is free
    public synchronized void require(MemoryNeed need) {
        need.require(device, Math.max(0, promised - (device.allocatedBytes() - before)));
    }

    /// Says what a member will allocate beside its training.
    public synchronized void promise(long bytes) {
        promised += bytes;
    }

    /// Opens a member, as [Trainer#open] does. All are opened before the first trains.
    ///
    /// @param data stays open for as long as the trainer
    /// @throws IllegalArgumentException if the network does not fit the images, or the device has not the precision
    /// @throws dev.rote.errors.EnvironmentException if less memory is free than is needed; nothing is allocated
    public synchronized Trainer open(RunConfig config, TrainingData data) {
        Trainer member = Trainer.openReplica(device, config, data, this);
        members.add(member);
        discardProgram();
        return member;
    }

    public synchronized int size() {
        return members.size();
    }

    /// Waits for the others and makes as many updates as all want.
    ///
    /// @return how many; fewer than the least wanted if a member was cancelled
    synchronized int advance(Trainer member, int updates) {
        waiting.put(member, updates);
        boolean interrupted = false;
        while (!advanced.containsKey(member) && failure == null) {
            if (waiting.size() == members.size()) {
                run();
                notifyAll();
            } else {
                try {
                    wait();
                } catch (InterruptedException e) {
                    interrupted = true; // the others rely on this one; it stops where it is asked to
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (failure != null) {
            throw failure;
        }
        return advanced.remove(member);
    }

    private void run() {
        int updates =
                waiting.values().stream().mapToInt(Integer::intValue).min().orElseThrow();
        try {
            if (program == null) {
                program = device.together(
                        "training step", members.stream().map(Trainer::part).toList());
            }
            int done = 0;
            while (done < updates && members.stream().noneMatch(Trainer::isCancelled)) {
                program.run();
                done++;
            }
            for (Trainer each : members) {
                advanced.put(each, done);
            }
            waiting.clear();
        } catch (RuntimeException e) {
            failure = e; // of the device: nobody's state can be trusted
        }
    }

    /// A member that is closed.
    synchronized void leave(Trainer member) {
        if (members.remove(member)) {
            waiting.remove(member);
            advanced.remove(member);
            discardProgram();
            notifyAll();
        }
    }

    /// It is made anew for the members that there are; the last one leaves none.
    private void discardProgram() {
        if (program != null) {
            program.close();
            program = null;
        }
    }
}
