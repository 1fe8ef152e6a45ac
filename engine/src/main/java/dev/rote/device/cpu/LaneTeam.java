package dev.rote.device.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/// The threads of a CPU device, one per lane. Handing out work and waiting for it allocates nothing.
final class LaneTeam implements AutoCloseable {
    private static final int SPINS = 2_000;

    private final Worker[] workers;
    private final ReentrantLock running = new ReentrantLock();
    private final AtomicInteger pending = new AtomicInteger();
    private volatile Thread caller;

    LaneTeam(String name, int threads) {
        workers = new Worker[threads];
        for (int lane = 0; lane < threads; lane++) {
            workers[lane] = new Worker(name + "-lane-" + lane);
            workers[lane].start();
        }
    }

    int size() {
        return workers.length;
    }

    /// Runs task i on thread i and returns when all are done. Tasks keep their own failures. Calls from several threads
    /// take turns.
    void run(Runnable[] tasks) {
        running.lock();
        try {
            caller = Thread.currentThread();
            pending.set(tasks.length);
            for (int lane = 0; lane < tasks.length; lane++) {
                workers[lane].give(tasks[lane]);
            }
            for (int spin = 0; pending.get() > 0; spin++) {
                if (spin < SPINS) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.park(this);
                    // An interrupt must not turn the wait into a busy loop; it is put back below.
                    interrupted |= Thread.interrupted();
                }
            }
        } finally {
            if (interrupted) {
                interrupted = false;
                Thread.currentThread().interrupt();
            }
            running.unlock();
        }
    }

    /// Guarded by `running`.
    private boolean interrupted;

    @Override
    public void close() {
        for (Worker worker : workers) {
            worker.finish();
        }
        boolean interruptedHere = false;
        for (Worker worker : workers) {
            while (worker.isAlive()) {
                try {
                    worker.join();
                } catch (InterruptedException e) {
                    interruptedHere = true;
                }
            }
        }
        if (interruptedHere) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Worker extends Thread {
        private volatile Runnable task;
        private volatile boolean finished;

        Worker(String name) {
            super(name);
            setDaemon(true);
        }

        void give(Runnable next) {
            task = next;
            LockSupport.unpark(this);
        }

        void finish() {
            finished = true;
            LockSupport.unpark(this);
        }

        @Override
        public void run() {
            int spin = 0;
            while (!finished) {
                Runnable next = task;
                if (next == null) {
                    if (++spin < SPINS) {
                        Thread.onSpinWait();
                    } else {
                        LockSupport.park(this);
                    }
                    continue;
                }
                spin = 0;
                task = null;
                next.run();
                if (pending.decrementAndGet() == 0) {
                    LockSupport.unpark(caller);
                }
            }
        }
    }
}
