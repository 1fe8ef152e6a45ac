package dev.rote.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/// Runs numbered tasks on a given number of threads. Each task must write to places of its own, so that the result
/// does not depend on who runs it.
final class Workers {
    private Workers() {}

    /// One piece of work. A long one calls [#checkInterrupted] now and then.
    interface Task {
        void run(int index) throws InterruptedException;
    }

    /// Runs `task` for 0 .. tasks - 1 and returns when all have ended. The caller is one of the threads.
    ///
    /// @throws InterruptedException if the calling thread is interrupted; all workers have stopped by then
    /// @throws IllegalArgumentException if `threads` is below 1
    static void run(int threads, int tasks, Task task) throws InterruptedException {
        if (threads < 1) {
            throw new IllegalArgumentException("threads: expected at least 1, got " + threads);
        }
        AtomicInteger next = new AtomicInteger();
        int helpers = Math.min(threads, tasks) - 1;
        if (helpers < 1) {
            drain(next, tasks, task);
            return;
        }
        try (ExecutorService pool = Executors.newFixedThreadPool(
                helpers, Thread.ofPlatform().daemon().factory())) {
            List<Future<Void>> running = new ArrayList<>();
            try {
                for (int i = 0; i < helpers; i++) {
                    running.add(pool.submit(() -> {
                        drain(next, tasks, task);
                        return null;
                    }));
                }
                drain(next, tasks, task);
                for (Future<Void> worker : running) {
                    worker.get();
                }
            } catch (ExecutionException e) {
                throw rethrown(e.getCause());
            } finally {
                pool.shutdownNow(); // interrupts whoever still works, then close() waits for them
            }
        }
    }

    static void checkInterrupted() throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("cancelled");
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
