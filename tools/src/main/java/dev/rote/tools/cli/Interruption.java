package dev.rote.tools.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/// What Ctrl-C (SIGINT) and SIGTERM do while this is open: the first asks the work to save and stop, the second stops
/// the program at once. A shutdown hook would not do, because the second signal would wait for it.
public final class Interruption implements AutoCloseable {
    private static final List<String> SIGNALS = List.of("INT", "TERM");

    private final Map<Signal, SignalHandler> before = new LinkedHashMap<>();
    private final Console console;
    private final Runnable cancel;
    private final Runnable stop;
    private boolean asked;

    /// @param cancel asks the work to save and stop; called by another thread
    public Interruption(Console console, Runnable cancel) {
        this(console, cancel, () -> Runtime.getRuntime().halt(130));
    }

    Interruption(Console console, Runnable cancel, Runnable stop) {
        this.console = console;
        this.cancel = cancel;
        this.stop = stop;
        for (String name : SIGNALS) {
            Signal signal = new Signal(name);
            before.put(signal, Signal.handle(signal, this::handle));
        }
    }

    private synchronized void handle(Signal signal) {
        if (asked) {
            stop.run();
            return;
        }
        asked = true;
        console.err().println("\nrote: stopping after this step and saving; once more stops at once");
        cancel.run();
    }

    /// Signals do again what they did before.
    @Override
    public void close() {
        before.forEach(Signal::handle);
    }
}
