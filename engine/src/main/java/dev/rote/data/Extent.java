package dev.rote.data;

/// Size of one image: rows, columns and values per pixel.
public record Extent(int height, int width, int channels) {
    public Extent {
        if (height <= 0 || width <= 0 || channels <= 0) {
            throw new IllegalArgumentException(
                    "extent: expected positive sizes, found " + height + " x " + width + " x " + channels);
        }
        if ((double) height * width * channels > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException(
                    "extent: expected fewer than 2^31 values, found " + height + " x " + width + " x " + channels);
        }
    }

    /// Values in one image.
    public int size() {
        return height * width * channels;
    }

    @Override
    public String toString() {
        return height + " x " + width + " x " + channels;
    }
}
