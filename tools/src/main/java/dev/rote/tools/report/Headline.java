package dev.rote.tools.report;

import dev.rote.tools.report.Clock.FirstCopy;
import dev.rote.tools.report.Clock.KlRise;
import dev.rote.tools.report.Clock.LossSplit;
import dev.rote.tools.report.Clock.NormalizedRise;
import dev.rote.tools.report.Clock.Plateau;
import dev.rote.tools.report.Clock.TauGen;
import dev.rote.tools.report.Clock.TauKl;
import dev.rote.tools.report.Clock.TauMem;
import java.util.List;

/// Which of a study's numbers lead its report: the study's `[analysis]`.
///
/// @param thresholds memorized fractions at which tau_mem is read, growing; the lowest is the headline
/// @param k distance ratio of the headline
public record Headline(List<Double> thresholds, double k) {
    /// 1 %, 10 % and 50 % at k = 1/3.
    public static final Headline PAPER = new Headline(List.of(0.01, 0.1, 0.5), Clock.PAPER_K);

    public Headline {
        thresholds = thresholds.stream().sorted().toList();
        if (thresholds.isEmpty()) {
            throw new IllegalArgumentException("expected at least one threshold");
        }
        tauMem(thresholds.getFirst(), k);
    }

    /// The memorization time that the verdict speaks of.
    public TauMem tauMem() {
        return tauMem(thresholds.getFirst(), k);
    }

    private static TauMem tauMem(double threshold, double k) {
        return new TauMem(threshold, k);
    }

    /// True for the clocks of the main table: those without a ratio, and those at the headline's.
    boolean leads(Clock clock) {
        return switch (clock) {
            case TauGen gen -> true;
            case TauKl fall -> true;
            case KlRise rise -> true;
            case LossSplit split -> true;
            case TauMem mem -> isHeadline(mem.k());
            case FirstCopy copy -> isHeadline(copy.k());
            case Plateau plateau -> true;
            case NormalizedRise rise -> isHeadline(rise.k());
        };
    }

    boolean isHeadline(double ratio) {
        return Math.abs(ratio - k) < 1e-9;
    }

    /// `τ_mem`, with threshold and ratio where they are not the paper's: `τ_mem (5 %, k = 1/2)`.
    String symbol() {
        boolean paper = Math.abs(thresholds.getFirst() - 0.01) < 1e-12 && Math.abs(k - Clock.PAPER_K) < 1e-9;
        return paper ? "τ_mem" : "τ_mem (" + Digits.percent(thresholds.getFirst()) + ", k = " + Digits.ratio(k) + ")";
    }
}
