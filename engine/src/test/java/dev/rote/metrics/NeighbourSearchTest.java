package dev.rote.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.device.cpu.CpuDevice;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class NeighbourSearchTest {
    /// In floats and in 8 bits.
    @Test
    void beforeTheCpuDeviceTheCpuSearches() throws InterruptedException {
        int d = 12;
        byte[] images = new byte[40 * d];
        new Random(3).nextBytes(images);
        Pixels set = Pixels.of(images, d);
        Pixels queries = Pixels.of(Arrays.copyOf(images, 6 * d), d);
        Neighbours expected = NearestNeighboursReference.search(queries.rows(), set.rows(), 2, null);
        try (CpuDevice cpu = CpuDevice.open(1);
                NeighbourSearch<Pixels> pixels = NeighbourSearch.of(cpu, set, 1)) {
            assertThat(pixels).isInstanceOf(NeighbourSearch.OnCpu.class);
            Neighbours found = pixels.search(queries, 2);
            assertThat(found.indices()).isEqualTo(expected.indices());
            assertThat(found.distances()).isEqualTo(expected.distances());
        }
    }
}
