package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class WorkersTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 40})
    void runsEveryTaskOnce(int threads) throws InterruptedException {
        AtomicIntegerArray runs = new AtomicIntegerArray(17);
        Workers.run(threads, 17, runs::incrementAndGet);
        for (int task = 0; task < 17; task++) {
            assertThat(runs.get(task)).as("task %d", task).isOne();
        }
    }

    @Test
    void theCallerIsOneOfTheThreads() throws InterruptedException {
        Set<Thread> seen = ConcurrentHashMap.newKeySet();
        CyclicBarrier all = new CyclicBarrier(3);
        Workers.run(3, 3, task -> {
            seen.add(Thread.currentThread());
            meet(all);
        });
        assertThat(seen).hasSize(3).contains(Thread.currentThread());
    }

    private static void meet(CyclicBarrier barrier) throws InterruptedException {
        try {
            barrier.await(30, TimeUnit.SECONDS);
        } catch (BrokenBarrierException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    /// Whichever thread it is that fails: its exception is the caller's, and the other one soon begins no more tasks.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aFailureEndsTheRun(boolean inTheCaller) {
        Thread caller = Thread.currentThread();
        CyclicBarrier both = new CyclicBarrier(2);
        AtomicInteger begun = new AtomicInteger();
        assertThatThrownBy(() -> Workers.run(2, 1000, task -> {
                    begun.incrementAndGet();
                    if (task < 2) {
                        meet(both);
                    }
                    if ((Thread.currentThread() == caller) == inTheCaller) {
                        throw new IllegalStateException("task " + task);
                    }
                    Thread.sleep(10);
                }))
                .isInstanceOf(IllegalStateException.class);
        assertThat(begun.get()).isLessThan(1000);
    }

    @Test
    void anInterruptedCallerLeavesNoWorkerBehind() {
        Thread caller = Thread.currentThread();
        CyclicBarrier all = new CyclicBarrier(3);
        AtomicInteger working = new AtomicInteger();
        assertThatThrownBy(() -> Workers.run(3, 1000, task -> {
                    meet(all);
                    if (Thread.currentThread() == caller) {
                        caller.interrupt();
                        return;
                    }
                    working.incrementAndGet();
                    try {
                        new CountDownLatch(1).await(); // for ever
                    } finally {
                        working.decrementAndGet();
                    }
                }))
                .isInstanceOf(InterruptedException.class);
        assertThat(working.get()).isZero();
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void itsThreadsStayUntilItIsClosed() throws InterruptedException {
        Set<Thread> seen = ConcurrentHashMap.newKeySet();
        CyclicBarrier all = new CyclicBarrier(3);
        try (Workers workers = new Workers(3)) {
            for (int run = 0; run < 4; run++) {
                workers.run(3, task -> {
                    seen.add(Thread.currentThread());
                    meet(all);
                });
            }
        }
        assertThat(seen).hasSize(3);
        seen.remove(Thread.currentThread());
        assertThat(seen).noneMatch(Thread::isAlive);
    }

    /// Nothing of a failed run is left for the next: no interrupt, no task.
    @Test
    void aRunAfterAFailureIsWhole() throws InterruptedException {
        try (Workers workers = new Workers(3)) {
            for (int run = 0; run < 50; run++) {
                int failing = run % 3;
                CyclicBarrier all = new CyclicBarrier(3);
                assertThatThrownBy(() -> workers.run(1000, task -> {
                            if (task < 3) {
                                meet(all);
                            }
                            if (task == failing) {
                                throw new IllegalStateException("task " + task);
                            }
                            Thread.sleep(1);
                        }))
                        .isInstanceOf(IllegalStateException.class);
                AtomicIntegerArray runs = new AtomicIntegerArray(17);
                workers.run(17, task -> {
                    Thread.sleep(1); // time for whoever does not wait for the others; an interrupt would end it
                    runs.incrementAndGet(task);
                });
                for (int task = 0; task < 17; task++) {
                    assertThat(runs.get(task)).as("task %d", task).isOne();
                }
            }
        }
    }

    @Test
    void wantsAThread() {
        assertThatThrownBy(() -> Workers.run(0, 1, task -> {}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected at least 1, got 0");
    }
}
