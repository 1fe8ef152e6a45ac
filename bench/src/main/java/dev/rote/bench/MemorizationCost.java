package dev.rote.bench;

import java.util.List;
import java.util.Locale;

/// What measuring the memorized fraction costs beside training, in sentences.
///
/// `study1/n-sweep` measures at the steps `1000 * 10^(i / 9)`: 37 times in the 11,000,000 steps of its run on 32,768
/// images.
final class MemorizationCost {
    private static final int INTERVAL = 10_000;
    private static final int STUDY_STEPS = 11_000_000;
    private static final int STUDY_FIRST = 1_000;
    private static final int STUDY_PER_DECADE = 9;

    private MemorizationCost() {}

    /// Empty unless both the metric and a training step were timed.
    static String text(List<Outcome> outcomes) {
        StringBuilder text = new StringBuilder();
        for (Outcome metric : outcomes) {
            if (metric.timed().benchmark().equals(Case.MEMORIZED_FRACTION)) {
                outcomes.stream().filter(MemorizationCost::isStep).forEach(step -> text.append(sentence(metric, step)));
            }
        }
        return text.isEmpty()
                ? ""
                : "\nThe memorized fraction in the loop, drawing the samples not counted:\n\n" + text;
    }

    private static boolean isStep(Outcome outcome) {
        return outcome.timed().benchmark().equals(Case.TRAINING_STEP)
                && CudaSweepBench.runs(outcome.timed()) == 0
                && outcome.timed().type().equals("bf16");
    }

    private static String sentence(Outcome metric, Outcome step) {
        double metricMs = metric.timing().medianMs();
        double stepMs = step.timing().medianMs();
        int measured = measurements(STUDY_STEPS);
        return String.format(
                Locale.ROOT,
                "- %s, %.1f ms, beside steps of %s, %.2f ms: %.3f %% of the time if measured every %,d steps, %.5f %% of"
                        + " study1/n-sweep with %d measurements in %,d steps%n",
                metric.timed().shape(),
                metricMs,
                step.timed().shape(),
                stepMs,
                100 * share(metricMs, stepMs, 1, INTERVAL),
                INTERVAL,
                100 * share(metricMs, stepMs, measured, STUDY_STEPS),
                measured,
                STUDY_STEPS);
    }

    /// Of the steps 1 .. `steps` those at which the study measures.
    static int measurements(int steps) {
        return 1 + (int) Math.floor(STUDY_PER_DECADE * Math.log10((double) steps / STUDY_FIRST));
    }

    private static double share(double metricMs, double stepMs, int measurements, int steps) {
        return measurements * metricMs / (measurements * metricMs + steps * stepMs);
    }
}
