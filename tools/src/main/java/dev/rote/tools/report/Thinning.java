package dev.rote.tools.report;

import java.util.ArrayList;
import java.util.List;

/// Makes long curves drawable: a loss that was recorded at every step has more points than a screen has pixels.
final class Thinning {
    /// Curves of up to this many points are left alone.
    static final int MOST = 400;

    private Thinning() {}

    /// Means over [#MOST] bins of equal width in log x. Points at x <= 0 are dropped when the curve is thinned; bins
    /// without a finite value vanish.
    static List<Point> logMeans(List<Point> points) {
        if (points.size() <= MOST) {
            return points;
        }
        List<Point> positive = points.stream().filter(p -> p.x() > 0).toList();
        if (positive.isEmpty()) {
            return positive;
        }
        double from = Math.log(positive.getFirst().x());
        double width = (Math.log(positive.getLast().x()) - from) / MOST;
        List<Point> thinned = new ArrayList<>();
        double sumX = 0;
        double sumY = 0;
        int count = 0;
        int bin = 0;
        for (Point p : positive) {
            int now = (int) Math.min(MOST - 1, Math.floor((Math.log(p.x()) - from) / width));
            if (now != bin && count > 0) {
                thinned.add(Point.of(sumX / count, sumY / count));
                sumX = sumY = count = 0;
            }
            bin = now;
            if (p.isDrawable()) {
                sumX += p.x();
                sumY += p.y();
                count++;
            }
        }
        if (count > 0) {
            thinned.add(Point.of(sumX / count, sumY / count));
        }
        return thinned;
    }
}
