package dev.rote.tools.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.tools.report.NeighbourSheet.Matches;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SheetsTest {
    private static final SheetHeader HEADER = new SheetHeader("n = 64, seed 0", 700, 0.0125);
    private static final int COPY = 0xffd55e00;

    @TempDir
    Path folder;

    @Test
    void pixelsAreEnlargedUnchanged() {
        float[] pixels = {0f, 0.2f, 0.4f, 0.6f, 0.8f, 1f};
        BufferedImage sheet = SampleSheet.draw(HEADER, new ImageBatch(1, 1, 2, 3, pixels), List.of(), 4);
        int top = SheetCanvas.top(1);
        assertThat(sheet.getRGB(SheetCanvas.MARGIN, top)).isEqualTo(0xff003366);
        assertThat(sheet.getRGB(SheetCanvas.MARGIN + 41, top + 41)).isEqualTo(0xff003366);
        assertThat(sheet.getRGB(SheetCanvas.MARGIN + 42, top)).isEqualTo(0xff99ccff);
        assertThat(sheet.getRGB(SheetCanvas.MARGIN + 84, top)).isEqualTo(0xffffffff);
    }

    @Test
    void valuesOutsideTheRangeAreClippedAndNanIsBlack() {
        ImageBatch batch = new ImageBatch(1, 1, 3, 1, new float[] {-2f, 7f, Float.NaN});
        assertThat(List.of(batch.rgb(0, 0, 0), batch.rgb(0, 0, 1), batch.rgb(0, 0, 2)))
                .containsExactly(0, 0xffffff, 0);
    }

    @Test
    void secondImageOfABatchIsTheSecondOnTheSheet() throws IOException {
        float[] pixels = {0f, 0f, 0f, 0f, 1f, 1f, 1f, 1f};
        Path file = SampleSheet.writePng(
                folder.resolve("s.png"), HEADER, new ImageBatch(2, 2, 2, 1, pixels), List.of("a", "b"), 1);
        BufferedImage sheet = ImageIO.read(file.toFile());
        int top = SheetCanvas.top(1);
        assertThat(sheet.getRGB(SheetCanvas.MARGIN + 5, top + 5)).isEqualTo(0xff000000);
        assertThat(sheet.getRGB(SheetCanvas.MARGIN + 5, top + 84 + 8 + SheetCanvas.LINE + 5))
                .isEqualTo(0xffffffff);
    }

    @Test
    void onlyCopiesAreFramed() {
        assertThat(framed(matches(0.2, 0.9))).isTrue();
        assertThat(framed(matches(0.4, 0.9))).isFalse();
        assertThat(framed(matches(1.0 / 3, Double.NaN))).isFalse();
    }

    @Test
    void mostAlikeComeFirstAndNanLast() {
        ImageBatch images = SyntheticStudy.images(4, 4, 1, 1);
        Matches matches = new Matches(images, images, Optional.empty(), List.of(0.5, Double.NaN, 0.1, 0.9), 1.0 / 3);
        assertThat(NeighbourSheet.order(matches)).containsExactly(2, 0, 3, 1);
    }

    @Test
    void thirdColumnIsTheSecondNeighbour() {
        ImageBatch black = new ImageBatch(1, 4, 4, 1, new float[16]);
        Matches pair = new Matches(black, black, Optional.empty(), List.of(0.5), 0.3);
        Matches triple = new Matches(black, black, Optional.of(black), List.of(0.5), 0.3);
        int x = SheetCanvas.MARGIN + 2 * (84 + 3) + 40;
        int y = SheetCanvas.top(2) + 4 + 40;
        assertThat(NeighbourSheet.draw(HEADER, pair, 8).getRGB(x, y)).isEqualTo(0xffffffff);
        assertThat(NeighbourSheet.draw(HEADER, triple, 8).getRGB(x, y)).isEqualTo(0xff000000);
    }

    @Test
    void headerSaysRunStepAndFraction() {
        assertThat(HEADER.text())
                .contains("n = 64, seed 0")
                .contains("step 700")
                .contains("f_mem = 1.25 %");
        assertThat(new SheetHeader("r", 12_345, Double.NaN).text())
                .contains("12\u202f300")
                .doesNotContain("f_mem");
    }

    @Test
    void wrongShapesAreNamed() {
        assertThatThrownBy(() -> new ImageBatch(2, 4, 4, 1, new float[31]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("expected 32 values, found 31");
        assertThatThrownBy(() -> new ImageBatch(1, 4, 4, 2, new float[32])).hasMessageContaining("[1,4,4,2]");
        assertThatThrownBy(() -> SampleSheet.draw(HEADER, SyntheticStudy.images(3, 4, 1, 1), List.of("one"), 2))
                .hasMessageContaining("expected none or 3, found 1");
        assertThatThrownBy(() -> new Matches(
                        SyntheticStudy.images(3, 4, 1, 1),
                        SyntheticStudy.images(2, 4, 1, 1),
                        Optional.empty(),
                        List.of(),
                        0.3))
                .hasMessageContaining("nearest");
    }

    @Test
    void emptyBatchIsASheetWithAHeader() {
        ImageBatch none = new ImageBatch(0, 8, 8, 1, new float[0]);
        assertThat(SampleSheet.draw(HEADER, none, List.of(), 4).getWidth()).isGreaterThan(100);
        assertThat(NeighbourSheet.draw(HEADER, new Matches(none, none, Optional.empty(), List.of(), 0.3), 4)
                        .getHeight())
                .isGreaterThan(20);
    }

    private static Matches matches(double first, double second) {
        ImageBatch images = SyntheticStudy.images(2, 4, 1, 1);
        return new Matches(images, images, Optional.empty(), List.of(first, second), 1.0 / 3);
    }

    private static boolean framed(Matches matches) {
        BufferedImage sheet = NeighbourSheet.draw(HEADER, matches, 2);
        return sheet.getRGB(SheetCanvas.MARGIN - 2, SheetCanvas.top(2) + 40) == COPY;
    }
}
