package dev.rote.metrics;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/// Runs numbered tasks on a given number of threads, of which the caller is one. Each task must write to places of its
/// own, so that the result does not depend on who runs it.
///
/// The other threads begin with the first run that needs them and wait for the next one until [#close].
final class Workers implements AutoCloseable {
    private final int threads;
    private final Set<Thread> helpers = ConcurrentHashMap.newKeySet();
    private final ExecutorService pool;

    /// @throws IllegalArgumentException if `threads` is below 1
    Workers(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads: expected at least 1, got " + threads);
        }
        this.threads = threads;
        ThreadFactory daemons = Thread.ofPlatform().daemon().factory();
        this.pool = Executors.newFixedThreadPool(Math.max(1, threads - 1), work -> {
            Thread helper = daemons.newThread(work);
            helpers.add(helper);
            return helper;
        });
    }

    /// One piece of work. A long one calls [#checkInterrupted] now and then.
    interface Task {
        void run(int index) throws InterruptedException;
    }

    /// Threads of a run, the caller included.
    int threads() {
        return threads;
    }

    /// Runs `task` for 0 .. tasks - 1 on threads of this run alone.
    ///
    /// @throws InterruptedException as [#run(int, Task)]
    /// @throws IllegalArgumentException if `threads` is below 1
    static void run(int threads, int tasks, Task task) throws InterruptedException {
        try (Workers workers = new Workers(threads)) {
            workers.run(tasks, task);
        }
    }

    /// Runs `task` for 0 .. tasks - 1 and returns when all have ended. The first failure is thrown; no task begins
    /// after it, and those that run are interrupted.
    ///
    /// @throws InterruptedException if the calling thread is interrupted; all workers have stopped by then
    synchronized void run(int tasks, Task task) throws InterruptedException {
        AtomicInteger next = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Semaphore ended = new Semaphore(0);
        int working = 0;
        try {
            for (; working < Math.min(threads, tasks) - 1; working++) {
                pool.execute(() -> {
                    try {
                        drain(next, tasks, task);
                    } catch (Throwable e) {
                        failure.compareAndSet(null, e);
                        helpers.forEach(Thread::interrupt); // the pool clears it before the next run
                    } finally {
                        ended.release();
                    }
                });
            }
            drain(next, tasks, task);
            ended.acquire(working);
            working = 0;
        } finally {
            if (working > 0) {
                next.set(tasks);
                helpers.forEach(Thread::interrupt);
                ended.acquireUninterruptibly(working);
            }
        }
        if (failure.get() != null) {
            throw rethrown(failure.get());
        }
    }

    static void checkInterrupted() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("cancelled");
        }
    }

    /// Ends the threads; none may be working, and none is left behind.
    @Override
    public void close() {
        pool.close(); // returns when the last thread has left its work, which is before it has ended
        boolean interrupted = false;
        for (Thread helper : helpers) {
            while (helper.isAlive()) {
                try {
                    helper.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static void drain(AtomicInteger next, int tasks, Task task) throws InterruptedException {
        boolean complete = false;
        try {
            for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
                checkInterrupted();
                task.run(i);
            }
            complete = true;
        } finally {
            if (!complete) {
                next.set(tasks); // nobody begins another one
            }
        }
    }

    private static RuntimeException rethrown(Throwable cause) throws InterruptedException {
        switch (cause) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case InterruptedException e -> throw e;
            default -> throw new AssertionError("unexpected checked exception in a worker", cause);
        }
    }
}
