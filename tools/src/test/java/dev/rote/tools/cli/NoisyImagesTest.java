package dev.rote.tools.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class NoisyImagesTest {
    @Test
    void planesBecomePixels() {
        float[] x = {11, 12, 13, 14, 21, 22, 23, 24, 31, 32, 33, 34, 41, 42, 43, 44}; // [2,2,2,2]
        var images = new NoisyImages(Path.of("f"), x, new float[] {0, 1}, 2, 2, 2);
        assertThat(images.nhwc()).containsExactly(11, 21, 12, 22, 13, 23, 14, 24, 31, 41, 32, 42, 33, 43, 34, 44);
    }
}
