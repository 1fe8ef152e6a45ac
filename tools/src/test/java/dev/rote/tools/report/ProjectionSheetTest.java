package dev.rote.tools.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProjectionSheetTest {
    private static final int SAMPLE = 0x0072b2;
    private static final int TRAINING = 0xb4b9c2;
    private static final int COPY = 0xd55e00;

    @TempDir
    Path temp;

    private static ProjectionSheet.Points points(List<Double> ratios) {
        return new ProjectionSheet.Points(
                4, new float[] {3, 3, 3, 3, -1, 2, -1, 2}, Optional.of(new float[] {-2, -2, -2, -2}), ratios, 1.0 / 3);
    }

    @Test
    void theAxesAreTheDirectionOfTheMeanAndOneAtRightAnglesToIt() {
        ProjectionSheet.Points points = points(List.of(0.5, 0.5));
        assertThat(points.across(points.samples(), 0)).isEqualTo(6);
        assertThat(points.upwards(points.samples(), 0)).isZero();
        assertThat(points.across(points.samples(), 1)).isEqualTo(1);
        assertThat(points.upwards(points.samples(), 1)).isCloseTo(-3 / Math.sqrt(2), within(1e-12));
    }

    @Test
    void samplesTrainingPointsAndCopiesLieWhereTheyBelong() throws IOException {
        SheetHeader header = new SheetHeader("run", 7, 0.5);
        BufferedImage plain =
                ImageIO.read(ProjectionSheet.writePng(temp.resolve("a.png"), header, points(List.of(0.5, 0.4)))
                        .toFile());
        BufferedImage copied =
                ImageIO.read(ProjectionSheet.writePng(temp.resolve("b.png"), header, points(List.of(0.5, 0.1)))
                        .toFile());
        assertThat(count(plain, SAMPLE)).isEqualTo(count(copied, SAMPLE)).isGreaterThan(10);
        assertThat(count(plain, TRAINING)).isGreaterThan(5);
        assertThat(count(plain, COPY)).isZero();
        assertThat(count(copied, COPY)).isGreaterThan(5);
        // Sample 0 lies right of the middle, the training point left of it.
        assertThat(meanColumn(plain, TRAINING)).isLessThan(plain.getWidth() / 2.0);
        assertThat(meanColumn(plain, SAMPLE)).isGreaterThan(meanColumn(plain, TRAINING));
    }

    private static long count(BufferedImage image, int colour) {
        long found = 0;
        for (int rgb : image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth())) {
            found += (rgb & 0xffffff) == colour ? 1 : 0;
        }
        return found;
    }

    private static double meanColumn(BufferedImage image, int colour) {
        double sum = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                sum += (image.getRGB(x, y) & 0xffffff) == colour ? x : 0;
            }
        }
        return sum / count(image, colour);
    }

    @Test
    void ratiosOfOtherPointsAreRefused() {
        assertThatThrownBy(() -> points(List.of(0.5))).hasMessage("points: expected 1 of 4 values, found 8 values");
    }
}
