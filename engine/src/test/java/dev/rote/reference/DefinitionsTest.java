package dev.rote.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.graph.AdamUpdate;
import dev.rote.graph.Attention;
import dev.rote.graph.AveragePool;
import dev.rote.graph.Batch;
import dev.rote.graph.Broadcast;
import dev.rote.graph.ClipScale;
import dev.rote.graph.Conv2d;
import dev.rote.graph.CrossEntropy;
import dev.rote.graph.Dropout;
import dev.rote.graph.EmaUpdate;
import dev.rote.graph.GlobalNorm;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.LayerNorm;
import dev.rote.graph.LearningRate;
import dev.rote.graph.Linear;
import dev.rote.graph.MatMul;
import dev.rote.graph.MeanSquaredError;
import dev.rote.graph.Mix;
import dev.rote.graph.Modulate;
import dev.rote.graph.Op;
import dev.rote.graph.RandomIndex;
import dev.rote.graph.RandomNormal;
import dev.rote.graph.RecordValue;
import dev.rote.graph.Reduce;
import dev.rote.graph.SgdUpdate;
import dev.rote.graph.Shape;
import dev.rote.graph.SinusoidalEmbedding;
import dev.rote.graph.Softmax;
import dev.rote.graph.Upsample;
import dev.rote.random.Bernoulli;
import dev.rote.random.Draw;
import dev.rote.random.EpochOrder;
import dev.rote.random.Philox;
import dev.rote.random.Purpose;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Definitions against numbers worked out by hand.
class DefinitionsTest {
    private static Tensor t(int[] dims, double... data) {
        return new Tensor(Shape.of(dims), data);
    }

    private static Tensor t(double... data) {
        return t(new int[] {data.length}, data);
    }

    private static List<double[]> all(Op op, Tensor... inputs) {
        return Definitions.evaluate(op, Arrays.asList(inputs));
    }

    private static double[] first(Op op, Tensor... inputs) {
        return all(op, inputs).getFirst();
    }

    @Test
    void convolutionStridesAndPads() {
        // Rows 1 2 3 / 4 5 6 / 7 8 9; filter 1 10 / 100 1000; one row of zeros above, one column to the right.
        Tensor x = t(new int[] {1, 3, 3, 1}, 1, 2, 3, 4, 5, 6, 7, 8, 9);
        Tensor w = t(new int[] {1, 2, 2, 1}, 1, 10, 100, 1000);
        assertThat(first(new Conv2d(2, 1, 0, 0, 1), x, w, t(0.5))).containsExactly(2100.5, 300.5, 8754.5, 906.5);
    }

    @Test
    void linearAndMatrixProduct() {
        Tensor x = t(new int[] {1, 2}, 2, 3);
        Tensor w = t(new int[] {2, 2}, 1, 10, 100, 1000);
        assertThat(first(new Linear(), x, w, t(0.5, 0.25))).containsExactly(32.5, 3200.25);
        Tensor a = t(new int[] {1, 1, 2}, 2, 3);
        Tensor b = t(new int[] {1, 2, 2}, 1, 10, 100, 1000);
        assertThat(first(new MatMul(false, false), a, b)).containsExactly(302, 3020);
        assertThat(first(new MatMul(false, true), a, b)).containsExactly(32, 3200);
    }

    @Test
    void normsHaveMeanZeroAndVarianceOne() {
        Tensor x = t(new int[] {1, 1, 2, 4}, 1, 3, 10, 10, 5, 7, 20, 40);
        Tensor ones = t(1, 1, 1, 1);
        List<double[]> group = all(new GroupNorm(2, 0, false), x, ones, t(0, 0, 0, 0));
        assertThat(group.get(1)).containsExactly(4, 20);
        assertThat(group.get(2)[0]).isCloseTo(1 / Math.sqrt(5), within(1e-15));
        assertThat(group.getFirst()[4]).isCloseTo(1 / Math.sqrt(5), within(1e-15));
        List<double[]> layer = all(new LayerNorm(1), x, t(2, 2, 2, 2), t(1, 1, 1, 1));
        assertThat(layer.get(1)).containsExactly(6, 18);
        assertThat(layer.get(2)[0]).isCloseTo(1 / Math.sqrt(16.5 + 1), within(1e-15));
        assertThat(layer.getFirst()[2]).isCloseTo(1 + 2 * 4 / Math.sqrt(17.5), within(1e-15));
    }

    @Test
    void attentionWeighsValuesByScores() {
        // One head of size 1: q = 1, k = (0, ln 3), v = (10, 20): weights 1/4 and 3/4. The second query is 0.
        Tensor qkv = t(new int[] {1, 2, 3}, 1, 0, 10, 0, Math.log(3), 20);
        List<double[]> outputs = all(new Attention(1), qkv);
        assertThat(outputs.get(0)).containsExactly(new double[] {17.5, 15}, within(1e-13));
        assertThat(outputs.get(1)).containsExactly(new double[] {Math.log(4), Math.log(2)}, within(1e-15));
    }

