package dev.rote.tools.audit;

import dev.rote.errors.DataException;
import dev.rote.metrics.Authenticity;
import dev.rote.metrics.Histogram;
import dev.rote.metrics.Interval;
import dev.rote.metrics.Neighbours;
import dev.rote.metrics.SampleMetrics.Score;
import dev.rote.metrics.Share;
import dev.rote.tools.report.AuditPage;
import dev.rote.tools.report.AuditReport;
import dev.rote.tools.report.CopySheet;
import dev.rote.tools.report.Lettering;
import dev.rote.tools.report.Provenance;
import dev.rote.tools.report.Sheet;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The files of an audit: `report.html`, `copies.png`, `heldout.png`, `neighbours.csv`, `audit.json`.
final class AuditFiles {
    /// Images on a sheet, at most.
    private static final int SHOWN = 60;

    private static final int PER_ROW = 5;
    private static final int BINS = 60;

    /// Neighbours of each sample in the table, at most.
    private static final int LISTED = 5;

    private final Path folder;
    private final Audit.Sets sets;
    private final Audit audit;
    private final AuditOptions options;
    private final String searchedOn;
    private final AuditText text;
    private final double k;

    /// @param searchedOn device that searched neighbours, as its `describe()` says
    AuditFiles(Path folder, Audit.Sets sets, Audit audit, AuditOptions options, String searchedOn) {
        this.folder = folder;
        this.sets = sets;
        this.audit = audit;
        this.options = options;
        this.searchedOn = searchedOn;
        this.text = new AuditText(audit, options);
        this.k = options.k().getFirst();
    }

    /// @throws DataException if the folder holds something else
    static void requireFree(Path folder) {
        if (Files.exists(folder) && !Files.isDirectory(folder)) {
            throw new DataException("--out: " + folder + ": expected a folder, found a file");
        }
    }

    /// Writes all of them.
    ///
    /// @return the report
    Path write(Provenance provenance) {
        AuditPage.writeText(folder.resolve("neighbours.csv"), csv());
        AuditPage.writeText(folder.resolve("audit.json"), json());
        List<Sheet> sheets = new ArrayList<>();
        if (Lettering.missing().isEmpty()) {
            sheets.add(sheet("copies.png", "Samples most like training images", sets.samples(), audit.samples()));
            if (sets.heldOut().isPresent() && !audit.samplesAreHeldOut()) {
                sheets.add(sheet(
                        "heldout.png",
                        "Held-out images most like training images: the base rate",
                        sets.heldOut().get(),
                        audit.heldOut().orElseThrow()));
            }
        }
        List<String> head = new ArrayList<>(List.of("test", "samples", "share of samples"));
        sets.heldOut().ifPresent(set -> head.add("share of held-out images"));
        List<String> columns = List.of("score", "value", "95 % interval");
        AuditReport report = new AuditReport(
                "Audit of " + sets.samples().source(),
                provenance,
                text.verdict(),
                text.facts(),
                warnings(),
                List.of(
                        new AuditReport.Table(
                                "Copy tests",
                                "Euclidean distance between pixels in [0, 1]. Intervals are Wilson’s.",
                                head,
                                text.copyTests()),
                        new AuditReport.Table(
                                "In pixels",
                                "Distances are root mean squares over the values of an image.",
                                columns,
                                text.scores(audit.pixels(), false)),
                        new AuditReport.Table(
                                "In features: " + audit.space(),
                                "Quality is measured against "
                                        + (sets.heldOut().isPresent()
                                                ? "the held-out images."
                                                : "the training images."),
                                columns,
                                text.scores(audit.features(), true))),
                List.of(distances(), ratios()),
                sheets,
                setup());
        return AuditPage.write(report, folder);
    }

