package dev.rote.train;

import java.util.ArrayList;
import java.util.List;

/// Times a piece of work that will be repeated.
final class Rehearsal {
    private Rehearsal() {}

    /// Repeats the work for about `seconds`, at least twice; seconds of the median of the last half.
    static double typical(double seconds, Runnable work) {
        List<Long> times = new ArrayList<>();
        long begin = System.nanoTime();
        while (times.size() < 2 || System.nanoTime() - begin < seconds * 1e9) {
            long start = System.nanoTime();
            work.run();
            times.add(System.nanoTime() - start);
        }
        List<Long> late =
                times.subList(times.size() / 2, times.size()).stream().sorted().toList();
        return late.get(late.size() / 2) * 1e-9;
    }
}
