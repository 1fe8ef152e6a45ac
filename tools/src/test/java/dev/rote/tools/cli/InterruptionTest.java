package dev.rote.tools.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import sun.misc.Signal;

class InterruptionTest {
    @Test
    void theFirstSignalCancelsAndTheSecondStops() throws InterruptedException {
        var err = new ByteArrayOutputStream();
        var stream = new PrintStream(err, true, StandardCharsets.UTF_8);
        var cancelled = new Semaphore(0);
        var stopped = new Semaphore(0);
        try (var interruption =
                new Interruption(new Console(stream, stream, false), cancelled::release, stopped::release)) {
            Signal.raise(new Signal("INT"));
            assertThat(cancelled.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
            assertThat(stopped.availablePermits()).isZero();
            Signal.raise(new Signal("TERM"));
            assertThat(stopped.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
            assertThat(cancelled.availablePermits()).isZero();
            assertThat(interruption).isNotNull();
        }
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("once more stops at once");
    }

    @Test
    void signalsDoWhatTheyDidBeforeWhenItIsClosed() throws InterruptedException {
        var stream = new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8);
        var outer = new Semaphore(0);
        Signal signal = new Signal("TERM");
        var original = Signal.handle(signal, raised -> outer.release());
        try {
            new Interruption(new Console(stream, stream, false), () -> {}, () -> {}).close();
            Signal.raise(signal);
            assertThat(outer.tryAcquire(10, TimeUnit.SECONDS)).isTrue();
        } finally {
            Signal.handle(signal, original);
        }
    }
}
