package dev.rote.tools.report;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.tools.report.Quantity.Frechet;
import dev.rote.tools.report.Quantity.TrainingLoss;
import dev.rote.tools.report.RunStatus.State;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FiguresTest {
    @TempDir
    Path folder;

    @Test
    void everyFigureIsWrittenLargeAndWithTheRunsColours() throws IOException {
        StudyReport report = SyntheticStudy.of(false, List.of());
        List<Path> files = Figures.writePng(report, folder);
        assertThat(files.stream().map(f -> f.getFileName().toString()))
                .contains(
                        "training_loss.png",
                        "loss_t0.01.png",
                        "loss_over_n_t0.01.png",
                        "loss_gap_t0.01.png",
                        "frechet_random-conv-64.png",
                        "frechet_over_n_random-conv-64.png",
                        "f_mem_k1_3.png",
                        "f_mem_over_n_k1_3.png",
                        "fit_n.png");
        RunStyles styles = new RunStyles(report.runs());
        for (Path file : files) {
            BufferedImage image = ImageIO.read(file.toFile());
            assertThat(image.getWidth()).isEqualTo(1200);
            assertThat(image.getHeight()).isEqualTo(800);
            assertThat(image.getRGB(1, 1)).isEqualTo(0xffffffff);
            Set<Integer> colours = colours(image);
            if (!file.endsWith("fit_n.png")) {
                for (int run = 0; run < report.runs().size(); run++) {
                    assertThat(colours)
                            .as(file + " run " + run)
                            .contains(0xff000000 | styles.of(run).light());
                }
            } else {
                assertThat(colours)
                        .contains(0xff000000 | Palette.category(0, false), 0xff000000 | Palette.category(3, false));
            }
        }
    }

    @Test
    void brokenCurvesAreDrawnAsFarAsTheyGo() {
        List<Point> diverged = List.of(
                Point.of(0, 5),
                Point.of(10, 1),
                Point.of(20, Double.NaN),
                new Point(30, 0.5, -1, 2),
                new Point(40, 0, 0, 0.1),
                Point.of(50, Double.POSITIVE_INFINITY));
        StudyReport report = of(List.of(
                new Curve(new TrainingLoss(), diverged),
                new Curve(new Frechet("a/b c", true), diverged),
                new Curve(new Quantity.Metric("const", ""), List.of(Point.of(1, 3)))));
        List<Path> files = Figures.writePng(report, folder);
        assertThat(files.stream().map(f -> f.getFileName().toString()))
                .containsExactly("training_loss.png", "frechet_a_b_c.png", "metric_const.png");
    }

    @Test
    void whatAnAxisCannotShowLeavesAGap() {
        byte[] closed = trainingLoss(Point.of(10, 1), Point.of(30, 0.5), Point.of(40, 0.2));
        byte[] nan = trainingLoss(Point.of(10, 1), Point.of(20, Double.NaN), Point.of(30, 0.5), Point.of(40, 0.2));
        byte[] zero = trainingLoss(Point.of(10, 1), Point.of(20, 0), Point.of(30, 0.5), Point.of(40, 0.2));
        assertThat(nan).isNotEqualTo(closed).isEqualTo(zero);
    }

    @Test
    void nothingMeasuredMeansNoFigure() {
        assertThat(Figures.writePng(
                        of(List.of(new Curve(new TrainingLoss(), List.of(Point.of(1, Double.NaN))))), folder))
                .isEmpty();
    }

    @Test
    void collapseDividesTheStepByN() {
        ChartSpec chart = Charts.of(SyntheticStudy.of(true, List.of())).stream()
                .filter(c -> c.id().equals("f_mem_over_n_k1_3"))
                .findFirst()
                .orElseThrow();
        assertThat(chart.series().getFirst().points().getLast().x()).isEqualTo(20_000.0 / 32);
        assertThat(chart.series().getLast().points().getLast().x()).isEqualTo(20_000.0 / 256);
    }

    @Test
    void runsOfOneNShareAColourAndDifferInTheLine() {
        RunStyles styles = new RunStyles(SyntheticStudy.of(true, List.of()).runs());
        assertThat(styles.of(0).light()).isEqualTo(styles.of(1).light());
        assertThat(styles.of(0).dash()).isNotEqualTo(styles.of(1).dash());
        assertThat(IntStream.of(0, 2, 4, 6)
                        .map(i -> styles.of(i).light())
                        .distinct()
                        .count())
                .isEqualTo(4);
    }

    @Test
    void longCurvesAreAveragedInLogBins() {
        List<Point> points = IntStream.rangeClosed(0, 100_000)
                .mapToObj(i -> Point.of(i, i == 500 ? Double.NaN : i % 2))
                .toList();
        List<Point> thinned = Thinning.logMeans(points);
        assertThat(thinned).hasSizeBetween(200, Thinning.MOST);
        assertThat(thinned.getFirst()).isEqualTo(Point.of(1, 1));
        assertThat(thinned.getLast().y()).isCloseTo(0.5, org.assertj.core.data.Offset.offset(0.01));
        assertThat(thinned).allMatch(Point::isDrawable);
    }

    private byte[] trainingLoss(Point... points) {
        Path file = Figures.writePng(of(List.of(new Curve(new TrainingLoss(), List.of(points)))), folder)
                .getFirst();
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static StudyReport of(List<Curve> curves) {
        RunCurves run = new RunCurves(
                "r", Map.of(), 0, new RunStatus(State.FAILED, 50, 90, ""), curves, List.of(), List.of(), 0);
        return new StudyReport(
                "s", "", SyntheticStudy.provenance(), "", List.of(run), Findings.of(List.of()), List.of(), List.of());
    }

    private static Set<Integer> colours(BufferedImage image) {
        Set<Integer> colours = new HashSet<>();
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                colours.add(image.getRGB(x, y));
            }
        }
        return colours;
    }
}
