package dev.rote.data;

/// Bounds on what a file may make a reader do.
///
/// @param maxPixels largest picture that is decoded, and largest intermediate of a resize, in pixels
/// @param maxInflatedBytes most bytes that one compressed array (`.gz`, `.npz`) may unpack to
/// @param maxImageFileBytes largest single picture file, packed or as a zip entry
public record ReadOptions(long maxPixels, long maxInflatedBytes, long maxImageFileBytes) {
    /// 67 million pixels, 16 GiB, 256 MiB.
    public static final ReadOptions DEFAULT = new ReadOptions(1L << 26, 1L << 34, 1L << 28);

    public ReadOptions {
        if (maxPixels <= 0 || maxInflatedBytes <= 0 || maxImageFileBytes <= 0 || maxImageFileBytes >= 1L << 31) {
            throw new IllegalArgumentException("read options: expected positive bounds and maxImageFileBytes < 2^31,"
                    + " found " + maxPixels + ", " + maxInflatedBytes + ", " + maxImageFileBytes);
        }
    }
}
