package dev.rote.tools.report;

import java.util.Locale;

/// How one series is drawn, on screen and on paper.
///
/// @param light colour on a light ground, `0xRRGGBB`
/// @param dark colour on a dark ground, `0xRRGGBB`
/// @param dash line pattern
/// @param symbol marker
record Ink(int light, int dark, Dash dash, Symbol symbol) {
    /// Line patterns as on-off lengths in pixels; an empty array is a solid line.
    enum Dash {
        SOLID(),
        DASHED(8, 4),
        DOTTED(2, 4),
        DASH_DOT(9, 4, 2, 4);

        private final float[] lengths;

        Dash(float... lengths) {
            this.lengths = lengths;
        }

        float[] lengths() {
            return lengths.clone();
        }
    }

    /// Marker shapes that both drawing libraries have.
    enum Symbol {
        CIRCLE,
        SQUARE,
        DIAMOND,
        TRIANGLE
    }

    static String css(int colour) {
        return String.format(Locale.ROOT, "#%06x", colour);
    }
}
