package dev.rote.tools.report;

import java.util.Objects;

/// Images as the sheets draw them.
///
/// @param count N
/// @param height H in pixels
/// @param width W in pixels
/// @param channels C, 1 (gray) or 3 (RGB)
/// @param pixels [N,H,W,C], C fastest, values in [0, 1]; anything outside is clipped, NaN becomes black. Not copied:
///     the caller leaves it unchanged while a sheet is drawn
public record ImageBatch(int count, int height, int width, int channels, float[] pixels) {
    public ImageBatch {
        Objects.requireNonNull(pixels, "pixels");
        if (count < 0 || height < 1 || width < 1 || (channels != 1 && channels != 3)) {
            throw new IllegalArgumentException("expected N >= 0, H, W >= 1 and C of 1 or 3, found [" + count + ","
                    + height + "," + width + "," + channels + "]");
        }
        long expected = (long) count * height * width * channels;
        if (pixels.length != expected) {
            throw new IllegalArgumentException("pixels: expected " + expected + " values, found " + pixels.length);
        }
    }

    /// The colour of one pixel, `0xRRGGBB`.
    int rgb(int image, int y, int x) {
        int at = ((image * height + y) * width + x) * channels;
        return channels == 1 ? 0x010101 * level(at) : level(at) << 16 | level(at + 1) << 8 | level(at + 2);
    }

    private int level(int at) {
        return Math.round(255 * Math.clamp(Float.isNaN(pixels[at]) ? 0 : pixels[at], 0f, 1f));
    }

    void requireSameShape(ImageBatch other, String name) {
        if (other.count != count || other.height != height || other.width != width) {
            throw new IllegalArgumentException(name + ": expected [" + count + "," + height + "," + width
                    + ",.], found [" + other.count + "," + other.height + "," + other.width + ",.]");
        }
    }
}
