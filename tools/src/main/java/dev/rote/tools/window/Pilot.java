package dev.rote.tools.window;

import dev.rote.config.ConfigTree;
import dev.rote.config.RunConfig;
import dev.rote.errors.DataException;
import dev.rote.metrics.WindowPrediction.Prior;
import dev.rote.tools.study.StudyFile;
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

    private static final double OVERSHOOT = 1.4; // steps of a run over its tau_mem, when it stops by itself

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

    /// One size that takes at most `budget` of the updates up to 2 tau_mem(n) in most cases: by the law of
    /// [Prior#MEMORIZATION] with an exponent half a deviation below the mean, since the slower tau_mem grows, the
    /// larger is the share of a small run. But no fewer images than can be learnt from. One large size and not
    /// several: the prior knows the exponent better than small sizes do, at which the law bends, and the nearer a
    /// size is to n, the less an error of the exponent matters.
    ///
    /// @param budget share, above 0
    public static Pilot within(int n, int seeds, double budget) {
        if (n <= SMALLEST) {
            throw new DataException("data: expected more than " + SMALLEST + " training images, of which some make"
                    + " a smaller run, found " + n);
        }
        Prior law = Prior.MEMORIZATION;
        double exponent = law.mean() - 0.5 * law.deviation();
        double share = Math.pow(2 * budget / (OVERSHOOT * seeds), 1 / exponent);
        long size = Math.round((n + law.offset()) * share - law.offset());
        return new Pilot(n, List.of((int) Math.clamp(size, SMALLEST, n - 1)), seeds);
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
