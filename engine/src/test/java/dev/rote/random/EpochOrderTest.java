package dev.rote.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EpochOrderTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 7, 64, 100, 1000, 65536, 65537})
    void eachEpochVisitsEachImageOnce(int n) {
        for (long epoch : new long[] {0, 1, 17, 1L << 33}) {
            BitSet seen = new BitSet(n);
            for (int i = 0; i < n; i++) {
                int index = EpochOrder.indexAt(42, epoch * n + i, n);
                assertThat(index >= 0 && index < n).isTrue();
                seen.set(index);
            }
            assertThat(seen.cardinality()).isEqualTo(n);
        }
    }

    @Test
    void theLargestDataSetWorks() {
        int n = Integer.MAX_VALUE;
        assertThat(EpochOrder.indexAt(1, 5, n)).isBetween(0, n - 1).isNotEqualTo(EpochOrder.indexAt(1, 6, n));
    }

    @Test
    void aBatchStraddlesEpochsWithoutAGap() {
        int[] batch = new int[25];
        EpochOrder order = new EpochOrder(3, 10);
        order.indices(5, batch, 23);
        for (int i = 0; i < 23; i++) {
            assertThat(batch[i]).isEqualTo(EpochOrder.indexAt(3, 5 + i, 10));
        }
        assertThat(batch[23]).isZero();
        // Back again: what it remembers of an epoch must not leak into another.
        int[] again = new int[7];
        order.indices(2, again, 7);
        for (int i = 0; i < 7; i++) {
            assertThat(again[i]).isEqualTo(EpochOrder.indexAt(3, 2 + i, 10));
        }
        assertThat(java.util.Arrays.copyOfRange(batch, 5, 15)).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    }

    @Test
    void epochsAndSeedsDiffer() {
        int same = 0;
        int sameSeed = 0;
        for (int i = 0; i < 1000; i++) {
            same += EpochOrder.indexAt(1, i, 1000) == EpochOrder.indexAt(1, 1000 + i, 1000) ? 1 : 0;
            sameSeed += EpochOrder.indexAt(1, i, 1000) == EpochOrder.indexAt(2, i, 1000) ? 1 : 0;
        }
        assertThat(same).isLessThan(8); // one expected
        assertThat(sameSeed).isLessThan(8);
    }

    /// 99.9 % quantiles of chi-squared: 23 degrees of freedom 49.7, 5 degrees 20.5, 119 degrees 173.6.
    @Test
    void allOrdersOfFewImagesAreEquallyLikely() {
        assertThat(orderChiSquared(3, 30_000)).isLessThan(20.5);
        assertThat(orderChiSquared(4, 72_000)).isLessThan(49.7);
        assertThat(orderChiSquared(5, 120_000)).isLessThan(173.6);
    }

    private static double orderChiSquared(int n, int epochs) {
        Map<Integer, Integer> counts = new HashMap<>();
        int orders = 1;
        for (int i = 2; i <= n; i++) {
            orders *= i;
        }
        for (long epoch = 0; epoch < epochs; epoch++) {
            int order = 0;
            for (int i = 0; i < n; i++) {
                order = order * n + EpochOrder.indexAt(7, epoch * n + i, n);
            }
            counts.merge(order, 1, Integer::sum);
        }
        assertThat(counts).hasSize(orders);
        double expected = epochs / (double) orders;
        return counts.values().stream()
                .mapToDouble(c -> (c - expected) * (c - expected) / expected)
                .sum();
    }

    /// First, tenth and last place of 100 over 50,000 epochs; 99 degrees of freedom, p = 0.001: 148.2.
    @ParameterizedTest
    @ValueSource(ints = {0, 9, 99})
    void eachPlaceIsUniformOverTheImages(int place) {
        int[] counts = new int[100];
        for (long epoch = 0; epoch < 50_000; epoch++) {
            counts[EpochOrder.indexAt(11, epoch * 100 + place, 100)]++;
        }
        double chi2 = 0;
        for (int count : counts) {
            chi2 += (count - 500.0) * (count - 500.0) / 500.0;
        }
        assertThat(chi2).isLessThan(148.2);
    }

    /// Differences of neighbours modulo n: a weak network leaves a preferred stride. 99 values, p = 0.001: 147.
    @Test
    void neighboursHaveNoPreferredStride() {
        int[] counts = new int[100];
        for (long epoch = 0; epoch < 50_000; epoch++) {
            int first = EpochOrder.indexAt(13, epoch * 100 + 4, 100);
            int second = EpochOrder.indexAt(13, epoch * 100 + 5, 100);
            counts[Math.floorMod(second - first, 100)]++;
        }
        assertThat(counts[0]).isZero();
        double expected = 50_000 / 99.0;
        double chi2 = 0;
        for (int stride = 1; stride < 100; stride++) {
            chi2 += (counts[stride] - expected) * (counts[stride] - expected) / expected;
        }
        assertThat(chi2).isLessThan(147);
    }

    @Test
    void wrongArgumentsAreRefused() {
        assertThatThrownBy(() -> EpochOrder.indexAt(1, -1, 3)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> EpochOrder.indexAt(1, 0, 0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new EpochOrder(1, 3).indices(0, new int[2], 3))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new EpochOrder(1, 3).indices(Long.MAX_VALUE, new int[2], 2))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
