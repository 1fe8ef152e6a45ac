package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.device.Buffer;
import dev.rote.device.NearestSearch;
import dev.rote.device.NearestSearch.Answer;
import dev.rote.device.NearestSearch.Question;
import dev.rote.device.Vectors;
import dev.rote.graph.DType;
import dev.rote.metrics.NearestNeighbours;
import dev.rote.metrics.NearestNeighboursReference;
import dev.rote.metrics.NeighbourSearch;
import dev.rote.metrics.Neighbours;
import dev.rote.metrics.Pixels;
import dev.rote.metrics.Rows;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The search by kernels finds, bit for bit, what comparing all pairs in f64 finds.
class CudaNearestTest extends OnCudaDevice {
    private static final int SEED = 20251126;

    private final Random random = new Random(SEED);

    /// The stand-in runs the kernels of every architecture, but gives a block the shared memory of one.
    @BeforeEach
    void beOfCapability90() {
        StandIn.loaded().ifPresent(standIn -> standIn.set("capability", 90));
    }

    @AfterEach
    void beOfCapability80() {
        StandIn.loaded().ifPresent(standIn -> standIn.set("capability", 80));
    }

    @ParameterizedTest
    @CsvSource({
        "1,1,1,1",
        "7,2,1,2",
        "7,3,3,3",
        "5,33,2,2",
        "6,32,15,2",
        "129,65,31,2",
        "31,257,32,5",
        "13,255,33,33",
        "9,520,7,64",
        "40,64,64,64",
        "3,300,65,1",
        "10,129,200,2",
        "2,35,1000,2"
    })
    void equalsTheReferenceBitForBitInBothOrders(int queries, int references, int d, int k)
            throws InterruptedException {
        float[] y = uniform(references * d);
        float[] x = uniform(queries * d);
        requireReferenceResult(x, y, d, k);
        AnyDriver.descending(true);
        requireReferenceResult(x, y, d, k);
        AnyDriver.descending(false);
    }

