package dev.rote.data;

import java.util.Objects;
import java.util.OptionalLong;

/// Which images to train on and how to prepare them; [TrainingData#load] says in which order things happen.
///
/// @param source a path, `raw:...` or `builtin:fashion-mnist`, see [DataSource#open]
/// @param size height and width wanted, in pixels; 0 keeps the images' own size, which must then be one
/// @param gray reduce colour to one channel
/// @param n training images; 0 means all that are not test images
/// @param index which block of `n` images: `index*n` to `(index+1)*n - 1`
/// @param test test images, taken from the end
/// @param center subtract the scalar mean of the training images
/// @param low network value of black
/// @param high network value of white
/// @param flip recorded for the device: mirror images at random when a batch is drawn
/// @param shuffleSeed permute the images that are not test images before choosing the block
/// @param skipUnreadable leave out damaged picture files and count them, instead of failing
public record DataOptions(
        String source,
        int size,
        boolean gray,
        int n,
        int index,
        int test,
        boolean center,
        float low,
        float high,
        boolean flip,
        OptionalLong shuffleSeed,
        boolean skipUnreadable) {
    public DataOptions {
        Objects.requireNonNull(source, "source");
        Objects.requireNonNull(shuffleSeed, "shuffleSeed");
        requireNotNegative("size", size);
        requireNotNegative("n", n);
        requireNotNegative("index", index);
        requireNotNegative("test", test);
        if (size > 1 << 14) {
            throw new IllegalArgumentException("size: expected at most 16384, found " + size);
        }
        if (n == 0 && index != 0) {
            throw new IllegalArgumentException("index: expected 0 when n is 0 (all images), found " + index);
        }
        if (!(low < high) || Float.isInfinite(low) || Float.isInfinite(high)) {
            throw new IllegalArgumentException("low, high: expected low < high, found " + low + " and " + high);
        }
    }

    /// All images of `source` at their own size and channels, values in [0, 1], centered.
    public static DataOptions of(String source) {
        return new DataOptions(source, 0, false, 0, 0, 0, true, 0f, 1f, false, OptionalLong.empty(), false);
    }

    public DataOptions withSize(int value) {
        return new DataOptions(
                source, value, gray, n, index, test, center, low, high, flip, shuffleSeed, skipUnreadable);
    }

    public DataOptions withGray(boolean value) {
        return new DataOptions(
                source, size, value, n, index, test, center, low, high, flip, shuffleSeed, skipUnreadable);
    }

    /// Block `block` of `images` training images.
    public DataOptions withTrain(int images, int block) {
        return new DataOptions(
                source, size, gray, images, block, test, center, low, high, flip, shuffleSeed, skipUnreadable);
    }

    public DataOptions withTest(int value) {
        return new DataOptions(
                source, size, gray, n, index, value, center, low, high, flip, shuffleSeed, skipUnreadable);
    }

    public DataOptions withCenter(boolean value) {
        return new DataOptions(source, size, gray, n, index, test, value, low, high, flip, shuffleSeed, skipUnreadable);
    }

    public DataOptions withRange(float black, float white) {
        return new DataOptions(
                source, size, gray, n, index, test, center, black, white, flip, shuffleSeed, skipUnreadable);
    }

    public DataOptions withFlip(boolean value) {
        return new DataOptions(
                source, size, gray, n, index, test, center, low, high, value, shuffleSeed, skipUnreadable);
    }

    public DataOptions withShuffle(long seed) {
        return new DataOptions(
                source, size, gray, n, index, test, center, low, high, flip, OptionalLong.of(seed), skipUnreadable);
    }

    public DataOptions withSkipUnreadable(boolean value) {
        return new DataOptions(source, size, gray, n, index, test, center, low, high, flip, shuffleSeed, value);
    }

    private static void requireNotNegative(String name, int value) {
        if (value < 0) {
            throw new IllegalArgumentException(name + ": expected 0 or more, found " + value);
        }
    }
}