    @Test
    void softmaxAndCrossEntropy() {
        double third = Math.log(3);
        assertThat(first(new Softmax(), t(1000, 1000 + third)))
                .containsExactly(new double[] {0.25, 0.75}, within(1e-12));
        Tensor logits = t(new int[] {2, 2}, 0, third, 5, 5);
        assertThat(first(new CrossEntropy(0.5f), logits, t(0, 1))[0])
                .isCloseTo(0.5 * (Math.log(4) + Math.log(2)), within(1e-15));
        assertThat(first(new MeanSquaredError(0.5f), t(1, 2), t(4, 0))).containsExactly(6.5);
    }

    @Test
    void imagesGrowAndShrink() {
        Tensor x = t(new int[] {1, 1, 2, 1}, 3, 5);
        assertThat(first(new Upsample(), x)).containsExactly(3, 3, 5, 5, 3, 3, 5, 5);
        Tensor y = t(new int[] {1, 2, 4, 1}, 1, 2, 3, 4, 5, 6, 7, 8);
        assertThat(first(new AveragePool(2), y)).containsExactly(3.5, 5.5);
    }

    @Test
    void reductionsAndBroadcasts() {
        Tensor x = t(new int[] {2, 3}, 1, 2, 3, 4, 5, 6);
        assertThat(first(new Reduce(Reduce.Kind.SUM, 0, 1), x)).containsExactly(5, 7, 9);
        assertThat(first(new Reduce(Reduce.Kind.MEAN, 1, 2), x)).containsExactly(2, 5);
        assertThat(first(new Broadcast(Shape.of(2, 3), 1, 2), t(7, 8))).containsExactly(7, 7, 7, 8, 8, 8);
        assertThat(first(new Broadcast(Shape.of(2, 3), 0, 1), t(1, 2, 3))).containsExactly(1, 2, 3, 1, 2, 3);
        assertThat(first(new GlobalNorm(), t(3, 4))).containsExactly(5);
    }

    @Test
    void mixAndModulateWorkPerImage() {
        Tensor x = t(new int[] {2, 2}, 1, 2, 3, 4);
        Tensor z = t(new int[] {2, 2}, 10, 20, 30, 40);
        assertThat(first(new Mix(), x, z, t(2, 3), t(1))).containsExactly(12, 24, 39, 52);
        Tensor image = t(new int[] {1, 2, 2}, 1, 2, 3, 4);
        Tensor scale = t(new int[] {1, 2}, 1, 9);
        assertThat(first(new Modulate(), image, scale, t(new int[] {1, 2}, 0.5, 0)))
                .containsExactly(2.5, 20, 6.5, 40);
    }

    @Test
    void sinesComeBeforeCosinesUnlessAskedOtherwise() {
        double[] y = first(new SinusoidalEmbedding(4, 100, 1, false), t(0.5));
        double[] expected = {Math.sin(0.5), Math.sin(0.005), Math.cos(0.5), Math.cos(0.005)};
        assertThat(y).containsExactly(expected, within(1e-15));
        double[] exchanged = first(new SinusoidalEmbedding(4, 100, 1, true), t(0.5));
        assertThat(exchanged).containsExactly(y[2], y[3], y[0], y[1]);
    }

    @Test
    void adamTakesItsFirstStepByTheSignOfTheGradient() {
        Tensor p = t(1, 1);
        Tensor m = t(0, 0);
        Tensor v = t(0, 0);
        Tensor copy = t(0, 0);
        all(new AdamUpdate(0.5f, 0.75f, 0, 0, false), p, t(4, -8), m, v, t(0.125), t(0.5), t(0), copy);
        assertThat(p.data()).containsExactly(0.875, 1.125);
        assertThat(m.data()).containsExactly(1, -2);
        assertThat(v.data()).containsExactly(1, 4);
        assertThat(copy.data()).isEqualTo(p.data());
    }

    @Test
    void weightDecayIsAddedToTheGradientOrDecoupled() {
        Tensor coupled = t(8);
        Tensor m = t(0);
        all(new AdamUpdate(0.5f, 0.75f, 0, 0.25f, false), coupled, t(0), m, t(0), t(0.5), t(1), t(0));
        assertThat(coupled.data()).containsExactly(7.5);
        assertThat(m.data()).containsExactly(1);
        Tensor decoupled = t(8);
        Tensor still = t(0);
        all(new AdamUpdate(0.5f, 0.75f, 1, 0.25f, true), decoupled, t(0), still, t(0), t(0.5), t(1), t(0));
        assertThat(decoupled.data()).containsExactly(7);
        assertThat(still.data()).containsExactly(0);
    }

    @Test
    void momentumStartsAsTheGradient() {
        Tensor p = t(10);
        Tensor v = t(100);
        SgdUpdate sgd = new SgdUpdate(0.5f, 0.25f);
        all(sgd, p, t(3), v, t(2), t(0.5), t(0)); // g' = 1.5 + 2.5
        assertThat(v.data()).containsExactly(4);
        assertThat(p.data()).containsExactly(2);
        all(sgd, p, t(3), v, t(2), t(0.5), t(1)); // g' = 1.5 + 0.5, v = 2 + 2
        assertThat(v.data()).containsExactly(4);
        assertThat(p.data()).containsExactly(-6);
    }

