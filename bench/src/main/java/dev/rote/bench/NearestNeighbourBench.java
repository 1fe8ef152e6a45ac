package dev.rote.bench;

import dev.rote.device.Buffer;
import dev.rote.device.NearestSearch;
import dev.rote.device.Vectors;
import dev.rote.device.cuda.CudaDevice;
import dev.rote.graph.DType;
import dev.rote.metrics.NeighbourSearch;
import dev.rote.metrics.Neighbours;
import dev.rote.metrics.Pixels;
import dev.rote.metrics.Rows;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
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
/// The images are those of [PlantedCopies].
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Warmup(iterations = 10)
@Measurement(iterations = 30)
@Fork(
        value = 1,
        jvmArgsAppend = {"--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector"})
public class NearestNeighbourBench {
    /// Queries x references x dimension.
    @Param({"256x1024x1024", "1000x10000x1024"})
    public String shape;

    /// 0 for one per available processor.
    @Param("0")
    public int threads;

    /// `cpu`, or `cuda`: there queries and references lie on the device, references prepared; a sample is what the
    /// search of fresh queries takes, centring and splitting them and reading the answer back included.
    @Param("cpu")
    public String device;

    /// `f32`, or `u8` for images as bytes.
    @Param("f32")
    public String type;

    private PlantedCopies images;
    private Search search;
    private Neighbours found;

    /// One way of searching, with everything prepared that is prepared once in a run.
    private interface Search extends AutoCloseable {
        Neighbours run() throws InterruptedException;

        @Override
        void close();
    }

    /// Arithmetic of the pass over all pairs: on the CPU subtract, multiply, add for each of `m x n x d`; on CUDA
    /// multiply and add.
    static long flops(String shape, String device) {
        int[] sizes = PlantedCopies.sizes(shape);
        return (device.equals("cuda") ? 2L : 3L) * sizes[0] * sizes[1] * sizes[2];
    }

    /// Values of queries and references together.
    static long values(String shape) {
        int[] sizes = PlantedCopies.sizes(shape);
        return ((long) sizes[0] + sizes[1]) * sizes[2];
    }

    static int queries(String shape) {
        return PlantedCopies.sizes(shape)[0];
    }

    @Setup
    public void draw() {
        images = PlantedCopies.draw(shape);
        search = device.equals("cuda") ? new OnCuda() : onCpu();
    }

    private Search onCpu() {
        boolean pixels = type.equals("u8");
        Rows references = rows(images.training(), pixels);
        Rows queries = rows(images.generated(), pixels);
        int workers = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
        NeighbourSearch<Rows> prepared = NeighbourSearch.onCpu(references, workers);
        return new Search() {
            @Override
            public Neighbours run() throws InterruptedException {
                return prepared.search(queries, 2);
            }

            @Override
            public void close() {
                prepared.close();
            }
        };
    }

    private Rows rows(byte[] values, boolean pixels) {
        int dimension = images.dimension();
        return pixels ? Pixels.of(values, dimension).rows() : Rows.of(PlantedCopies.floats(values), dimension);
    }

    private final class OnCuda implements Search {
        private final CudaDevice opened = CudaDevice.open(0);
        private final NearestSearch prepared;
        private final Buffer queries;

        OnCuda() {
            DType values = type.equals("u8") ? DType.U8 : DType.F32;
            byte[] training = images.training();
            prepared = opened.nearestSearch(new Vectors(
                            segment(training), training.length / images.dimension(), images.dimension(), values))
                    .orElseThrow();
            queries = opened.allocate("queries", values, images.generated().length);
            queries.write(0, segment(images.generated()));
        }

        private MemorySegment segment(byte[] pixels) {
            return type.equals("u8")
                    ? MemorySegment.ofArray(pixels)
                    : MemorySegment.ofArray(PlantedCopies.floats(pixels));
        }

        @Override
        public Neighbours run() throws InterruptedException {
            NearestSearch.Answer answer =
                    prepared.search(queries, images.queries(), new NearestSearch.Question(2, null));
            double[] distances = new double[answer.squares().length];
            Arrays.setAll(distances, i -> Math.sqrt(answer.squares()[i]));
            return new Neighbours(images.queries(), 2, answer.indices(), distances, answer.searchedOn());
        }

        @Override
        public void close() {
            opened.close();
        }
    }

    @Benchmark
    public Neighbours nearestNeighbours() throws InterruptedException {
        found = search.run();
        return found;
    }

    /// @throws AssertionError unless every copy has found its original at one step's distance, and every query two
    ///     different neighbours in order
    @TearDown
    public void check() {
        search.close();
        double step = PlantedCopies.step(type);
        int queries = images.queries();
        for (int query = 0; query < queries; query++) {
            double first = found.distance(query, 0);
            boolean ordered = found.index(query, 0) != found.index(query, 1) && first <= found.distance(query, 1);
            boolean original = found.index(query, 0) == images.original(query) && Math.abs(first / step - 1) < 1e-4;
            if (!ordered || (query % PlantedCopies.EVERY == 0 && !original)) {
                throw new AssertionError("query " + query + ": found " + found.index(query, 0) + " at " + first
                        + " and " + found.index(query, 1) + " at " + found.distance(query, 1));
            }
        }
        System.out.println("\n" + SearchNotes.line(shape, type, device, queries - found.searchedOn(), queries));
    }
}
