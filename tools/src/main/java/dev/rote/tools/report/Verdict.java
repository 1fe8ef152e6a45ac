package dev.rote.tools.report;

import dev.rote.tools.report.Clock.TauGen;
import dev.rote.tools.report.Clock.TauMem;
import dev.rote.tools.report.Quantity.MemorizedFraction;
import dev.rote.tools.report.Reading.Reached;
import dev.rote.tools.report.RunStatus.State;
import dev.rote.tools.report.ScalingFit.PowerLaw;
import java.util.ArrayList;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;

/// The report in a few sentences.
final class Verdict {
    static final TauMem TAU_MEM = new TauMem(0.01, Clock.PAPER_K);
    static final TauGen TAU_GEN = new TauGen();

    private Verdict() {}

    /// The one sentence at the top.
    static String headline(StudyReport report) {
        Optional<ScalingFit> fit = report.fits().stream()
                .filter(f -> f.clock().equals(TAU_MEM) && f.law().isPresent())
                .findFirst();
        if (fit.isPresent()) {
            return growth(fit.get(), fit.get().law().orElseThrow());
        }
        List<RunCurves> copying = report.runs().stream()
                .filter(r -> r.time(TAU_MEM).orElse(null) instanceof Reached)
                .toList();
        if (copying.size() == 1) {
            Reached at = (Reached) copying.getFirst().time(TAU_MEM).orElseThrow();
            return "Copying starts at τ_mem = " + Digits.compact(at.value()) + interval(at.low(), at.high())
                    + " updates in run " + copying.getFirst().label() + ".";
        }
        if (!copying.isEmpty()) {
            return "Copying starts in " + copying.size() + " of "
                    + report.runs().size() + " runs; there is no fit over them.";
        }
        boolean measured = report.runs().stream()
                .flatMap(r -> r.curves().stream())
                .anyMatch(c ->
                        c.quantity() instanceof MemorizedFraction && !c.points().isEmpty());
        return measured
                ? "No run has been seen to cross f_mem = 1 % so far."
                : "The memorized fraction has not been measured yet.";
    }

    /// What else a reader wants to know first; may be empty.
    static List<String> details(StudyReport report) {
        List<String> sentences = new ArrayList<>();
        generation(report).ifPresent(sentences::add);
        window(report).ifPresent(sentences::add);
        sentences.add(progress(report));
        return sentences;
    }

    private static String growth(ScalingFit fit, PowerLaw law) {
        String sentence = "τ_mem grows as " + fit.variable() + "^" + Digits.twoDecimals(law.slope());
        if (!Double.isFinite(law.low()) || !Double.isFinite(law.high())) {
            return sentence + where(fit) + ".";
        }
        sentence += " (95 % interval " + Digits.twoDecimals(law.low()) + "–" + Digits.twoDecimals(law.high()) + ")"
                + where(fit);
        if (!fit.variable().equals("n")) {
            return sentence + ".";
        }
        return sentence + linearity(law);
    }

    private static String linearity(PowerLaw law) {
        if (1 < law.low() || law.high() < 1) {
            return ": the interval excludes growth proportional to n.";
        }
        return law.low() <= 0
                ? ": too wide to tell growth proportional to n from none."
                : ": in line with growth proportional to n.";
    }

    private static String where(ScalingFit fit) {
        return fit.where().isEmpty() ? "" : " at " + fit.where();
    }

    private static Optional<String> generation(StudyReport report) {
        DoubleSummaryStatistics times =
                report.runs().stream().flatMapToDouble(r -> reached(r, TAU_GEN)).summaryStatistics();
        if (times.getCount() == 0) {
            return Optional.empty();
        }
        String text = times.getCount() == 1 || times.getMin() == times.getMax()
                ? "Samples are good from τ_gen = " + Digits.compact(times.getMin()) + " updates on"
                : "Samples are good from τ_gen = " + Digits.compact(times.getMin()) + "–"
                        + Digits.compact(times.getMax()) + " updates on";
        return Optional.of(text
                + report.fits().stream()
                        .filter(f -> f.clock().equals(TAU_GEN) && f.law().isPresent())
                        .findFirst()
                        .map(f -> exponent(f, f.law().orElseThrow()))
                        .orElse("")
                + ".");
    }

    private static String exponent(ScalingFit fit, PowerLaw law) {
        return " (∝ " + fit.variable() + "^" + Digits.twoDecimals(law.slope())
                + (Double.isFinite(law.low())
                        ? ", 95 % interval of the exponent " + Digits.twoDecimals(law.low()) + " to "
                                + Digits.twoDecimals(law.high())
                        : "")
                + ")";
    }

    private static Optional<String> window(StudyReport report) {
        double[] factors = report.runs().stream()
                .flatMapToDouble(r ->
                        reached(r, TAU_MEM).flatMap(mem -> reached(r, TAU_GEN).map(gen -> mem / gen)))
                .toArray();
        if (factors.length == 0) {
            return Optional.empty();
        }
        DoubleSummaryStatistics range = DoubleStream.of(factors).summaryStatistics();
        String spread = factors.length == 1
                ? "τ_mem/τ_gen is " + Digits.compact(range.getMin())
                : "τ_mem/τ_gen runs from " + Digits.compact(range.getMin()) + " to " + Digits.compact(range.getMax());
        return Optional.of(spread + (factors.length == 1 ? " in the only run" : " over the " + factors.length + " runs")
                + " where both times are known.");
    }

    private static String progress(StudyReport report) {
        List<String> parts = new ArrayList<>();
        for (State state : State.values()) {
            long count = report.runs().stream()
                    .filter(r -> r.status().state() == state)
                    .count();
            if (count > 0) {
                parts.add(count + " " + state.word());
            }
        }
        int runs = report.runs().size();
        return runs + (runs == 1 ? " run" : " runs") + (parts.isEmpty() ? "" : ": " + String.join(", ", parts)) + ".";
    }

    private static DoubleStream reached(RunCurves run, Clock clock) {
        return run.time(clock).orElse(null) instanceof Reached r ? DoubleStream.of(r.value()) : DoubleStream.empty();
    }

    private static String interval(double low, double high) {
        return Double.isFinite(low) && Double.isFinite(high)
                ? " [" + Digits.compact(low) + ", " + Digits.compact(high) + "]"
                : "";
    }
}