    private List<String> warnings() {
        List<String> warnings = new ArrayList<>();
        skipped(sets.samples(), "samples", warnings);
        skipped(sets.training(), "training images", warnings);
        sets.heldOut().ifPresent(set -> skipped(set, "held-out images", warnings));
        if (sets.heldOut().isEmpty()) {
            warnings.add("There are no held-out images: C_T and FLS are left out, and what real images would show is"
                    + " unknown. Real sets hold near-duplicates.");
        }
        Lettering.missing().ifPresent(warnings::add);
        return warnings;
    }

    static void skipped(ImageSet set, String what, List<String> warnings) {
        if (set.skipped() > 0) {
            warnings.add(AuditText.count(set.skipped()) + " " + what + " could not be read and were left out.");
        }
    }

    private Map<String, String> setup() {
        Map<String, String> setup = new LinkedHashMap<>();
        setup.put("samples", describe(sets.samples()));
        setup.put("training", describe(sets.training()));
        setup.put("held-out", sets.heldOut().map(AuditFiles::describe).orElse("none"));
        setup.put(
                "k",
                String.join(", ", options.k().stream().map(AuditText::threshold).toList()));
        var test = options.parameters().calibrated().within(sets.training().count());
        setup.put("calibrated l2", "alpha " + test.alpha() + ", " + test.neighbours() + " neighbours");
        setup.put("cells of C_T", options.parameters().cells() + "");
        setup.put("precision, recall", "k = " + options.parameters().neighbours());
        setup.put("features", audit.space());
        setup.put("neighbours searched on", searchedOn);
        setup.put("seed", options.parameters().seed() + "");
        return setup;
    }

    private static String describe(ImageSet set) {
        return AuditText.count(set.count()) + " images of " + set.extent() + " from " + set.source();
    }

    private Sheet sheet(String name, String title, ImageSet images, Findings findings) {
        int[] order = Arrays.copyOf(findings.order(k), Math.min(SHOWN, findings.count()));
        Path file = CopySheet.writePng(
                folder.resolve(name),
                new CopySheet.Matches(
                        title,
                        "image, nearest and second nearest training image; below: number of the image → of the training"
                                + " image, d1/d2, calibrated l2. Framed: copies (d1/d2 < " + AuditText.threshold(k)
                                + " or l2 < 1)",
                        images.pictures(order),
                        sets.training().pictures(findings.originals(order, 0)),
                        sets.training().pictures(findings.originals(order, 1)),
                        Arrays.stream(order)
                                .mapToObj(i -> findings.isCopy(i, k))
                                .toList(),
                        Arrays.stream(order)
                                .mapToObj(i -> i + " → " + findings.neighbours().index(i, 0) + "   "
                                        + AuditText.number(findings.ratios()[i]) + "   "
                                        + AuditText.number(findings.calibrated()[i]))
                                .toList()),
                PER_ROW);
        return new Sheet(
                title,
                "The " + order.length + " first of " + AuditText.count(findings.count())
                        + ", copies first, then by d1/d2. All are in neighbours.csv.",
                file);
    }

    private AuditReport.Bars distances() {
        Histogram[] both = audit.distances().histograms(BINS);
        return new AuditReport.Bars(
                "Distance to the nearest training image",
                "The line is the base rate: how near held-out images come. Shares on a logarithmic axis.",
                "root mean square over pixel values in [0, 1]",
                0,
                both[0].width(),
                shares(both[0]),
                sets.heldOut().isPresent() ? shares(both[1]) : List.of(),
                audit.distances().closeBelow(),
                "1 % of held-out images are nearer");
    }

    private AuditReport.Bars ratios() {
        return new AuditReport.Bars(
                "Ratio d1/d2 of the distances to the nearest and the second nearest training image",
                "Left of the dashed line a sample is a copy.",
                "d1/d2",
                0,
                1.0 / BINS,
                shares(Histogram.of(audit.samples().ratios(), 0, 1, BINS)),
                audit.heldOut()
                        .map(usual -> shares(Histogram.of(usual.ratios(), 0, 1, BINS)))
                        .orElse(List.of()),
                k,
                "k = " + AuditText.threshold(k));
    }

