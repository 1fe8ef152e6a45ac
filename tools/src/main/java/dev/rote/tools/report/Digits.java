package dev.rote.tools.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/// Numbers as a reader wants them: three significant digits, thin groups of thousands, no noise.
public final class Digits {
    private static final char GROUP = '\u202f';
    private static final String SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

    private Digits() {}

    /// Three significant digits: `2 350`, `0.0123`, `1.2×10⁻⁶`; `–` when not finite.
    public static String compact(double value) {
        if (!Double.isFinite(value)) {
            return Double.isNaN(value) ? "–" : value > 0 ? "∞" : "−∞";
        }
        if (value == 0) {
            return "0";
        }
        double magnitude = Math.abs(value);
        BigDecimal rounded = new BigDecimal(value).round(new MathContext(3, RoundingMode.HALF_EVEN));
        if (magnitude < 1e-3 || magnitude >= 1e7) {
            return scientific(rounded);
        }
        return grouped(rounded);
    }

    /// A number of steps: exact below 10 000, then three significant digits.
    public static String steps(double value) {
        if (Double.isFinite(value) && Math.abs(value) < 10_000) {
            return Math.abs(value) < 10 && value != Math.rint(value)
                    ? compact(value)
                    : grouped(BigDecimal.valueOf(Math.round(value)));
        }
        return compact(value);
    }

    /// A share as a percentage with at most three digits: `1.25 %`.
    public static String percent(double share) {
        return Double.isFinite(share) ? compact(100 * share) + " %" : "–";
    }

    /// Two decimals, for exponents and coefficients of determination.
    public static String twoDecimals(double value) {
        return Double.isFinite(value)
                ? String.format(Locale.ROOT, "%.2f", value).replace('-', '−')
                : "–";
    }

    /// The shortest decimal that a file or a key can carry: `0.01`, `1`, `10`.
    static String plain(double value) {
        if (!Double.isFinite(value)) {
            return Double.toString(value);
        }
        BigDecimal decimal = new BigDecimal(value).round(new MathContext(9, RoundingMode.HALF_EVEN));
        return decimal.signum() == 0 ? "0" : decimal.stripTrailingZeros().toPlainString();
    }

    /// `1/3` where one over the ratio is an integer, otherwise the decimal.
    static String ratio(double k) {
        double inverse = 1 / k;
        return inverse > 1.5 && Math.abs(inverse - Math.rint(inverse)) < 1e-6 ? "1/" + Math.round(inverse) : plain(k);
    }

    /// `10³`
    static String powerOfTen(int exponent) {
        StringBuilder text = new StringBuilder("10");
        if (exponent < 0) {
            text.append('⁻');
        }
        for (char digit : Integer.toString(Math.abs(exponent)).toCharArray()) {
            text.append(SUPERSCRIPTS.charAt(digit - '0'));
        }
        return text.toString();
    }

    private static String scientific(BigDecimal value) {
        int exponent = value.precision() - value.scale() - 1;
        String mantissa = value.movePointLeft(exponent).stripTrailingZeros().toPlainString();
        return mantissa.replace('-', '−') + "×" + powerOfTen(exponent);
    }

    private static String grouped(BigDecimal value) {
        String text = value.stripTrailingZeros().toPlainString();
        int point = text.indexOf('.') < 0 ? text.length() : text.indexOf('.');
        StringBuilder grouped = new StringBuilder(text);
        int first = text.startsWith("-") ? 1 : 0;
        for (int i = point - 3; i > first; i -= 3) {
            grouped.insert(i, GROUP);
        }
        return grouped.toString().replace('-', '−');
    }
}
