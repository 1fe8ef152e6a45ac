package dev.rote.config;

import java.util.List;
import java.util.OptionalLong;

/// Which images are trained on, and how they become numbers.
///
/// @param source a built-in set (`builtin:fashion-mnist`) or a path
/// @param size side in pixels to which images are resized and cropped; 0 leaves them as they are
/// @param gray whether colour becomes one channel
/// @param n number of training images; 0 takes all that the test set leaves
/// @param index which disjoint subset of `n` images: images `index * n` up to `(index + 1) * n - 1`
/// @param test number of images at the end of the set that are held out
/// @param center whether the scalar mean of the training images is subtracted
/// @param low what the smallest pixel value becomes, before centering
/// @param high what the largest pixel value becomes, before centering
/// @param flip whether training images are mirrored at random
/// @param shuffleSeed seed of the order in which images are numbered; empty for the natural order
/// @param skipUnreadable whether images that cannot be decoded are left out instead of being an error
public record DataConfig(
        String source,
        int size,
        boolean gray,
        int n,
        int index,
        int test,
        boolean center,
        double low,
        double high,
        boolean flip,
        OptionalLong shuffleSeed,
        boolean skipUnreadable) {

    static final List<String> KEYS = List.of(
            "source",
            "size",
            "gray",
            "n",
            "index",
            "test",
            "center",
            "range",
            "flip",
            "shuffle_seed",
            "skip_unreadable");

    /// @throws IllegalArgumentException when a value is out of range; the message names the dotted key
    public DataConfig {
        Check.that(!source.isBlank(), "data.source", "a path or a name such as \"builtin:fashion-mnist\"", "\"\"");
        Check.that(source.indexOf('\0') < 0, "data.source", "a path", "a NUL character");
        Check.between(0, 4096, "data.size", size);
        Check.atLeast(0, "data.n", n);
        Check.atLeast(0, "data.index", index);
        Check.that(index == 0 || n > 0, "data.index", "0 as long as data.n is 0", index);
        Check.atLeast(0, "data.test", test);
        Check.that(
                low < high && Double.isFinite(low) && Double.isFinite(high),
                "data.range",
                "[low, high] with low < high",
                "[" + TomlText.number(low) + ", " + TomlText.number(high) + "]");
    }

    /// Whether the source draws points from a mixture; see `data.Mixture`, which reads what follows the name.
    public boolean isMixture() {
        return source.matches("builtin:(gaussian|student)-mixture([?].*)?");
    }

    static DataConfig of(Section s) {
        List<Double> range = s.reals("range", List.of(0.0, 1.0));
        if (range.size() != 2) {
            throw s.wrong("range", "a list of two numbers", s.find("range").orElseThrow());
        }
        return new DataConfig(
                s.text("source"),
                s.integer("size", 0),
                s.flag("gray", false),
                s.integer("n", 0),
                s.integer("index", 0),
                s.integer("test", 0),
                s.flag("center", true),
                range.get(0),
                range.get(1),
                s.flag("flip", false),
                s.wide("shuffle_seed"),
                s.flag("skip_unreadable", false));
    }

    void write(TomlText toml) {
        toml.table("data")
                .put("source", source)
                .put("size", size)
                .put("gray", gray)
                .put("n", n)
                .put("index", index)
                .put("test", test)
                .put("center", center)
                .put("range", List.of(low, high))
                .put("flip", flip);
        shuffleSeed.ifPresent(seed -> toml.put("shuffle_seed", seed));
        toml.put("skip_unreadable", skipUnreadable);
    }
}
