package dev.rote.tools.report;

import java.util.regex.Pattern;

/// Text on its way into HTML.
final class Markup {
    private static final Pattern SUBSCRIPT = Pattern.compile("(τ|f)_(gen|mem|KL)");
    private static final Pattern EXPONENT = Pattern.compile("\\^(−?[0-9.]+)");

    private Markup() {}

    /// Escapes for element content and for quoted attributes.
    static String escape(String text) {
        StringBuilder safe = new StringBuilder(text.length() + 16);
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '&' -> safe.append("&amp;");
                case '<' -> safe.append("&lt;");
                case '>' -> safe.append("&gt;");
                case '"' -> safe.append("&quot;");
                case '\'' -> safe.append("&#39;");
                default -> safe.append(c);
            }
        }
        return safe.toString();
    }

    /// Escapes, then sets `τ_mem`, `f_mem` and `n^0.97` as mathematics.
    static String math(String text) {
        String safe = escape(text);
        safe = SUBSCRIPT.matcher(safe).replaceAll("<i>$1</i><sub>$2</sub>");
        return EXPONENT.matcher(safe).replaceAll("<sup>$1</sup>");
    }

    /// JSON inside a script element: the three characters that could end it or open a comment are escaped.
    static String scriptJson(String json) {
        return json.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026");
    }
}
