package dev.rote.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Graphs of random operations on images [2,4,4,8]: chains, forks, joins, reshapes, changes in place, kept values.
final class RandomGraph {
    static final Shape IMAGE = Shape.of(2, 4, 4, 8);

    private final Random random;
    private final Graph graph = new Graph();
    private final List<Value> images = new ArrayList<>();

    private RandomGraph(long seed) {
        this.random = new Random(seed);
    }

    static Graph of(long seed) {
        return new RandomGraph(seed).build();
    }

    private Graph build() {
        images.add(graph.external("x", new TensorType(IMAGE, DType.F32)));
        int nodes = 3 + random.nextInt(25);
        for (int i = 0; i < nodes; i++) {
            grow();
        }
        Value last = images.getLast();
        graph.keep(last);
        if (random.nextBoolean()) {
            Value flat = graph.reshape(last, Shape.of((int) last.elements()));
            Value loss = graph.apply(new Reduce(Reduce.Kind.MEAN, 0, 1), graph.apply(new Multiply(), flat, flat));
            graph.keep(
                    Autodiff.gradients(graph, loss, List.of(images.getFirst())).getFirst());
        }
        return graph;
    }

    private Value any() {
        // Recent values more often, so that chains grow in which storage can be taken over.
        int back = Math.min(images.size() - 1, (int) Math.abs(random.nextGaussian() * 2));
        return images.get(images.size() - 1 - back);
    }

    private void grow() {
        Value x = any();
        Value made =
                switch (random.nextInt(12)) {
                    case 0 -> graph.apply(new Add(), x, any());
                    case 1 -> graph.apply(new Multiply(), x, any());
                    case 2 -> graph.apply(new Scale(0.9f, 0.1f), x);
                    case 3 -> graph.apply(new Activation(kind()), x);
                    case 4 -> graph.apply(new GroupNorm(2, 1e-3f, random.nextBoolean()), x, channel(1), channel(0));
                    case 5 -> graph.apply(new AveragePool(2), graph.apply(new Upsample(), x));
                    case 6 -> half(x);
                    case 7 -> {
                        Value rows = graph.reshape(x, Shape.of(2, 16, 8));
                        yield graph.reshape(graph.apply(new Softmax(), rows), IMAGE);
                    }
                    case 8 -> graph.apply(new Cast(DType.F32), graph.apply(new Cast(DType.BF16), x));
                    case 9 -> graph.apply(Conv2d.same(3), x, graph.external("w", TensorType.f32(8, 3, 3, 8)));
                    case 10 -> {
                        Value inner = graph.reshape(x, Shape.of(4, 8, 8));
                        yield graph.reshape(graph.apply(new Scale(1.1f, 0), inner), IMAGE);
                    }
                    default -> {
                        Value copy = graph.apply(new Scale(0.5f, 0), x);
                        graph.perform(new AllReduce(), copy);
                        yield copy;
                    }
                };
        images.add(made);
        if (random.nextInt(6) == 0) {
            graph.keep(made);
        }
    }

    /// The two halves of the channels exchanged.
    private Value half(Value x) {
        Value low = graph.apply(new Slice(3, 0, 3), x);
        Value high = graph.apply(new Slice(3, 3, 5), x);
        return graph.apply(new Concat(3), high, low);
    }

    private Activation.Kind kind() {
        Activation.Kind[] kinds = {Activation.Kind.SILU, Activation.Kind.GELU, Activation.Kind.TANH};
        return kinds[random.nextInt(kinds.length)];
    }

    private Value channel(float number) {
        float[] numbers = new float[8];
        java.util.Arrays.fill(numbers, number);
        return graph.constant("channel" + number, TensorType.f32(8), numbers);
    }
}
