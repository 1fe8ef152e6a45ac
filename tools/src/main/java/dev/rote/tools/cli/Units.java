package dev.rote.tools.cli;

import java.util.List;
import java.util.Locale;

/// Numbers for people.
public final class Units {
    private Units() {}

    /// `0 s`, `0.0346 ms`, `3.40 ms`, `12 s`, `3 min 05 s`, `2 h 03 min`, `1 d 04 h`; `?` for no number.
    public static String time(double seconds) {
        if (!Double.isFinite(seconds)) {
            return "?";
        }
        if (seconds < 5e-9) {
            return "0 s";
        }
        if (seconds < 9.95) {
            return seconds < 0.9995 ? three(seconds * 1000) + " ms" : three(seconds) + " s";
        }
        long whole = Math.round(seconds);
        if (whole < 60) {
            return whole + " s";
        }
        if (whole < 3600) {
            return String.format(Locale.ROOT, "%d min %02d s", whole / 60, whole % 60);
        }
        long minutes = Math.round(seconds / 60);
        if (minutes < 24 * 60) {
            return String.format(Locale.ROOT, "%d h %02d min", minutes / 60, minutes % 60);
        }
        long hours = Math.round(seconds / 3600);
        return String.format(Locale.ROOT, "%,d d %02d h", hours / 24, hours % 24);
    }

    /// In powers of 1024: `12.3 MiB`.
    static String bytes(long bytes) {
        return scaled(bytes, 1024, List.of("B", "KiB", "MiB", "GiB", "TiB"));
    }

    /// In powers of 1000: `1.23 GFLOP`.
    static String flops(long flops) {
        return scaled(flops, 1000, List.of("FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP", "PFLOP"));
    }

    /// `1,234,567`.
    static String count(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    /// Three digits or more, no exponent.
    static String three(double value) {
        double size = Math.abs(value);
        int decimals =
                size < 0.00995 ? 5 : size < 0.0995 ? 4 : size < 0.9995 ? 3 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    private static String scaled(long amount, int step, List<String> units) {
        double value = amount;
        int unit = 0;
        while (value >= step && unit < units.size() - 1) {
            value /= step;
            unit++;
        }
        return (unit == 0 ? Long.toString(amount) : three(value)) + " " + units.get(unit);
    }
}
