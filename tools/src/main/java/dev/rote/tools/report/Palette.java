package dev.rote.tools.report;

/// Colours that stay apart for colour-blind readers.
final class Palette {
    /// The "plasma" map of matplotlib (Smith and van der Walt 2015, CC0) at 0, 0.1, ..., 1: perceptually uniform, and
    /// its lightness alone tells the order.
    private static final int[] PLASMA = {
        0x0d0887, 0x41049d, 0x6a00a8, 0x8f0da4, 0xb12a90, 0xcc4778, 0xe16462, 0xf2844b, 0xfca636, 0xfcce25, 0xf0f921
    };

    /// Okabe and Ito 2008, with grey in place of black and yellow: vermilion, blue, green, orange, sky, purple, grey.
    private static final int[] CATEGORIES = {0xd55e00, 0x0072b2, 0x009e73, 0xe69f00, 0x56b4e9, 0xcc79a7, 0x595959};

    private static final int[] CATEGORIES_ON_DARK = {
        0xff8a3d, 0x4aa8e0, 0x2fc79b, 0xf0b840, 0x8ccdf2, 0xe3a3c8, 0xbdbdbd
    };

    private Palette() {}

    /// Colour `index` of `count` in order, dark to bright. The pale end is cut off on a light ground (below 2:1
    /// contrast), the deep end on a dark one.
    static int sequential(int index, int count, boolean onDark) {
        double from = onDark ? 0.38 : 0.0;
        double to = onDark ? 0.97 : 0.77;
        return plasma(count <= 1 ? (onDark ? 0.65 : 0.25) : from + (to - from) * index / (count - 1));
    }

    /// Colour `index` of a set without order; repeats after seven.
    static int category(int index, boolean onDark) {
        return (onDark ? CATEGORIES_ON_DARK : CATEGORIES)[Math.floorMod(index, CATEGORIES.length)];
    }

    private static int plasma(double position) {
        double scaled = Math.clamp(position, 0, 1) * (PLASMA.length - 1);
        int below = (int) Math.min(Math.floor(scaled), PLASMA.length - 2);
        double part = scaled - below;
        int colour = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            int a = PLASMA[below] >> shift & 255;
            int b = PLASMA[below + 1] >> shift & 255;
            colour |= (int) Math.round(a + (b - a) * part) << shift;
        }
        return colour;
    }
}