    @Test
    void equalsTheReferenceAtThousandsOfDimensions() throws InterruptedException {
        int d = AnyDriver.isGpu() ? 12_288 : 3_073;
        float[] y = uniform(20 * d);
        requireReferenceResult(noisy(y, 0.02), y, d, 2);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 1e-7, 1 / 255., 0.02, 0.3})
    void findsTheOriginalsOfNearCopies(double noise) throws InterruptedException {
        int d = 120;
        float[] y = uniform(90 * d);
        Answer found = requireReferenceResult(noisy(y, noise), y, d, 2);
        assertThat(found.indices()[2 * 17]).isEqualTo(17);
        if (noise == 0) {
            assertThat(found.squares()[2 * 17]).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e3, -1e6, 1e8})
    void keepsNearCopiesApartUnderALargeMean(double mean) throws InterruptedException {
        int d = 65;
        float[] y = changed(uniform(50 * d), i -> mean);
        requireReferenceResult(noisy(y, 0.02), y, d, 3);
    }

    /// The centre is the mean of the references; queries far from it have norms and errors a thousand times larger.
    @Test
    void staysExactForQueriesFarFromTheReferences() throws InterruptedException {
        int d = 50;
        float[] y = uniform(300 * d);
        requireReferenceResult(changed(uniform(20 * d), i -> i < 10 * d ? 1000 : 0), y, d, 2);
    }

    /// One long reference must not spoil the bounds of the others.
    @Test
    void oneLongReferenceLeavesTheOthersCertain() throws InterruptedException {
        int d = 64;
        float[] y = uniform(700 * d);
        Arrays.fill(y, 5 * d, 6 * d, 200);
        Answer found = requireReferenceResult(uniform(40 * d), y, d, 2);
        assertThat(found.searchedOn()).isLessThan(20);
    }

    /// References on a sphere around the query: no bound settles it, all are compared.
    @ParameterizedTest
    @ValueSource(ints = {3, 40, 257})
    void ordersReferencesThatNoBoundTellsApart(int d) throws InterruptedException {
        float[] y = changed(uniform(300 * d), i -> -0.5);
        for (int r = 0; r < 300; r++) {
            double square = 0;
            for (int i = r * d; i < (r + 1) * d; i++) {
                square += (double) y[i] * y[i];
            }
            for (int i = r * d; i < (r + 1) * d; i++) {
                y[i] = (float) (y[i] / Math.sqrt(square));
            }
        }
        Answer found = requireReferenceResult(new float[d], y, d, 7);
        assertThat(found.searchedOn()).isOne();
    }

    /// Halfway between two bf16 values: the rest of the split is as large as it gets, and of one sign.
    @Test
    void staysExactForValuesThatRoundBadly() throws InterruptedException {
        int d = 96;
        float[] y = new float[260 * d];
        for (int i = 0; i < y.length; i++) {
            y[i] = (random.nextBoolean() ? 1 : -1) * (1 + 0x1p-8f - 0x1p-20f * random.nextInt(4));
        }
        requireReferenceResult(noisy(y, 1e-3), y, d, 2);
    }

    @Test
    void breaksTiesBySmallerIndex() throws InterruptedException {
        int d = 19;
        float[] pattern = uniform(d);
        float[] y = new float[80 * d];
        for (int r = 0; r < 80; r++) {
            System.arraycopy(pattern, 0, y, r * d, d);
        }
        Answer found = requireReferenceResult(uniform(7 * d), y, d, 4);
        assertThat(found.indices()).startsWith(0, 1, 2, 3);
    }

    @ParameterizedTest
    @ValueSource(floats = {1e-44f, 1e-30f, 2e-23f, 1e-10f, 1e17f, 1e18f, 1e19f, 1e25f, 3e38f})
    void staysExactAtTheEndsOfTheRangeOfFloats(float scale) throws InterruptedException {
        int d = 40;
        float[] y = uniform(70 * d);
        float[] x = uniform(8 * d);
        for (int i = 0; i < y.length; i++) {
            y[i] = (y[i] - 0.5f) * 2 * scale;
        }
        for (int i = 0; i < x.length; i++) {
            x[i] = (x[i] - 0.5f) * 2 * scale;
        }
        requireReferenceResult(x, y, d, 2);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void searchesSetsOfOneTwoAndThree(int n) throws InterruptedException {
        for (int d : new int[] {1, 2, 31, 100}) {
            float[] y = uniform(n * d);
            requireReferenceResult(noisy(y, 1 / 255.), y, d, n);
        }
    }

    @Test
    void searchesASetInItselfWithoutTheRowItself() throws InterruptedException {
        int d = 10;
        int n = 300;
        float[] y = uniform(n * d);
        System.arraycopy(y, 3 * d, y, 30 * d, d); // a duplicate pair
        int[] own = new int[n];
        Arrays.setAll(own, i -> i);
        Vectors set = vectors(y, d);
        try (NearestSearch search = CudaNearestSearch.open(device, set)) {
            Answer found = search.search(set, new Question(2, own));
            requireEqual(found, NearestNeighboursReference.search(Rows.of(y, d), Rows.of(y, d), 2, own));
            assertThat(found.indices()[2 * 3]).isEqualTo(30);
        }
    }

    /// Little memory: references go through it in parts of 256, queries as well.
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 40})
    void streamsWhatDoesNotFit(int k) throws InterruptedException {
        int d = 24;
        int n = 1000;
        float[] y = uniform(n * d);
        System.arraycopy(y, 900 * d, y, 100 * d, d); // a tie between two parts
        float[] x = Arrays.copyOf(noisy(y, 0.01), 300 * d);
        int[] exclude = new int[300];
        Arrays.setAll(exclude, i -> i % 2 == 0 ? (i * 7) % n : -1);
        try (NearestSearch search = CudaNearestSearch.open(device, vectors(y, d), 100_000, NearestScan.PORTABLE)) {
            requireEqual(
                    search.search(vectors(x, d), new Question(k, null)),
                    NearestNeighboursReference.search(Rows.of(x, d), Rows.of(y, d), k, null));
            requireEqual(
                    search.search(vectors(x, d), new Question(k, exclude)),
                    NearestNeighboursReference.search(Rows.of(x, d), Rows.of(y, d), k, exclude));
        }
    }

    @Test
    void takesQueriesFromTheDeviceAndSearchesOftenInOneSet() throws InterruptedException {
        int d = 33;
        float[] y = uniform(400 * d);
        try (NearestSearch search = CudaNearestSearch.open(device, vectors(y, d))) {
            for (int m : new int[] {5, 300, 1}) {
                float[] x = uniform(m * d);
                try (Buffer buffer = device.allocate("queries", DType.F32, x.length)) {
                    buffer.writeFloats(x);
                    Answer found = search.search(buffer, m, new Question(2, null));
                    requireEqual(found, NearestNeighboursReference.search(Rows.of(x, d), Rows.of(y, d), 2, null));
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"5,3,1,2", "130,300,64,2", "3,70,65,64", "20,257,200,2"})
    void equalsTheReferenceForEightBitVectors(int m, int n, int d, int k) throws InterruptedException {
        byte[] y = new byte[n * d];
        random.nextBytes(y);
        byte[] x = new byte[m * d];
        random.nextBytes(x);
        System.arraycopy(y, 0, x, 0, Math.min(x.length, y.length) / 2);
        if (n > 2) {
            System.arraycopy(y, 0, y, 2 * d, d);
        }
        Arrays.fill(y, d, 2 * d, (byte) 255);
        Arrays.fill(x, d, 2 * d, (byte) 0);
        Neighbours expected =
                NearestNeighboursReference.search(Rows.of(integers(x), d), Rows.of(integers(y), d), k, null);
        Vectors references = new Vectors(MemorySegment.ofArray(y), n, d, DType.U8);
        Vectors queries = new Vectors(MemorySegment.ofArray(x), m, d, DType.U8);
        for (NearestScan kernels : kernels()) {
            try (NearestSearch search = open(references, kernels)) {
                requireEqual(search.search(queries, new Question(k, null)), expected);
            }
        }
    }

    /// Every pair's bound against its distance: more than 10^6 pairs here, 10^8 on a GPU; sums of the tensor cores
    /// rounded to nearest and, on the stand-in, toward zero.
    @ParameterizedTest
    @CsvSource({"false,24", "true,24", "true,1"})
    void noBoundIsWrong(boolean truncating, int d) throws InterruptedException {
        int m = AnyDriver.isGpu() ? 10_000 : 700;
        int n = AnyDriver.isGpu() ? 10_100 : 1_500;
        int dimension = AnyDriver.isGpu() ? d * 32 : d;
        StandIn.loaded().ifPresent(standIn -> standIn.set("truncate", truncating ? 1 : 0));
        float[] y = uniform(n * dimension);
        for (int i = 0; i < y.length; i++) {
            y[i] *= (i / dimension) % 7; // norms of many sizes
        }
        float[] x = Arrays.copyOf(noisy(y, 0.02), m * dimension);
        try {
            for (NearestScan kernels : kernels()) {
                try (CudaNearestSearch search = open(vectors(y, dimension), kernels)) {
                    CudaNearestSearch.Audit audit = search.audit(vectors(x, dimension));
                    assertThat(audit.pairs()).isEqualTo((long) m * n);
                    assertThat(audit.wrong()).isZero();
                }
            }
        } finally {
            StandIn.loaded().ifPresent(standIn -> standIn.set("truncate", 0));
        }
    }

    /// Independent vectors of many dimensions: the best candidates settle nearly all queries.
    @Test
    void theBestCandidatesSettleNearlyAllQueries() throws InterruptedException {
        int d = 256;
        float[] y = uniform(1500 * d);
        Answer found = requireReferenceResult(uniform(50 * d), y, d, 2);
        assertThat(found.searchedOn()).isLessThan(15);
    }

    /// What studies call: the same answer as on the CPU, in floats and in 8 bits.
    @Test
    void aNeighbourSearchTakesTheDevice() throws InterruptedException {
        int d = 12;
        byte[] images = new byte[40 * d];
        random.nextBytes(images);
        Pixels set = Pixels.of(images, d);
        Pixels queries = Pixels.of(Arrays.copyOf(images, 6 * d), d);
        Neighbours expected = NearestNeighbours.search(queries.rows(), set.rows(), 2, 1);
        try (NeighbourSearch<Pixels> pixels = NeighbourSearch.of(device, set, 1);
                NeighbourSearch<Rows> rows = NeighbourSearch.of(device, set.rows(), 1)) {
            assertThat(pixels).isInstanceOf(NeighbourSearch.OnDevice.class);
            for (Neighbours found : List.of(pixels.search(queries, 2), rows.search(queries.rows(), 2))) {
                assertThat(found.indices()).isEqualTo(expected.indices());
                assertThat(found.distances()).isEqualTo(expected.distances());
            }
        }
    }

    @Test
    void givesAllMemoryBack() throws InterruptedException {
        long before = device.allocatedBytes();
        try (NearestSearch search =
                device.nearestSearch(vectors(new float[30], 3)).orElseThrow()) {
            search.search(vectors(new float[9], 3), new Question(2, null));
            assertThat(device.allocatedBytes() - before).isBetween(1L, device.nearestSearchBytes(10, 3, 3));
        }
        assertThat(device.allocatedBytes()).isEqualTo(before);
    }

    /// By every kernel that runs on this device.
    private Answer requireReferenceResult(float[] x, float[] y, int d, int k) throws InterruptedException {
        Neighbours expected = NearestNeighboursReference.search(Rows.of(x, d), Rows.of(y, d), k, null);
        Answer found = null;
        for (NearestScan kernels : kernels()) {
            try (NearestSearch search = open(vectors(y, d), kernels)) {
                Answer answer = search.search(vectors(x, d), new Question(k, null));
                requireEqual(answer, expected);
                if (found != null) {
                    assertThat(answer.searchedOn()).isCloseTo(found.searchedOn(), within(1 + found.searchedOn() / 4));
                }
                found = answer;
            }
        }
        return found;
    }

    private List<NearestScan> kernels() {
        boolean sm90 = !AnyDriver.isGpu()
                || NearestScan.of(device.major(), device.minor()).equals(NearestScan.SM90);
        return sm90 ? List.of(NearestScan.PORTABLE, NearestScan.SM90) : List.of(NearestScan.PORTABLE);
    }

    private CudaNearestSearch open(Vectors references, NearestScan kernels) {
        return CudaNearestSearch.open(device, references, device.freeBytes().orElseThrow(), kernels);
    }

    private static void requireEqual(Answer found, Neighbours expected) {
        assertThat(found.indices()).isEqualTo(expected.indices());
        assertThat(Arrays.stream(found.squares()).map(Math::sqrt).toArray()).isEqualTo(expected.distances());
    }

    static Vectors vectors(float[] values, int d) {
        return new Vectors(MemorySegment.ofArray(values), values.length / d, d, DType.F32);
    }

    private static float[] integers(byte[] values) {
        float[] integers = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            integers[i] = Byte.toUnsignedInt(values[i]);
        }
        return integers;
    }

    private float[] uniform(int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = random.nextFloat();
        }
        return values;
    }

    private float[] noisy(float[] values, double sigma) {
        return changed(values, i -> sigma * random.nextGaussian());
    }

    private static float[] changed(float[] values, IntToDoubleFunction by) {
        float[] changed = values.clone();
        for (int i = 0; i < changed.length; i++) {
            changed[i] += (float) by.applyAsDouble(i);
        }
        return changed;
    }
}
