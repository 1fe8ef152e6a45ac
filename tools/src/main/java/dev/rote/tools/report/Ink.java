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
        SOLID,
        DASHED,
        DOTTED,
        DASH_DOT;

        float[] lengths() {
            return switch (this) {
                case SOLID -> new float[0];
                case DASHED -> new float[] {8, 4};
                case DOTTED -> new float[] {2, 4};
                case DASH_DOT -> new float[] {9, 4, 2, 4};
            };
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
