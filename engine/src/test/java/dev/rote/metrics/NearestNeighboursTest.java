package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NearestNeighboursTest {
    private static final long SEED = 20251122;

    @ParameterizedTest
    @CsvSource({
        "1,1,1,1",
        "7,2,1,2",
        "7,3,3,3",
        "5,33,2,2",
        "6,32,15,2",
        "13,65,16,2",
        "31,97,17,5",
        "260,40,255,2",
        "9,70,256,64",
        "11,50,257,3",
        "10,129,1000,2",
        "3,64,3072,2",
        "2,35,3073,1"
    })
    void equalsTheReferenceBitForBit(int queries, int references, int d, int k) throws InterruptedException {
        float[] y = uniform(references * d, 1);
        requireReferenceResult(uniform(queries * d, 2), y, d, k);
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 1e-7, 1 / 255., 0.02, 0.3})
    void findsTheOriginalsOfNearCopies(double noise) throws InterruptedException {
        int d = 300;
        float[] y = uniform(90 * d, 3);
        float[] x = noisy(y, noise, 4);
        Neighbours found = requireReferenceResult(x, y, d, 2);
        assertThat(found.index(17, 0)).isEqualTo(17);
        if (noise == 0) {
            assertThat(found.distance(17, 0)).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e3, -1e6, 1e8})
    void keepsNearCopiesApartUnderALargeMean(double mean) throws InterruptedException {
        int d = 65;
        float[] y = shifted(uniform(50 * d, 5), mean);
        requireReferenceResult(noisy(y, 0.02, 6), y, d, 3);
    }

    /// The bound of the f32 pass never loses a neighbour: 16 million pairs for each `d`, or as many as
    /// `-Drote.test.pairs` says.
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 7})
    void losesNoNeighbourAmongMillionsOfPairs(int d) throws InterruptedException {
        int side = (int) Math.sqrt(Long.getLong("rote.test.pairs", 16_000_000));
        float[] y = uniform(side * d, 22);
        Rows queries = Rows.of(noisy(y, 1e-3, 23), d);
        Rows references = Rows.of(y, d);
        Neighbours expected = NearestNeighboursReference.search(queries, references, 2, null);
        requireEqual(NearestNeighbours.search(queries, references, 2, 2), expected);
    }

    /// References on a sphere around the query: squares differ by parts in 10^8, which f32 sums cannot order.
    @ParameterizedTest
    @ValueSource(ints = {3, 40, 256, 257, 2000})
    void ordersReferencesThatF32CannotTellApart(int d) throws InterruptedException {
        float[] y = shifted(uniform(300 * d, 7), -0.5);
        for (int r = 0; r < 300; r++) {
            double square = 0;
            for (int i = r * d; i < (r + 1) * d; i++) {
                square += (double) y[i] * y[i];
            }
            for (int i = r * d; i < (r + 1) * d; i++) {
                y[i] = (float) (y[i] / Math.sqrt(square));
            }
        }
        requireReferenceResult(new float[d], y, d, 7);
    }

    @Test
    void breaksTiesBySmallerIndex() throws InterruptedException {
        int d = 19;
        float[] y = new float[80 * d];
        float[] pattern = uniform(d, 8);
        for (int r = 0; r < 80; r++) {
            System.arraycopy(pattern, 0, y, r * d, d);
        }
        Neighbours found = requireReferenceResult(uniform(7 * d, 9), y, d, 4);
        assertThat(found.indices()).startsWith(0, 1, 2, 3);
    }

    @ParameterizedTest
    @ValueSource(floats = {1e-44f, 1e-30f, 2e-23f, 4e-23f, 1e-22f, 1e18f, 1e19f, 1e25f, 3e38f})
    void staysExactWhereF32SquaresUnderflowOrOverflow(float scale) throws InterruptedException {
        int d = 40;
        float[] y = uniform(70 * d, 10);
        float[] x = uniform(8 * d, 11);
        for (int i = 0; i < y.length; i++) {
            y[i] = (y[i] - 0.5f) * 2 * scale;
        }
        for (int i = 0; i < x.length; i++) {
            x[i] = (x[i] - 0.5f) * 2 * scale;
        }
        requireReferenceResult(x, y, d, 2);
    }

    /// Near the query first, then ever nearer: every reference is a candidate when it comes.
    @Test
    void survivesReferencesSortedFromFarToNear() throws InterruptedException {
        int d = 12;
        int n = 2000;
        float[] y = new float[n * d];
        for (int r = 0; r < n; r++) {
            Arrays.fill(y, r * d, (r + 1) * d, (n - r) * 1e-3f);
        }
        requireReferenceResult(new float[3 * d], y, d, 2);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 5})
    void doesNotDependOnTheNumberOfThreads(int threads) throws InterruptedException {
        Rows queries = Rows.of(uniform(70 * 33, 12), 33);
        Rows references = Rows.of(uniform(210 * 33, 13), 33);
        Neighbours one = NearestNeighbours.search(queries, references, 2, 1);
        requireEqual(NearestNeighbours.search(queries, references, 2, threads), one);
    }

    @Test
    void searchesASetInItselfWithoutTheRowItself() throws InterruptedException {
        int d = 10;
        float[] y = uniform(40 * d, 14);
        System.arraycopy(y, 3 * d, y, 30 * d, d); // a duplicate pair
        Rows set = Rows.of(y, d);
        Neighbours found = NearestNeighbours.searchItself(set, 2, 2);
        int[] own = new int[40];
        Arrays.setAll(own, i -> i);
        requireEqual(found, NearestNeighboursReference.search(set, set, 2, own));
        assertThat(found.index(3, 0)).isEqualTo(30);
        assertThat(found.index(30, 0)).isEqualTo(3);
        assertThat(found.distance(3, 0)).isZero();
        assertThat(found.distance(4, 0)).isPositive();
    }

    @Test
    void readsUnalignedMemoryOutsideTheHeap() throws InterruptedException {
        int d = 21;
        float[] y = uniform(50 * d, 15);
        float[] x = uniform(9 * d, 16);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocate(y.length * 4L + 1).asSlice(1);
            MemorySegment.copy(y, 0, segment, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, y.length);
            Neighbours found = NearestNeighbours.search(Rows.of(x, d), new Rows(segment, 50, d), 2, 1);
            requireEqual(found, NearestNeighbours.search(Rows.of(x, d), Rows.of(y, d), 2, 1));
        }
    }

    @Test
    void refusesTooFewReferences() {
        Rows rows = Rows.of(new float[4], 2);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NearestNeighbours.search(rows, rows.slice(0, 1), 2, 1))
                .withMessageContaining("k = 2 needs at least 2 references per query, got 1");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NearestNeighbours.searchItself(rows, 2, 1))
                .withMessageContaining("got 1 besides the excluded one");
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void refusesValuesThatAreNotFiniteAndSaysWhere(float bad) {
        float[] values = new float[12];
        values[7] = bad;
        Rows broken = Rows.of(values, 3);
        Rows sound = Rows.of(new float[12], 3);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NearestNeighbours.search(broken, sound, 1, 1))
                .withMessage("queries: row 2, column 1: expected a finite value, found " + bad);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NearestNeighbours.search(sound, broken, 1, 1))
                .withMessageStartingWith("references: row 2, column 1");
    }

    @Test
    void refusesDimensionsKAndThreadsOutOfRange() {
        Rows a = Rows.of(new float[200], 2);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> NearestNeighbours.search(a, Rows.of(new float[9], 3), 1, 1))
                .withMessageContaining("dimension 2, references 3");
        assertThatIllegalArgumentException().isThrownBy(() -> NearestNeighbours.search(a, a, 0, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> NearestNeighbours.search(a, a, 65, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> NearestNeighbours.search(a, a, 1, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> NearestNeighbours.search(a, a, 1, new int[3], 1));
    }

    @Test
    void answersNoQueriesWithAnEmptyResult() throws InterruptedException {
        Rows references = Rows.of(new float[8], 2);
        assertThat(NearestNeighbours.search(references.slice(0, 0), references, 2, 3)
                        .indices())
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void stopsSoonWhenInterrupted(int threads) throws InterruptedException {
        Rows large = Rows.of(uniform(12_000 * 128, 17), 128);
        Throwable[] thrown = new Throwable[1];
        Thread searching = new Thread(() -> {
            try {
                NearestNeighbours.search(large, large, 64, threads);
            } catch (InterruptedException e) {
                thrown[0] = e;
            }
        });
        searching.start();
        Thread.sleep(50);
        searching.interrupt();
        searching.join(60_000); // without cancellation it would end normally, after seconds
        assertThat(searching.isAlive()).isFalse();
        assertThat(thrown[0]).isInstanceOf(InterruptedException.class);
    }

    @Test
    void tilesAgreeWithEachOtherToRounding() {
        int queries = DistanceTile.QUERIES;
        float[] x = uniform(100 * queries, 18);
        for (DistanceTile tile : new DistanceTile[] {new PlainTile(), new VectorTile()}) {
            int width = tile.references();
            float[] y = uniform(100 * width, 19);
            float[] sums = new float[queries * width + 5];
            Arrays.fill(sums, 1);
            tile.accumulate(x, 0, y, 100, sums, 5);
            for (int at = 0; at < queries * width; at++) {
                double expected = 1;
                for (int i = 0; i < 100; i++) {
                    double e = (double) x[i * queries + at / width] - y[i * width + at % width];
                    expected += e * e;
                }
                assertThat(Math.abs(sums[5 + at] - expected)).isLessThan(104 * 0x1p-24 * expected);
            }
            assertThat(sums).startsWith(1, 1, 1, 1, 1);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 8, 9, 15, 16, 17, 64, 1001})
    void vectorSquaredDistanceHasTheContractsBits(int d) {
        float[] x = shifted(uniform(d, 20), 3);
        float[] y = uniform(d, 21);
        assertThat(SquaredDistance.between(x, y)).isEqualTo(SquaredDistance.plain(x, y));
        assertThat(SquaredDistance.between(y, x)).isEqualTo(SquaredDistance.plain(x, y));
        assertThat(SquaredDistance.between(x, x)).isZero();
    }

    /// 1 + 1.44 * 2^-54 is 1, but 1 + 2 * 1.44 * 2^-54 is not: the result shows which sums were added first.
    @Test
    void contractIsEightInterleavedSumsAndAFixedTree() {
        assertThat(squareOf(0, 1, 5)).isEqualTo(1 + 0x1p-52); // (s0 + s4) + ... with s1 + s5 in the other half
        assertThat(squareOf(0, 9, 5)).isEqualTo(1 + 0x1p-52); // element 9 is in sum 1
        assertThat(squareOf(0, 2, 6)).isEqualTo(1 + 0x1p-52);
        assertThat(squareOf(1, 3, 7)).isEqualTo(1 + 0x1p-52);
        assertThat(squareOf(0, 4, 1)).isEqualTo(1);
        assertThat(squareOf(0, 2, 4)).isEqualTo(1);
        assertThat(squareOf(0, 8, 16)).isEqualTo(1);
        assertThatThrownBy(() -> SquaredDistance.plain(new float[4], new float[3]))
                .isInstanceOf(IndexOutOfBoundsException.class);
    }

    private static double squareOf(int one, int small, int otherSmall) {
        float[] x = new float[17];
        x[one] = 1;
        x[small] = 1.2f * 0x1p-27f;
        x[otherSmall] = 1.2f * 0x1p-27f;
        double plain = SquaredDistance.plain(x, new float[17]);
        assertThat(SquaredDistance.between(x, new float[17])).isEqualTo(plain);
        return plain;
    }

    private static Neighbours requireReferenceResult(float[] x, float[] y, int d, int k) throws InterruptedException {
        Rows queries = Rows.of(x, d);
        Rows references = Rows.of(y, d);
        Neighbours expected = NearestNeighboursReference.search(queries, references, k, null);
        for (DistanceTile tile : new DistanceTile[] {new PlainTile(), new VectorTile()}) {
            requireEqual(NearestNeighbours.search(queries, references, k, null, 2, tile), expected);
        }
        return expected;
    }

    private static void requireEqual(Neighbours found, Neighbours expected) {
        assertThat(found.indices()).isEqualTo(expected.indices());
        assertThat(found.distances()).isEqualTo(expected.distances());
    }

    private static float[] uniform(int length, int stream) {
        SplitMix64 random = new SplitMix64(SEED, stream);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) random.nextDouble();
        }
        return values;
    }

    private static float[] noisy(float[] values, double sigma, int stream) {
        SplitMix64 random = new SplitMix64(SEED, stream);
        float[] noisy = values.clone();
        for (int i = 0; i < noisy.length; i++) {
            noisy[i] += (float) (sigma * random.nextGaussian());
        }
        return noisy;
    }

    private static float[] shifted(float[] values, double by) {
        float[] shifted = values.clone();
        for (int i = 0; i < shifted.length; i++) {
            shifted[i] += (float) by;
        }
        return shifted;
    }
}