    private static List<Double> shares(Histogram histogram) {
        double total = Math.max(1, histogram.total());
        return Arrays.stream(histogram.counts()).mapToObj(c -> c / total).toList();
    }

    /// One line per sample: number, name, d1/d2, calibrated l2, whether it is a copy, then number, name and distance of
    /// its nearest training images.
    private String csv() {
        Neighbours found = audit.samples().neighbours();
        int listed = Math.min(LISTED, found.k());
        StringBuilder csv = new StringBuilder("sample,sample_name,ratio,calibrated_l2,authentic,copy");
        for (int rank = 1; rank <= listed; rank++) {
            csv.append(",training_").append(rank).append(",training_name_").append(rank);
            csv.append(",distance_").append(rank);
        }
        csv.append('\n');
        double scale = Math.sqrt(sets.samples().extent().size());
        for (int i = 0; i < found.queries(); i++) {
            csv.append(i).append(',').append(quoted(sets.samples().name(i)));
            csv.append(',').append(audit.samples().ratios()[i]);
            csv.append(',').append(audit.samples().calibrated()[i]);
            csv.append(',').append(Authenticity.isAuthentic(found, audit.itself(), i) ? 1 : 0);
            csv.append(',').append(audit.samples().isCopy(i, k) ? 1 : 0);
            for (int rank = 0; rank < listed; rank++) {
                int training = found.index(i, rank);
                csv.append(',').append(training);
                csv.append(',').append(quoted(sets.training().name(training)));
                csv.append(',').append(found.distance(i, rank) / scale);
            }
            csv.append('\n');
        }
        return csv.toString();
    }

    private static String quoted(String name) {
        return name.matches("[^,\"\r\n]*") ? name : '"' + name.replace("\"", "\"\"") + '"';
    }

    private String json() {
        JsonMapper mapper = JsonMapper.shared();
        ObjectNode root = mapper.createObjectNode();
        root.put("verdict", text.verdict());
        root.put("samples", sets.samples().count());
        root.put("training", sets.training().count());
        root.put("held_out", sets.heldOut().map(ImageSet::count).orElse(0));
        root.put("samples_are_held_out", audit.samplesAreHeldOut());
        root.put("duplicates_in_training", audit.duplicates());
        root.put("features", audit.space());
        root.put("searched_on", searchedOn);
        tests(root.putObject("copy_tests"), audit.samples());
        audit.heldOut().ifPresent(usual -> tests(root.putObject("base_rate"), usual));
        scores(root.putObject("pixels"), audit.pixels(), Optional.empty());
        scores(root.putObject("in_features"), audit.features(), Optional.of(audit.frechet()));
        return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
    }

    private void tests(ObjectNode node, Findings findings) {
        for (double ratio : options.k()) {
            share(node.putObject("memorized_k=" + AuditText.threshold(ratio)), findings.memorized(ratio));
        }
        share(node.putObject("calibrated_l2"), findings.extracted());
        share(node.putObject("copies"), findings.copies(k));
        share(node.putObject("identical"), findings.identical());
    }

    private static void share(ObjectNode node, Share share) {
        Interval interval = share.wilson();
        node.put("count", share.hits()).put("value", interval.value());
        node.put("low", interval.low()).put("high", interval.high());
    }

    private static void scores(ObjectNode node, List<Score> scores, Optional<Interval> frechet) {
        frechet.ifPresent(found -> score(node, new Score("frechet", found.value(), found.low(), found.high())));
        scores.forEach(score -> score(node, score));
    }

    private static void score(ObjectNode node, Score score) {
        ObjectNode entry = node.putObject(score.name());
        entry.put("value", score.value());
        if (!Double.isNaN(score.low())) {
            entry.put("low", score.low()).put("high", score.high());
        }
    }
}
