package dev.rote.metrics;

/// Whether the module `jdk.incubator.vector` is part of this run (`--add-modules jdk.incubator.vector`). Without it
/// everything here still works, through plain loops, and gives the same results.
final class SimdSupport {
    static final boolean AVAILABLE =
            ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();

    private SimdSupport() {}
}
