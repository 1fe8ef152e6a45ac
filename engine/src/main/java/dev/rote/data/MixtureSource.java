package dev.rote.data;

import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/// The points of a [Mixture], drawn when they are read. Values are not bound to [0, 1]; nothing but reading happens to
/// them.
record MixtureSource(String text, Mixture mixture) implements DataSource {
    private Extent extent() {
        return new Extent(1, 1, mixture.dimension());
    }

    @Override
    public int count() {
        return mixture.count();
    }

    @Override
    public Frame frame(int i) {
        Objects.checkIndex(i, count());
        return new Frame(extent(), false);
    }

    @Override
    public Image read(int i) {
        Objects.checkIndex(i, count());
        return Image.of(extent(), mixture.point(i));
    }

    @Override
    public String name(int i) {
        return text + ": point " + i;
    }

    @Override
    public Optional<int[]> labels() {
        return Optional.of(IntStream.range(0, count()).map(mixture::label).toArray());
    }

    @Override
    public void close() {
        // It holds nothing.
    }
}
