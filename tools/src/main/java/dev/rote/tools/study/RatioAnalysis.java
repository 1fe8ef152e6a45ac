package dev.rote.tools.study;

import dev.rote.metrics.Interval;
import dev.rote.metrics.StudentT;
import dev.rote.tools.report.Clock;
import dev.rote.tools.report.Reading;
import dev.rote.tools.report.TimeRatio;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// How much sooner or later things happen in one setting than in the first one, such as with Adam than with SGD.
final class RatioAnalysis {
    private static final double LEVEL = 0.95;

    private RatioAnalysis() {}

    /// tau_mem at the headline and the plateau of the Fréchet distance, of each setting over the first.
    static List<TimeRatio> of(StudyFile study, Map<String, List<Member>> settings) {
        List<TimeRatio> found = new ArrayList<>();
        if (settings.size() < 2) {
            return found;
        }
        Clock.TauMem memorization = StudyAnalysis.headline(study).tauMem();
        Map.Entry<String, List<Member>> first = settings.entrySet().iterator().next();
        settings.forEach((where, members) -> {
            if (!where.equals(first.getKey())) {
                for (Clock clock : List.of(memorization, new Clock.Plateau())) {
                    ratio(clock, memorization, where, members, first).ifPresent(found::add);
                }
            }
        });
        return found;
    }

    private static Optional<TimeRatio> ratio(
            Clock clock,
            Clock.TauMem memorization,
            String where,
            List<Member> members,
            Map.Entry<String, List<Member>> reference) {
        List<TimeRatio.Pair> pairs = new ArrayList<>();
        int leftOut = 0;
        for (Member member : members) {
            Optional<Member> other = reference.getValue().stream()
                    .filter(m -> m.n() == member.n() && m.width() == member.width() && m.isTwinOf(member))
                    .findFirst();
            if (other.isEmpty()) {
                continue;
            }
            Optional<Reading> above = member.time(clock, memorization);
            Optional<Reading> below = other.get().time(clock, memorization);
            if (above.orElse(null) instanceof Reading.Reached a && below.orElse(null) instanceof Reading.Reached b) {
                pairs.add(new TimeRatio.Pair(member.n(), member.run().name(), a.value() / b.value()));
            } else {
                leftOut++;
            }
        }
        if (pairs.isEmpty() && leftOut == 0) {
            return Optional.empty();
        }
        Interval mean = pairs.isEmpty()
                ? new Interval(Double.POSITIVE_INFINITY, 0, Double.POSITIVE_INFINITY)
                : StudentT.geometricMean(
                        pairs.stream().mapToDouble(TimeRatio.Pair::ratio).toArray(), LEVEL);
        boolean interval = pairs.size() > 1;
        return Optional.of(new TimeRatio(
                clock,
                where,
                reference.getKey(),
                pairs,
                leftOut,
                pairs.isEmpty() ? Double.NaN : mean.value(),
                interval ? mean.low() : Double.NaN,
                interval ? mean.high() : Double.NaN));
    }
}
