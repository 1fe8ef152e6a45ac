package dev.rote.tools.report;

import java.util.List;
import java.util.Objects;

/// One quantity over the training step tau (optimizer updates).
///
/// @param quantity what was measured
/// @param points by step, never decreasing; may be empty
public record Curve(Quantity quantity, List<Point> points) {
    public Curve {
        Objects.requireNonNull(quantity, "quantity");
        points = List.copyOf(points);
        double last = 0;
        for (Point point : points) {
            if (!(point.x() >= last) || Double.isInfinite(point.x())) {
                throw new IllegalArgumentException(
                        quantity.key() + ": steps must not decrease, " + point.x() + " follows " + last);
            }
            last = point.x();
        }
    }
}
