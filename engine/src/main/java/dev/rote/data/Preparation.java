package dev.rote.data;

import dev.rote.errors.DataException;

/// What happens to each image, in study 1's order: to [0, 1]; resize so that the short side is `size`; crop the center
/// `size` x `size`; colour to gray by 0.2989 R + 0.587 G + 0.114 B (ITU-R BT.601 as torchvision rounds it). The resized
/// long side is the integer part of `size * long / short`; the crop starts at half the rest, halves rounded to even.
///
/// @param size 0 for the images' own
/// @param out what comes out of every image
/// @param eightBit bytes come out
record Preparation(int size, boolean gray, Extent out, boolean eightBit, long maxPixels) {
    /// True when no pixel's value changes: only whole rows, columns or copies of channels.
    static boolean exact(Extent e, int size, boolean gray) {
        return (size == 0 || Math.min(e.height(), e.width()) == size) && !(gray && e.channels() == 3);
    }

    /// Image bytes in `out`'s extent.
    byte[] bytes(Image image) {
        Image cropped = crop(image);
        int channels = cropped.extent().channels();
        if (channels == out.channels()) {
            return cropped.bytes();
        }
        byte[] spread = new byte[out.size()];
        for (int k = 0; k < spread.length; k++) {
            spread[k] = cropped.bytes()[k / out.channels()];
        }
        return spread;
    }

    /// Image values in [0, 1] in `out`'s extent.
    ///
    /// @throws DataException when the resized image, or the image half resized, has more than `maxPixels` pixels
    float[] floats(Image image, String name) {
        Image cropped = crop(shortSide(image, name));
        int channels = cropped.extent().channels();
        float[] result = new float[out.size()];
        int pixels = out.height() * out.width();
        for (int p = 0; p < pixels; p++) {
            if (gray && channels == 3) {
                result[p] = gray(cropped, 3 * p);
                continue;
            }
            for (int c = 0; c < out.channels(); c++) {
                result[p * out.channels() + c] = cropped.unit(p * channels + (channels == 1 ? 0 : c));
            }
        }
        return result;
    }

    private static float gray(Image image, int k) {
        return (float) (0.2989 * image.unit(k) + 0.587 * image.unit(k + 1) + 0.114 * image.unit(k + 2));
    }

    private Image shortSide(Image image, String name) {
        Extent e = image.extent();
        int shorter = Math.min(e.height(), e.width());
        if (size == 0 || shorter == size) {
            return image;
        }
        long height = e.height() <= e.width() ? size : (long) size * e.height() / e.width();
        long width = e.width() <= e.height() ? size : (long) size * e.width() / e.height();
        long pixels = Math.max(height, e.height()) * width;
        if (pixels > Math.min(maxPixels, (Integer.MAX_VALUE - 8) / e.channels())) {
            throw DataException.expected(
                    name,
                    "size",
                    "a shape that fits in " + maxPixels + " pixels when resized",
                    e + " to " + height + " x " + width);
        }
        Extent resized = new Extent((int) height, (int) width, e.channels());
        return Image.of(resized, Resize.resize(image, resized.height(), resized.width()));
    }

    private Image crop(Image image) {
        Extent e = image.extent();
        if (e.height() == out.height() && e.width() == out.width()) {
            return image;
        }
        int top = (int) Math.rint((e.height() - out.height()) / 2.0);
        int left = (int) Math.rint((e.width() - out.width()) / 2.0);
        Extent cut = new Extent(out.height(), out.width(), e.channels());
        int row = cut.width() * cut.channels();
        Object from = image.eightBit() ? image.bytes() : image.floats();
        Object to = image.eightBit() ? new byte[cut.size()] : new float[cut.size()];
        for (int h = 0; h < cut.height(); h++) {
            System.arraycopy(from, ((top + h) * e.width() + left) * e.channels(), to, h * row, row);
        }
        return image.eightBit() ? Image.of(cut, (byte[]) to) : Image.of(cut, (float[]) to);
    }
}
