package dev.rote.device.cpu;

/// One node of one lane, ready to run: addresses resolved, primitives created. [#run] allocates nothing that escapes.
@FunctionalInterface
interface Kernel {
    void run();
}
