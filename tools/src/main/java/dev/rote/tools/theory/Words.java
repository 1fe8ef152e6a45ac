package dev.rote.tools.theory;

import dev.rote.metrics.Interval;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Numbers and cases as a reader wants them.
final class Words {
    private Words() {}

    /// Three significant digits.
    static String number(double value) {
        if (!Double.isFinite(value)) {
            return Double.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
        }
        double size = Math.abs(value);
        if (value != 0 && (size < 1e-3 || size >= 1e6)) {
            return String.format(Locale.ROOT, "%.2e", value)
                    .replace("e-0", "e-")
                    .replace("e+0", "e")
                    .replace("-", "−");
        }
        return new BigDecimal(value)
                .round(new MathContext(3))
                .stripTrailingZeros()
                .toPlainString()
                .replace("-", "−");
    }

    /// As few digits as the number has.
    static String exact(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? Long.toString((long) value)
                : Double.toString(value);
    }

    /// `−0.64 (−0.71 to −0.57)`.
    static String interval(Interval interval) {
        String ends = Double.isFinite(interval.low()) && Double.isFinite(interval.high())
                ? " (" + number(interval.low()) + " to " + number(interval.high()) + ")"
                : "";
        return number(interval.value()) + ends;
    }

    /// `0.0123 to 0.456`.
    static String range(double low, double high) {
        return Double.isNaN(low) ? "–" : number(low) + " to " + number(high);
    }

    /// What tells a group of cases from the others of its file: `law tails, t = 0.1, ψp = 64`; empty if it is the only
    /// one.
    static String group(TheoryFile file, TheoryFile.Case one) {
        List<String> parts = new ArrayList<>();
        if (file.laws().size() > 1) {
            parts.add(one.law().name());
        }
        if (file.model().t().size() > 1) {
            parts.add("t = " + exact(one.t()));
        }
        if (file.model().psiP().size() > 1) {
            parts.add("ψp = " + exact(one.psiP()));
        }
        return String.join(", ", parts);
    }

    /// The group before a word of its own: `t = 0.1: losses`.
    static String titled(String group, String title) {
        return group.isEmpty() ? title : group + ": " + title;
    }

    /// A part of a file name.
    static String fileName(String text) {
        return text.replace("ψ", "psi_").replaceAll("[^A-Za-z0-9.-]+", "_").replaceAll("^_|_$", "");
    }
}
