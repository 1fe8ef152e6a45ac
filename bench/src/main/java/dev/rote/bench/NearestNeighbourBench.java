package dev.rote.bench;

import dev.rote.metrics.NearestNeighbours;
import dev.rote.metrics.Neighbours;
import dev.rote.metrics.Rows;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// Time of the exact two nearest neighbours of every query; every search is one sample.
///
/// References are seeded 8-bit images; every fourth query is a reference with one pixel changed by one step, so that
/// the right answer is known and the distances are those of near copies.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 10)
@Measurement(iterations = 30)
@Fork(
        value = 1,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector"})
public class NearestNeighbourBench {
    private static final int COPY_EVERY = 4;
    private static final float PIXEL_STEP = 1f / 255f;

    /// Queries x references x dimension.
    @Param({"256x1024x1024", "1000x10000x1024"})
    public String shape;

    /// 0 for one per available processor.
    @Param("0")
    public int threads;

    private Rows queries;
    private Rows references;
    private int workers;
    private Neighbours found;

    /// Arithmetic of the pass over all pairs: subtract, multiply, add for each of `m x n x d`.
    static long flops(String shape) {
        int[] sizes = sizes(shape);
        return 3L * sizes[0] * sizes[1] * sizes[2];
    }

    static int queries(String shape) {
        return sizes(shape)[0];
    }

    private static int[] sizes(String shape) {
        String[] parts = shape.split("x", -1);
        return new int[] {Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), Integer.parseInt(parts[2])};
    }

    @Setup
    public void draw() {
        int[] sizes = sizes(shape);
        int dimension = sizes[2];
        Random random = new Random(1);
        float[] training = new float[sizes[1] * dimension];
        for (int i = 0; i < training.length; i++) {
            training[i] = random.nextInt(256) / 255f;
        }
        float[] generated = new float[sizes[0] * dimension];
        for (int query = 0; query < sizes[0]; query++) {
            for (int i = 0; i < dimension; i++) {
                generated[query * dimension + i] =
                        isCopy(query) ? training[query * dimension + i] : random.nextInt(256) / 255f;
            }
            if (isCopy(query)) {
                generated[query * dimension + query % dimension] += PIXEL_STEP;
            }
        }
        references = Rows.of(training, dimension);
        queries = Rows.of(generated, dimension);
        workers = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
    }

    private static boolean isCopy(int query) {
        return query % COPY_EVERY == 0;
    }

    @Benchmark
    public Neighbours nearestNeighbours() throws InterruptedException {
        found = NearestNeighbours.search(queries, references, 2, workers);
        return found;
    }

    /// @throws AssertionError unless every copy has found its original at one step's distance, and every query two
    ///     different neighbours in order
    @TearDown
    public void check() {
        for (int query = 0; query < queries.count(); query++) {
            double first = found.distance(query, 0);
            boolean ordered = found.index(query, 0) != found.index(query, 1) && first <= found.distance(query, 1);
            boolean original = found.index(query, 0) == query && Math.abs(first / PIXEL_STEP - 1) < 1e-4;
            if (!ordered || (isCopy(query) && !original)) {
                throw new AssertionError("query " + query + ": found " + found.index(query, 0) + " at " + first
                        + " and " + found.index(query, 1) + " at " + found.distance(query, 1));
            }
        }
    }
}
