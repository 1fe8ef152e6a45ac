package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Into how many parts a long sum is divided.
class ProductSplitTest {
    /// As many as keep a GPU busy, but of more than a few each has enough to do.
    @ParameterizedTest
    @CsvSource({
        // units, parts that keep a GPU busy, few parts, enough units, then units of a part
        "256, 33, 8, 8, 8", // busy with enough
        "4096, 132, 8, 8, 32", // busy with more
        "1024, 132, 8, 32, 32", // 8 for each would keep it busy
        "64, 132, 8, 8, 8", // few
        "4, 132, 8, 4, 1", // fewer than few
        "1, 132, 16, 256, 1"
    })
    void partsAreManyOnlyWhereEachHasEnough(long all, long wanted, int few, long enough, long expected) {
        assertThat(ProductSplit.each(all, wanted, few, enough)).isEqualTo(expected);
    }

    /// A multiple of every tile's depth.
    @ParameterizedTest
    @CsvSource({"32768, 128, 256", "8192, 32, 256", "2048, 16, 128", "100, 2, 64"})
    void partsOfALinearLayerAreWholeTiles(int depth, int count, int each) {
        assertThat(ProductSplit.of(16, 16, depth)).isEqualTo(new ProductSplit(count, each));
    }
}
