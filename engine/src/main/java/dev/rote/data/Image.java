package dev.rote.data;

/// One picture, channels innermost `[height, width, channels]`: either 8-bit (`bytes`, unsigned) or float
/// (`floats`, in [0, 1]); the other array is null. The arrays are handed over, not copied.
public record Image(Extent extent, byte[] bytes, float[] floats) {
    public Image {
        if ((bytes == null) == (floats == null)) {
            throw new IllegalArgumentException("image: expected either bytes or floats, found both or neither");
        }
        int length = bytes != null ? bytes.length : floats.length;
        if (length != extent.size()) {
            throw new IllegalArgumentException("image: expected " + extent.size() + " values, found " + length);
        }
    }

    public static Image of(Extent extent, byte[] bytes) {
        return new Image(extent, bytes, null);
    }

    public static Image of(Extent extent, float[] floats) {
        return new Image(extent, null, floats);
    }

    public boolean eightBit() {
        return bytes != null;
    }

    /// Value number `k` in [0, 1].
    float unit(int k) {
        return bytes != null ? (bytes[k] & 0xff) / 255f : floats[k];
    }
}
