package dev.rote.config;

import java.util.List;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/// At which levels of a U-Net self-attention follows each residual block: at the listed resolutions, or at the
/// coarsest few levels whatever their size. In TOML `[16, 8]` or `{ coarsest = 2 }`.
public sealed interface Attention extends TomlText.Spelt {
    /// Whether the level with this number (0 is the finest) and side in pixels has attention.
    boolean at(int level, int levels, int resolution);

    /// Refuses resolutions that no level has.
    ///
    /// @param size side in pixels of the images
    /// @throws IllegalArgumentException naming the key and the sides that there are
    default void checkOccurs(int levels, int size) {
        if (this instanceof Resolutions chosen) {
            List<Integer> occurring =
                    IntStream.range(0, levels).mapToObj(level -> size >> level).toList();
            for (int side : chosen.sides()) {
                Check.that(
                        occurring.contains(side),
                        "model.attention",
                        "sides that occur, for images of " + size + " pixels " + occurring,
                        side);
            }
        }
    }

    /// Sides in pixels; empty for no attention.
    record Resolutions(List<Integer> sides) implements Attention {
        public Resolutions {
            sides = List.copyOf(sides);
            Check.distinct("model.attention", sides);
            for (int side : sides) {
                Check.atLeast(1, "model.attention", side);
            }
        }

        @Override
        public boolean at(int level, int levels, int resolution) {
            return sides.contains(resolution);
        }

        @Override
        public String toml() {
            return sides.toString();
        }
    }

    /// The `levels` coarsest levels.
    record Coarsest(int count) implements Attention {
        public Coarsest {
            Check.atLeast(0, "model.attention.coarsest", count);
        }

        @Override
        public boolean at(int level, int levels, int resolution) {
            return level >= levels - count;
        }

        @Override
        public String toml() {
            return "{ coarsest = " + count + " }";
        }
    }

    static Attention of(Section model, ConfigTree tree, Attention fallback) {
        JsonNode node = model.find("attention").orElse(null);
        if (node == null) {
            return fallback;
        }
        if (node.isObject()) {
            return new Coarsest(
                    Section.of(tree, "model.attention", List.of("coarsest")).integer("coarsest"));
        }
        if (!node.isArray()) {
            throw model.wrong("attention", "a list of resolutions or { coarsest = COUNT }", node);
        }
        return new Resolutions(model.integers("attention", List.of()));
    }
}
