package dev.rote.bench;

import dev.rote.config.MeasureConfig;
import dev.rote.device.cuda.CudaDevice;
import dev.rote.metrics.Bootstrap;
import dev.rote.metrics.MemorizedFraction;
import dev.rote.metrics.NeighbourSearch;
import dev.rote.metrics.Neighbours;
import dev.rote.metrics.Rows;
import java.util.List;
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

/// What measuring the memorized fraction in the training loop costs on a GPU beside drawing the samples: the samples
/// lie in host memory, the training images are prepared once, as in a run that measures.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 3)
@Measurement(iterations = 20)
@Fork(
        value = 1,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector"})
public class CudaMemorizationBench {
    private static final double LEVEL = 0.95;

    /// Samples x training images x dimension.
    @Param("10000x32768x1024")
    public String shape;

    private PlantedCopies images;
    private Rows samples;
    private MeasureConfig config;
    private Bootstrap bootstrap;
    private CudaDevice device;
    private NeighbourSearch<Rows> search;
    private Neighbours found;

    @Setup
    public void prepare() {
        images = PlantedCopies.draw(shape);
        config = new Study(8, "bf16", 1, "sgd").config().measure();
        bootstrap = new Bootstrap(config.bootstrap(), LEVEL, Study.SEED);
        samples = Rows.of(PlantedCopies.floats(images.generated()), images.dimension());
        device = CudaDevice.open(0);
        search = NeighbourSearch.of(device, Rows.of(PlantedCopies.floats(images.training()), images.dimension()), 1);
    }

    /// The search alone, samples sent to the device and the answer read back.
    @Benchmark
    public Neighbours memorizationSearch() throws InterruptedException {
        found = search.search(samples, 2);
        return found;
    }

    /// The whole metric: search, ratios, and for every k of a study the share with its intervals.
    @Benchmark
    public List<MemorizedFraction> memorizedFraction() throws InterruptedException {
        found = search.search(samples, 2);
        double[] ratios = MemorizedFraction.ratios(found);
        return config.k().stream()
                .map(k -> MemorizedFraction.of(ratios, k, bootstrap))
                .toList();
    }

    /// @throws AssertionError unless the copies and only they count as memorized
    @TearDown
    public void check() {
        search.close();
        device.close();
        int copies = MemorizedFraction.of(MemorizedFraction.ratios(found), MemorizedFraction.ONE_THIRD, bootstrap)
                .memorized();
        int planted = Math.ceilDiv(images.queries(), PlantedCopies.EVERY);
        if (copies != planted || found.index(0, 0) != images.original(0)) {
            throw new AssertionError("memorized samples: expected " + planted + ", found " + copies);
        }
    }
}
