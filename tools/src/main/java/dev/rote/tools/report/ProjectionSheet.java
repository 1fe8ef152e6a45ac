package dev.rote.tools.report;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.RenderingHints;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// Generated points of a mixture among the training points, seen from where both clouds show: across, the projection on
/// the direction of the mean mu = (1, ..., 1); upwards, that on (1, -1, 0, ...). Copies are framed.
public final class ProjectionSheet {
    private static final int SIDE = 460;
    private static final double REACH = 7;
    private static final Color SAMPLE = new Color(0x0072b2);
    private static final Color TRAINING = new Color(0xb4b9c2);
    private static final Color AXIS = new Color(0xe0e2e6);

    private ProjectionSheet() {}

    /// Points and which of them are copies.
    ///
    /// @param dimension d
    /// @param samples [N,d]
    /// @param training [M,d], if they could be read
    /// @param ratios distance to the nearest over that to the second nearest training point, one per sample
    /// @param k ratio below which a sample is a copy
    public record Points(int dimension, float[] samples, Optional<float[]> training, List<Double> ratios, double k) {
        /// @throws IllegalArgumentException when the number of ratios is not N
        public Points {
            ratios = List.copyOf(ratios);
            if (dimension < 1 || samples.length != ratios.size() * dimension) {
                throw new IllegalArgumentException("points: expected " + ratios.size() + " of " + dimension
                        + " values, found " + samples.length + " values");
            }
        }

        /// On (1, ..., 1) / sqrt d.
        double across(float[] points, int i) {
            double sum = 0;
            for (int c = 0; c < dimension; c++) {
                sum += points[i * dimension + c];
            }
            return sum / Math.sqrt(dimension);
        }

        /// On (1, -1, 0, ...) / sqrt 2; 0 where there is one value only.
        double upwards(float[] points, int i) {
            return dimension == 1 ? 0 : (points[i * dimension] - points[i * dimension + 1]) / Math.sqrt(2);
        }
    }

    /// Draws and writes a PNG. Points farther out than 7 deviations lie on the edge.
    ///
    /// @throws EnvironmentException when it cannot be written
    public static Path writePng(Path file, SheetHeader header, Points points) {
        List<String> lines = List.of(
                header.text(), "blue: samples, framed where copies; grey: training points; rings: means of the clouds");
        SheetCanvas canvas = new SheetCanvas(SIDE, SIDE, lines);
        canvas.pen.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        canvas.pen.setColor(AXIS);
        canvas.pen.draw(new Line2D.Double(x(-REACH), y(0), x(REACH), y(0)));
        canvas.pen.draw(new Line2D.Double(x(0), y(-REACH), x(0), y(REACH)));
        canvas.pen.setColor(TRAINING);
        points.training().ifPresent(training -> {
            for (int i = 0; i < training.length / points.dimension(); i++) {
                canvas.pen.fill(circle(points.across(training, i), points.upwards(training, i), 2.5));
            }
        });
        for (int i = 0; i < points.ratios().size(); i++) {
            double across = points.across(points.samples(), i);
            double upwards = points.upwards(points.samples(), i);
            canvas.pen.setColor(SAMPLE);
            canvas.pen.fill(circle(across, upwards, 2.5));
            if (points.ratios().get(i) < points.k()) {
                canvas.pen.setColor(SheetCanvas.COPY);
                canvas.pen.setStroke(new BasicStroke(1.5f));
                canvas.pen.draw(circle(across, upwards, 5));
            }
        }
        canvas.pen.setColor(SheetCanvas.SOFT);
        canvas.pen.setStroke(new BasicStroke(1.5f));
        double mean = Math.sqrt(points.dimension());
        canvas.pen.draw(circle(mean, 0, 8));
        canvas.pen.draw(circle(-mean, 0, 8));
        return Output.writePng(file, canvas.finish());
    }

    private static Ellipse2D circle(double across, double upwards, double radius) {
        double left = x(Math.clamp(across, -REACH, REACH)) - radius;
        double top = y(Math.clamp(upwards, -REACH, REACH)) - radius;
        return new Ellipse2D.Double(left, top, 2 * radius, 2 * radius);
    }

    private static double x(double across) {
        return SheetCanvas.MARGIN + SIDE * (across + REACH) / (2 * REACH);
    }

    private static double y(double upwards) {
        return SheetCanvas.top(2) + SIDE * (REACH - upwards) / (2 * REACH);
    }
}
