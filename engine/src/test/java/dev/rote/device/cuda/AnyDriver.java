package dev.rote.device.cuda;

import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Runs a test on the stand-in, or on the GPU of this machine where `-Drote.test.gpu=true` asks for it.
///
/// `-Drote.test.every=N` takes every N-th case only, for checkers that slow a kernel down a hundred times.
final class AnyDriver implements BeforeAllCallback {
    private static final boolean GPU = Boolean.getBoolean("rote.test.gpu");
    private static final int EVERY = Integer.getInteger("rote.test.every", 1);

    static boolean isGpu() {
        return GPU;
    }

    /// The order of threads on the stand-in; a GPU has its own, another each time.
    static void descending(boolean descending) {
        StandIn.loaded().ifPresent(standIn -> standIn.descending(descending));
    }

    static <T> Stream<T> some(List<T> cases) {
        return IntStream.range(0, cases.size())
                .filter(index -> index % EVERY == 0)
                .mapToObj(cases::get);
    }

    @Override
    public void beforeAll(ExtensionContext test) {
        if (!GPU) {
            StandInExtension.load();
        }
    }
}
