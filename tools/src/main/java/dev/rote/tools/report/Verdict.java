package dev.rote.tools.report;

import dev.rote.tools.report.Clock.KlRise;
import dev.rote.tools.report.Clock.TauGen;
import dev.rote.tools.report.Clock.TauKl;
import dev.rote.tools.report.Quantity.MemorizedFraction;
import dev.rote.tools.report.Reading.AtLeast;
import dev.rote.tools.report.Reading.Reached;
import dev.rote.tools.report.RunStatus.State;
import dev.rote.tools.report.ScalingFit.PowerLaw;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.DoubleStream;

/// The report in a few sentences.
final class Verdict {
    static final TauGen TAU_GEN = new TauGen();

    /// Fewer samples than this above a threshold and the crossing is the work of single images.
    private static final double FEW = 5;

    /// More settings than this are a range.
    private static final int LISTED = 4;

    /// A narrower interval of an exponent comes of times that were read off the same few steps.
    private static final double LEAST_WIDTH = 0.01;

    private Verdict() {}

    /// The one sentence at the top.
    static String headline(StudyReport report) {
        Headline headline = report.headline();
        List<ScalingFit> fits = report.fits().stream()
                .filter(f -> f.clock().equals(headline.tauMem()) && f.law().isPresent())
                .toList();
        if (fits.size() == 1) {
            return growth(headline, fits.getFirst(), fits.getFirst().law().orElseThrow());
        }
        if (!fits.isEmpty()) {
            return growths(headline, fits);
        }
        List<RunCurves> copying = report.runs().stream()
                .filter(r -> r.time(headline.tauMem()).orElse(null) instanceof Reached)
                .toList();
        if (copying.size() == 1) {
            Reached at = (Reached) copying.getFirst().time(headline.tauMem()).orElseThrow();
            return "Copying starts at " + headline.symbol() + " = " + Digits.compact(at.value())
                    + interval(at.low(), at.high()) + " updates in run "
                    + copying.getFirst().label() + ".";
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
                ? "No run has been seen to cross f_mem = "
                        + Digits.percent(headline.thresholds().getFirst()) + " (k = " + Digits.ratio(headline.k())
                        + ") so far."
                : "The memorized fraction has not been measured yet.";
    }

    /// What else a reader wants to know first; may be empty.
    static List<String> details(StudyReport report) {
        List<String> sentences = new ArrayList<>();
        samples(report).ifPresent(sentences::add);
        baseRate(report).ifPresent(sentences::add);
        generation(report).ifPresent(sentences::add);
        rise(report).ifPresent(sentences::add);
        window(report).ifPresent(sentences::add);
        similarity(report).ifPresent(sentences::add);
        report.findings().collapses().stream()
                .filter(c -> report.headline().isHeadline(c.k()))
                .forEach(c -> sentences.add("Curves of f_mem on one another: " + c.sentence()));
        sentences.add(progress(report));
        return sentences;
    }

    /// Upper end of Wilson's 95 % interval for no hit among `count`.
    static double zeroBelow(double count) {
        double z = 1.959963984540054;
        return z * z / (count + z * z);
    }

    private static Optional<String> samples(StudyReport report) {
        DoubleSummaryStatistics counts = report.runs().stream()
                .filter(run -> run.samples() > 0)
                .mapToDouble(RunCurves::samples)
                .summaryStatistics();
        if (counts.getCount() == 0) {
            return Optional.empty();
        }
        double fewest = counts.getMin();
        String number = fewest == counts.getMax()
                ? Digits.steps(fewest)
                : Digits.steps(fewest) + "–" + Digits.steps(counts.getMax());
        String text = "Each f_mem is a share of " + number + " generated images: no copy among " + Digits.steps(fewest)
                + " means f_mem below " + Digits.percent(zeroBelow(fewest)) + " (Wilson, 95 %).";
        double threshold = report.headline().thresholds().getFirst();
        if (threshold * fewest < FEW) {
            text += " A threshold of " + Digits.percent(threshold) + " is " + Digits.compact(threshold * fewest)
                    + (threshold * fewest == 1 ? " image" : " images") + " of them: "
                    + report.headline().symbol() + " rests on single copies.";
        }
        return Optional.of(text);
    }

    private static Optional<String> baseRate(StudyReport report) {
        Headline headline = report.headline();
        List<BaseRate> rates = report.runs().stream()
                .flatMap(run -> run.baseRates().stream())
                .filter(rate -> headline.isHeadline(rate.k()) && Double.isFinite(rate.value()))
                .sorted(Comparator.comparingDouble(BaseRate::value).thenComparingDouble(BaseRate::high))
                .toList();
        if (rates.isEmpty()) {
            return Optional.empty();
        }
        BaseRate least = rates.getFirst();
        BaseRate most = rates.getLast();
        String shares = least.equals(most)
                ? share(most) + (rates.size() > 1 ? " in each of " + rates.size() + " runs" : "")
                : "from " + share(least) + " to " + share(most) + " over " + rates.size() + " runs";
        return Optional.of("Base rate, held-out images that would pass for copies (k = " + Digits.ratio(headline.k())
                + "): " + shares + ".");
    }

    /// `0 % [0, 1.48] (0 of 256 images)`
    private static String share(BaseRate rate) {
        String text = Digits.percent(rate.value()) + bounds(rate.low(), rate.high());
        return rate.images() > 0
                ? text + " (" + Math.round(rate.value() * rate.images()) + " of " + Digits.steps((double) rate.images())
                        + " images)"
                : text;
    }

    /// The ends of an interval of a share, in percent; empty text when there is none.
    static String bounds(double low, double high) {
        return Double.isFinite(low) && Double.isFinite(high)
                ? " [" + Digits.compact(100 * low) + ", " + Digits.compact(100 * high) + "]"
                : "";
    }

    private static String growth(Headline headline, ScalingFit fit, PowerLaw law) {
        String sentence = headline.symbol() + " grows as " + fit.variable() + "^" + Digits.twoDecimals(law.slope());
        if (!Double.isFinite(law.low()) || !Double.isFinite(law.high())) {
            return sentence + where(fit) + " between two runs, which give no interval.";
        }
        sentence += " (95 % interval " + Digits.twoDecimals(law.low()) + "–" + Digits.twoDecimals(law.high()) + ")"
                + where(fit);
        if (!fit.variable().equals("n")) {
            return sentence + ".";
        }
        return sentence + linearity(law);
    }

    /// Of several settings, each with its exponent while they are few, and how many agree with n.
    private static String growths(Headline headline, List<ScalingFit> fits) {
        String variable = fits.getFirst().variable();
        List<PowerLaw> laws = fits.stream().map(fit -> fit.law().orElseThrow()).toList();
        String sentence = headline.symbol() + " grows as " + variable + "^";
        if (fits.size() <= LISTED) {
            List<String> each = new ArrayList<>();
            for (int i = 0; i < fits.size(); i++) {
                PowerLaw law = laws.get(i);
                String ends = Double.isFinite(law.low())
                        ? " (" + Digits.twoDecimals(law.low()) + "–" + Digits.twoDecimals(law.high()) + ")"
                        : "";
                each.add(Digits.twoDecimals(law.slope()) + ends + where(fits.get(i)));
            }
            boolean any = laws.stream().anyMatch(law -> Double.isFinite(law.low()));
            sentence += String.join(", ", each) + (any ? " (95 % intervals)" : ", without intervals");
        } else {
            sentence += slopes(laws);
        }
        if (!variable.equals("n")) {
            return sentence + ".";
        }
        List<PowerLaw> known =
                laws.stream().filter(law -> Double.isFinite(law.low())).toList();
        long linear =
                known.stream().filter(law -> law.low() <= 1 && 1 <= law.high()).count();
        return known.isEmpty()
                ? sentence + "."
                : sentence + ": in line with growth proportional to n in " + linear + " of " + known.size() + ".";
    }

    private static String slopes(List<PowerLaw> laws) {
        double[] slopes = laws.stream().mapToDouble(PowerLaw::slope).sorted().toArray();
        return Digits.twoDecimals(slopes[0]) + " to " + Digits.twoDecimals(slopes[slopes.length - 1]) + " in "
                + slopes.length + " settings";
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
        Clock clock = report.generation();
        double[] times =
                report.runs().stream().flatMapToDouble(r -> reached(r, clock)).toArray();
        double[] least = report.runs().stream()
                .flatMapToDouble(r -> r.time(clock).orElse(null) instanceof AtLeast a
                        ? DoubleStream.of(a.value())
                        : DoubleStream.empty())
                .toArray();
        if (times.length + least.length == 0) {
            return Optional.empty();
        }
        String begin =
                clock instanceof TauKl fall ? "KL is within " + Clock.level(fall.nats()) + " of 0" : "Samples are good";
        String text = times.length == 0
                ? ""
                : begin + " from " + clock.label() + " = " + range(times) + " updates on" + law(report, clock) + ".";
        if (least.length > 0) {
            text += (text.isEmpty() ? "" : " ") + "In " + least.length + " of "
                    + report.runs().size() + " runs "
                    + (clock instanceof TauKl fall
                            ? "copies come before KL is within " + Clock.level(fall.nats()) + " of 0"
                            : "the Fréchet distance is smallest at the last step considered")
                    + ", so that " + clock.label() + " is at least " + range(least) + ".";
        }
        return Optional.of(text);
    }

    /// Of a study that measures `kl`.
    private static Optional<String> rise(StudyReport report) {
        if (!(report.generation() instanceof TauKl fall)) {
            return Optional.empty();
        }
        Clock clock = new KlRise(fall.nats());
        double[] times =
                report.runs().stream().flatMapToDouble(r -> reached(r, clock)).toArray();
        return times.length == 0
                ? Optional.empty()
                : Optional.of("KL is above " + Clock.level(fall.nats()) + " again from " + range(times) + " updates on"
                        + law(report, clock) + ".");
    }

    /// In brackets, of every setting that has one while they are few.
    private static String law(StudyReport report, Clock clock) {
        List<ScalingFit> all = report.fits().stream()
                .filter(fit -> fit.clock().equals(clock) && fit.law().isPresent())
                .toList();
        if (all.isEmpty()) {
            return "";
        }
        String variable = all.getFirst().variable();
        List<ScalingFit> fits =
                all.stream().filter(fit -> fit.variable().equals(variable)).toList();
        String laws = fits.size() > LISTED
                ? "∝ " + variable + "^"
                        + slopes(fits.stream()
                                .map(fit -> fit.law().orElseThrow())
                                .toList())
                : String.join(
                        "; ",
                        fits.stream()
                                .map(fit -> exponent(fit, fit.law().orElseThrow()))
                                .toList());
        return " (" + laws + ")";
    }

    private static String range(double[] values) {
        DoubleSummaryStatistics range = DoubleStream.of(values).summaryStatistics();
        return range.getMin() == range.getMax()
                ? Digits.compact(range.getMin())
                : Digits.compact(range.getMin()) + "–" + Digits.compact(range.getMax());
    }

    private static String exponent(ScalingFit fit, PowerLaw law) {
        String text = "∝ " + fit.variable() + "^" + Digits.twoDecimals(law.slope()) + where(fit);
        if (!Double.isFinite(law.low())) {
            return text + " between two runs, without an interval";
        }
        return law.high() - law.low() < LEAST_WIDTH
                ? text + ", without an interval, as the few known times lie on one line"
                : text + ", 95 % interval of the exponent " + Digits.twoDecimals(law.low()) + " to "
                        + Digits.twoDecimals(law.high());
    }

    private static Optional<String> window(StudyReport report) {
        Clock generation = report.generation();
        double[] factors = report.runs().stream()
                .flatMapToDouble(r -> reached(r, report.headline().tauMem())
                        .flatMap(mem -> reached(r, generation).map(gen -> mem / gen)))
                .toArray();
        if (factors.length == 0) {
            return Optional.empty();
        }
        DoubleSummaryStatistics range = DoubleStream.of(factors).summaryStatistics();
        String spread = factors.length == 1
                ? "τ_mem/" + generation.label() + " is " + Digits.compact(range.getMin())
                : "τ_mem/" + generation.label() + " runs from " + Digits.compact(range.getMin()) + " to "
                        + Digits.compact(range.getMax());
        return Optional.of(spread + (factors.length == 1 ? " in the only run" : " over the " + factors.length + " runs")
                + " where both times are known.");
    }

    /// At the last measurement, by n: the mean over runs.
    private static Optional<String> similarity(StudyReport report) {
        Map<Long, DoubleSummaryStatistics> byN = new TreeMap<>();
        for (RunCurves run : report.runs()) {
            run.curves().stream()
                    .filter(curve -> curve.quantity().equals(Quantity.Metric.SIMILARITY))
                    .map(curve -> curve.points().getLast().y())
                    .filter(Double::isFinite)
                    .forEach(last -> byN.computeIfAbsent(run.n(), n -> new DoubleSummaryStatistics())
                            .accept(last));
        }
        if (byN.isEmpty()) {
            return Optional.empty();
        }
        List<String> each = new ArrayList<>();
        byN.forEach(
                (n, values) -> each.add(Digits.twoDecimals(values.getAverage()) + " (n = " + Digits.steps(n) + ")"));
        return Optional.of("Pictures that two networks draw from the same noise have a mean cosine similarity of "
                + String.join(", ", each) + " at the last measurement.");
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
