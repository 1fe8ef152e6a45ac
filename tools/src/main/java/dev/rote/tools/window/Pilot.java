package dev.rote.tools.window;

import dev.rote.config.ConfigTree;
import dev.rote.config.RunConfig;
import dev.rote.errors.DataException;
import dev.rote.tools.study.StudyFile;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/// Small runs that stand for a large one: the same network, optimizer and batch on few of its images, each ending by
/// itself when copies have come for sure.
///
/// @param n training images of the run that is forecast
/// @param sizes training images of the small runs, growing
/// @param seeds runs of each size
public record Pilot(int n, List<Integer> sizes, int seeds) {
    /// Fewer images are copied as soon as anything is learnt, and the law bends.
    static final int SMALLEST = 12;

    // Few and large: the prior knows the exponent better than small sizes do, at which the law bends.
    private static final double RATIO = 2; // between sizes
    private static final int SIZES = 2;
    private static final double OVERSHOOT = 1.35; // steps of a run over its tau_mem, when it stops by itself

    public Pilot {
        sizes = List.copyOf(sizes);
        for (int i = 0; i < sizes.size(); i++) {
            int size = sizes.get(i);
            if (size < 2 || size >= n || (i > 0 && size <= sizes.get(i - 1))) {
                throw new DataException("--sizes: expected growing numbers from 2 to " + (n - 1)
                        + ", fewer than the images of the run, found " + sizes);
            }
        }
        if (sizes.isEmpty() || seeds < 1 || seeds > 100) {
            throw new DataException("--sizes, --seeds: expected at least one size and 1 to 100 seeds, found " + sizes
                    + " and " + seeds);
        }
    }

    /// Sizes that take about `budget` of the updates up to 2 tau_mem(n) if tau_mem is proportional to n, but no fewer
    /// images than can be learnt from.
    ///
    /// @param budget share, above 0
    public static Pilot within(int n, int seeds, double budget) {
        double sum = 0;
        for (int i = 0; i < SIZES; i++) {
            sum += Math.pow(RATIO, i);
        }
        double smallest = Math.max(SMALLEST, budget * 2 * n / (OVERSHOOT * seeds * sum));
        List<Integer> sizes = new ArrayList<>();
        for (int i = 0; i < SIZES; i++) {
            int size = (int) Math.round(smallest * Math.pow(RATIO, i));
            if (size < n) {
                sizes.add(size);
            }
        }
        if (sizes.isEmpty()) {
            throw new DataException("data: expected more than " + SMALLEST + " training images, of which some make"
                    + " smaller runs, found " + n);
        }
        return new Pilot(n, sizes, seeds);
    }

    /// The study of the small runs.
    ///
    /// @param run of the large run
    StudyFile study(ConfigTree run) {
        RunConfig large = RunConfig.of(run);
        ConfigTree tree = run.with("name", "pilot")
                .with("train.batch", Integer.toString(large.train().effectiveBatch(n)))
                .with("train.batch_limit_n", "false")
                .with("train.checkpoint_every", "0")
                .with("measure.sheets", "[]")
                .with("stop.rule", "before-memorization")
                .with("stop.confidence", "0.99");
        List<Long> each =
                LongStream.range(large.seed(), large.seed() + seeds).boxed().toList();
        String grid = "{ \"data.n\" = " + sizes + ", seed = " + each + " }";
        return StudyFile.of(tree.without("seed").with("grid", ConfigTree.value(grid), "--sizes, --seeds"));
    }
}