    @Test
    void theAverageStartsAsTheParameters() {
        Tensor e = t(99);
        all(new EmaUpdate(0.75f), e, t(4), t(0));
        assertThat(e.data()).containsExactly(4);
        all(new EmaUpdate(0.75f), e, t(8), t(1));
        assertThat(e.data()).containsExactly(5);
    }

    @Test
    void bookkeeping() {
        Tensor ring = t(0, 0, 0);
        all(new RecordValue(), t(2.5), t(7), ring);
        assertThat(ring.data()).containsExactly(0, 2.5, 0);
        assertThat(first(new ClipScale(1), t(4))[0])
                .isCloseTo(0.25, within(1e-6))
                .isLessThan(0.25);
        assertThat(first(new ClipScale(1), t(0.5))).containsExactly(1);
        assertThat(first(new ClipScale(1), t(Double.POSITIVE_INFINITY))).containsExactly(Double.NaN);
    }

    @Test
    void theLearningRateOfTheReferenceIsThatOfTheRecord() {
        for (boolean cosine : new boolean[] {false, true}) {
            LearningRate rate = new LearningRate(1e-3f, 1e-5f, 7, 50, cosine);
            for (int step = 0; step < 60; step++) {
                assertThat((float) first(rate, t(step))[0]).isCloseTo(rate.at(step), within(1e-10f));
            }
        }
    }

    @Test
    void randomNumbersAreTheProductsOwn() {
        long first = (1L << 34) + 3;
        double[] normals = first(new RandomNormal(Shape.of(3, 3), 77, Purpose.SAMPLE.code(), first), t(12));
        double[] indices = first(new RandomIndex(9, -2, 10, 77, Purpose.TIME.code(), first), t(12));
        for (int i = 0; i < 9; i++) {
            assertThat(normals[i]).isEqualTo(Draw.normal(77, first + i, 12, Purpose.SAMPLE));
            int word = Philox.elementWord(77, first + i, 12, Purpose.TIME.code());
            assertThat(indices[i]).isEqualTo(-2.0 + Draw.below(word, 13));
        }
        assertThat(first(new RandomIndex(1, Integer.MIN_VALUE, Integer.MAX_VALUE, 1, 1, 0), t(0))[0])
                .isEqualTo(Integer.MIN_VALUE + Integer.toUnsignedLong(Philox.elementWord(1, 0, 0, 1)));
    }

    @Test
    void dropoutKeepsWhatItsThresholdSays() {
        double[] ones = new double[2 * 3 * 4];
        Arrays.fill(ones, 3);
        Tensor x = t(new int[] {2, 3, 4}, ones);
        double[] elements = first(new Dropout(0.25f, false, 5, 2, 6), x, t(9));
        double[] channels = first(new Dropout(0.25f, true, 5, 2, 6), x, t(9));
        for (int n = 0; n < 2; n++) {
            for (int i = 0; i < 12; i++) {
                int word = Philox.elementWord(5, (6 + n) * 12L + i, 9, 2);
                int channelWord = Philox.elementWord(5, (6 + n) * 4L + i % 4, 9, 2);
                int threshold = Bernoulli.threshold(0.25);
                assertThat(elements[n * 12 + i]).isEqualTo(Bernoulli.keep(word, threshold) ? 4 : 0);
                assertThat(channels[n * 12 + i]).isEqualTo(Bernoulli.keep(channelWord, threshold) ? 4 : 0);
            }
        }
        assertThat(elements).contains(0, 4);
    }

    @Test
    void aBatchStraddlesEpochsAndMirrors() {
        // Three images of 1 x 2 pixels; step 2 begins at position 2 * 4 + 1 = 9, the start of epoch 3.
        Tensor data = t(new int[] {3, 1, 2, 1}, 1, 2, 3, 4, 5, 6);
        List<double[]> batch = all(new Batch(4, 4, 1, 8, 2, 1, true, true), data, t(2), t(70, 80, 90));
        for (int j = 0; j < 4; j++) {
            int image = EpochOrder.indexAt(8, 9 + j, 3);
            boolean mirrored = Philox.elementWord(8, 1 + j, 2, Purpose.AUGMENT.code()) < 0;
            assertThat(batch.get(0)[2 * j]).isEqualTo(2 * data.at(2 * image + (mirrored ? 1 : 0)) + 1);
            assertThat(batch.get(0)[2 * j + 1]).isEqualTo(2 * data.at(2 * image + (mirrored ? 0 : 1)) + 1);
            assertThat(batch.get(1)[j]).isEqualTo(image);
            assertThat(batch.get(2)[j]).isEqualTo(70 + 10 * image);
        }
        double[] inOrder =
                all(new Batch(4, 4, 1, 8, 1, 0, false, false), data, t(2)).get(1);
        assertThat(inOrder).containsExactly(0, 1, 2, 0);
    }
}
