package dev.rote.tools.report;

import java.nio.file.Path;
import java.util.List;

/// The report's figures as PNG files for a paper or a slide: white ground, 1200 x 800 pixels, the same curves as in
/// [HtmlReport].
public final class Figures {
    private Figures() {}

    /// Writes every figure that has something to show: `training_loss.png`, `loss_t0.01.png`, `loss_gap_t0.01.png`,
    /// `frechet_NAME.png`, `metric_NAME.png`, `f_mem_k1_3.png`, `fit_n.png`. Steps divided by n give
    /// `loss_over_n_...`, `frechet_over_n_...` and `f_mem_over_n_...`; where the width varies, W tau and W tau / n
    /// give `..._w_...` and `..._w_over_n_...`.
    ///
    /// @return the files, in the order of the report; empty when nothing has been measured or [Lettering] is missing
    /// @throws EnvironmentException when one cannot be written
    public static List<Path> writePng(StudyReport report, Path folder) {
        if (Lettering.missing().isPresent()) {
            return List.of();
        }
        return Charts.of(report).stream()
                .map(chart -> Output.writePng(folder.resolve(chart.id() + ".png"), PaperPlot.draw(chart)))
                .toList();
    }
}
