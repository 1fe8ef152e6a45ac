package dev.rote.reference;

import dev.rote.graph.Plan;
import dev.rote.graph.Value;
import java.util.Arrays;

/// Step values in one shared arena at the places that a [Plan] gives them; everything else by itself.
///
/// The arena has one double for each byte of the plan's. An element of b bytes stands in the first of its b places and
/// writing it makes the others NaN, so that two values that overlap by a single byte destroy each other here as well.
final class ArenaStorage implements Storage {
    private final Plan plan;
    private final Storage others;
    private final double[] arena;

    ArenaStorage(Plan plan, Storage others) {
        this.plan = plan;
        this.others = others;
        this.arena = new double[Math.toIntExact(plan.arenaBytes())];
    }

    @Override
    public double[] read(Value value) {
        if (!plan.isInArena(value)) {
            return others.read(value);
        }
        double[] elements = new double[Math.toIntExact(value.elements())];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = arena[place(value, i)];
        }
        return elements;
    }

    @Override
    public void write(Value value, double[] elements) {
        if (!plan.isInArena(value)) {
            others.write(value, elements);
            return;
        }
        for (int i = 0; i < elements.length; i++) {
            int place = place(value, i);
            Arrays.fill(arena, place, place + value.dtype().bytes(), Double.NaN);
            arena[place] = elements[i];
        }
    }

    @Override
    public void start() {
        others.start();
        Arrays.fill(arena, Double.NaN);
    }

    private int place(Value value, int element) {
        return (int) plan.arenaOffset(value) + element * value.dtype().bytes();
    }
}
