package dev.rote.tools.audit;

import dev.rote.metrics.Interval;
import dev.rote.metrics.SampleMetrics.Score;
import dev.rote.metrics.Share;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What an audit says in words and rows.
final class AuditText {
    private final Audit audit;
    private final double k;
    private final AuditOptions options;

    AuditText(Audit audit, AuditOptions options) {
        this.audit = audit;
        this.options = options;
        this.k = options.k().getFirst();
    }

    /// One sentence.
    String verdict() {
        Share copies = audit.samples().copies(k);
        String found = copies.hits() == 0
                ? "No copy among " + count(copies.count()) + " samples (fewer than "
                        + percent(copies.wilson().high()) + " of samples are copies, at 95 %)"
                : count(copies.hits()) + " of " + count(copies.count()) + " samples are copies of training images ("
                        + withInterval(copies.wilson()) + ")";
        if (audit.samplesAreHeldOut()) {
            return "The samples are the held-out images themselves: what is found are duplicates in the real data, and its"
                    + " share is the base rate. " + found + ".";
        }
        if (audit.heldOut().isEmpty()) {
            return copies.hits() == 0
                    ? found + "."
                    : found + "; how many of real images would pass for copies is unknown without --heldout.";
        }
        Share usual = audit.heldOut().get().copies(k);
        Interval beyond = copies.minus(usual);
        String base = "among held-out images " + withInterval(usual.wilson()) + " would pass for copies";
        if (beyond.low() > 0) {
            return "Copies training images: " + found + "; " + base + ".";
        }
        Share identical = audit.samples().identical();
        if (identical.hits() > 0 && audit.heldOut().get().identical().hits() == 0) {
            return "Copies training images: " + count(identical.hits()) + " of " + count(copies.count())
                    + " samples equal one bit for bit, and no held-out image does. In all, "
                    + withInterval(copies.wilson()) + " of samples pass for copies; " + base + ".";
        }
        return "No copying beyond the base rate: " + (copies.hits() == 0 ? "no copy" : count(copies.hits()) + " copies")
                + " among " + count(copies.count()) + " samples (" + withInterval(copies.wilson()) + "); " + base + ".";
    }

    /// Further sentences.
    List<String> facts() {
        List<String> facts = new ArrayList<>();
        Share identical = audit.samples().identical();
        facts.add(count(identical.hits()) + " samples equal a training image bit for bit.");
        audit.heldOut()
                .ifPresent(usual -> facts.add(count(usual.identical().hits()) + " of "
                        + count(usual.count()) + " held-out images equal a training image, and "
                        + count(usual.copies(k).hits()) + " would pass for copies: duplicates in the real data."));
        facts.add(count(audit.duplicates()) + " of the training images equal another training image.");
        audit.heldOut()
                .ifPresent(usual -> facts.add("Beyond the base rate: "
                        + withInterval(audit.samples().copies(k).minus(usual.copies(k))) + " of samples."));
        return facts;
    }

    /// Name and value; with held-out images also their value.
    List<List<String>> copyTests() {
        List<List<String>> rows = new ArrayList<>();
        for (double ratio : options.k()) {
            rows.add(row(
                    "memorized, d1/d2 < " + threshold(ratio),
                    audit.samples().memorized(ratio),
                    audit.heldOut().map(usual -> usual.memorized(ratio)).orElse(null)));
        }
        rows.add(row(
                "extracted, calibrated l2 < 1",
                audit.samples().extracted(),
                audit.heldOut().map(Findings::extracted).orElse(null)));
        rows.add(row(
                "copies, by either",
                audit.samples().copies(k),
                audit.heldOut().map(usual -> usual.copies(k)).orElse(null)));
        rows.add(row(
                "identical",
                audit.samples().identical(),
                audit.heldOut().map(Findings::identical).orElse(null)));
        return rows;
    }

    private List<String> row(String name, Share share, Share usual) {
        List<String> row = new ArrayList<>(List.of(name, count(share.hits()), withInterval(share.wilson())));
        if (usual != null) {
            row.add(withInterval(usual.wilson()));
        }
        return row;
    }

    /// Scores in one space; the Fréchet distance among those in features.
    List<List<String>> scores(List<Score> scores, boolean inFeatures) {
        List<List<String>> rows = new ArrayList<>();
        if (inFeatures) {
            Interval frechet = audit.frechet();
            rows.add(row(new Score("frechet", frechet.value(), frechet.low(), frechet.high())));
        }
        scores.forEach(score -> rows.add(row(score)));
        return rows;
    }

    private static List<String> row(Score score) {
        boolean share = score.name().equals("calibrated_l2") || score.name().equals("close");
        String value = share ? percent(score.value()) : number(score.value());
        String interval = Double.isNaN(score.low())
                ? ""
                : share
                        ? percent(score.low()) + " to " + percent(score.high())
                        : number(score.low()) + " to " + number(score.high());
        return List.of(name(score.name()), value, interval);
    }

    private static String name(String key) {
        return switch (key) {
            case "calibrated_l2" -> "extracted, calibrated l2 < 1";
            case "authpct" -> "AuthPct";
            case "c_t" -> "C_T";
            case "nearest_distance" -> "median nearest distance, RMS";
            case "close" -> "close";
            case "cosine_to_nearest" -> "cosine similarity to the nearest training image";
            case "frechet" -> "Fréchet distance";
            case "fd_infinity" -> "Fréchet distance at infinity";
            case "kid" -> "KID";
            case "sliced_wasserstein" -> "sliced Wasserstein";
            case "fls" -> "FLS";
            default -> key;
        };
    }

    static String withInterval(Interval share) {
        return percent(share.value()) + ", 95 % interval " + percent(share.low()) + " to " + percent(share.high());
    }

    static String percent(double share) {
        return number(100 * share) + " %";
    }

    static String count(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    /// Three significant digits.
    static String number(double value) {
        if (value == 0 || !Double.isFinite(value)) {
            return value == 0 ? "0" : Double.toString(value);
        }
        double size = Math.abs(value);
        if (size < 1e-3 || size >= 1e6) {
            return String.format(Locale.ROOT, "%.2e", value);
        }
        int decimals = Math.clamp(2 - (int) Math.floor(Math.log10(size)), 0, 5);
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    static String threshold(double ratio) {
        double inverse = 1 / ratio;
        return Math.abs(inverse - Math.rint(inverse)) < 1e-9 ? "1/" + Math.round(inverse) : number(ratio);
    }
}
