package dev.rote.device;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;
import java.util.function.Function;

/// What an object opened and has to close: closed newest first, by the object's own `close` or, when opening it
/// fails half way, by [#opening].
///
/// ```java
/// static Pair open(Device device) {
///     return Owned.opening(owned -> new Pair(owned, device));
/// }
///
/// private Pair(Owned owned, Device device) {
///     this.owned = owned;
///     this.first = owned.add(device.allocate("first", DType.F32, 1), Buffer::close);
///     this.second = owned.add(device.allocate("second", DType.F32, 1), Buffer::close); // a failure closes `first`
/// }
/// ```
public final class Owned implements AutoCloseable {
    private final Deque<Runnable> closers = new ArrayDeque<>();

    private Owned() {}

    /// What `opener` makes; if it throws, everything that it had added is closed.
    public static <T> T opening(Function<Owned, T> opener) {
        Owned owned = new Owned();
        boolean complete = false;
        try {
            T opened = opener.apply(owned);
            complete = true;
            return opened;
        } finally {
            if (!complete) {
                owned.close();
            }
        }
    }

    /// Takes over `resource`.
    ///
    /// @return the resource
    public <T> T add(T resource, Consumer<? super T> close) {
        closers.push(() -> close.accept(resource));
        return resource;
    }

    /// Closes everything that was added, newest first; a second call does nothing.
    @Override
    public void close() {
        while (!closers.isEmpty()) {
            closers.pop().run();
        }
    }
}
