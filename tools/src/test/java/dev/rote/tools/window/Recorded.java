package dev.rote.tools.window;

import dev.rote.config.RunConfig;
import dev.rote.tools.study.RunRecord;
import dev.rote.tools.study.RunRecord.Estimate;
import dev.rote.tools.study.RunRecord.Measured;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/// Recorded runs whose window is known: copies pass 1 % at 20 n, the Fréchet distance falls to its floor by step 100.
final class Recorded {
    static final int SAMPLES = 640;
    static final double TAU_PER_IMAGE = 20;

    private Recorded() {}

    static RunConfig config(int n, int seed) {
        return RunConfig.parse("""
                seed = %d
                [data]
                source = "given by the test"
                size = 8
                n = %d
                test = 8
                [train]
                batch = 32
                batch_limit_n = false
                steps = 1000000
                """.formatted(seed, n), "test");
    }

    static RecordedRun run(int n, int seed) {
        return run(config(n, seed));
    }

    static RecordedRun run(RunConfig config) {
        return run(config, 20);
    }

    /// @param fall updates in which the Fréchet distance comes nearer to its floor by a factor of e
    static RecordedRun run(RunConfig config, double fall) {
        int n = config.data().n();
        Random random = new Random(31L * n + config.seed());
        double tau = TAU_PER_IMAGE * n;
        List<Measured> measured = new ArrayList<>();
        for (int i = 0; ; i++) {
            int step = (int) Math.round(20 * Math.pow(10, i / 14.0));
            if (step > 4 * tau) {
                return new RecordedRun(config, measured);
            }
            double fraction = 1 / (1 + 99 * Math.pow(step / tau, -3.5));
            double[] ratios =
                    random.doubles(SAMPLES).map(x -> x < fraction ? 0.1 : 0.9).toArray();
            double gap = 1 - 1 / (1 + step / tau);
            measured.add(new Measured(
                    step,
                    SAMPLES,
                    List.of(),
                    ratios,
                    Optional.of(exact(1 + 100 * Math.exp(-step / fall))),
                    "features",
                    Map.of(0.01, exact(1 - gap)),
                    Map.of(0.01, exact(1)),
                    Map.of()));
        }
    }

    static Estimate exact(double value) {
        return new Estimate(value, value, value);
    }

    static RunRecord none() {
        return new RunRecord(
                0,
                false,
                List.of(),
                List.of(),
                List.of(),
                Optional.empty(),
                java.util.OptionalLong.empty(),
                List.of(),
                Optional.empty());
    }
}
