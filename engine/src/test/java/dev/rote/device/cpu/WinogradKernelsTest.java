package dev.rote.device.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Shape;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Which convolutions are computed by tiles of 2 x 2, and from what memory; that they are right says
/// [CpuOperationsTest].
class WinogradKernelsTest {
    private static final Shape X = Shape.of(2, 8, 8, 32);
    private static final Shape W = Shape.of(32, 3, 3, 32);

    @Test
    void scratchMemoryMayHoldAnything() {
        assertThat(results(Float.NaN)).isEqualTo(results(0));
    }

    /// y, dx, dw and the bias's gradient, of numbers that are all different.
    ///
    /// @param left what scratch memory holds at the beginning
    private static float[] results(float left) {
        DnnlLibrary.setThreads(1);
        try (Space space = Space.real();
                DnnlEngine engine = new DnnlEngine()) {
            Scratch scratch = new Scratch(space);
            int count = 1 << 20;
            long room = scratch.take(4L * count);
            int image = Math.toIntExact(X.elements());
            int filter = Math.toIntExact(W.elements());
            long in = space.take(4L * (image + filter));
            for (int i = 0; i < image + filter; i++) {
                Memory.setFloat(in + 4L * i, (float) Math.sin(i));
            }
            long x = in;
            long w = in + 4L * image;
            long out = space.take(4L * (2 * image + filter + W.dim(0)));
            long dx = out + 4L * image;
            long dw = dx + 4L * image;
            try (DnnlPrimitives dnnl = new DnnlPrimitives(engine, scratch, true)) {
                WinogradKernels kernels = new WinogradKernels(dnnl, scratch);
                for (int kernel = 0; kernel < 3; kernel++) {
                    scratch.restart();
                    Kernel made =
                            switch (kernel) {
                                case 0 -> kernels.forward(X, W, x, w, 0, out);
                                case 1 -> kernels.backwardData(X, W, x, w, dx);
                                default -> kernels.backwardWeight(X, W, x, x, dw, dw + 4L * filter);
                            };
                    for (int i = 0; i < count; i++) {
                        Memory.setFloat(room + 4L * i, left);
                    }
                    made.run();
                }
            }
            float[] results = new float[2 * image + filter + W.dim(0)];
            for (int i = 0; i < results.length; i++) {
                results[i] = Memory.getFloat(out + 4L * i);
            }
            return results;
        }
    }

    @Test
    void onlyWhatTilesCoverIsTiled() {
        List<Conv2d> others = List.of(
                Conv2d.of(2, 1),
                Conv2d.of(1, 0),
                Conv2d.of(1, 2),
                new Conv2d(1, 2, 1, 0, 1),
                new Conv2d(1, 1, 2, 1, 0));
        DnnlLibrary.setThreads(1);
        assertThat(WinogradKernels.pays(Conv2d.same(3), X, W, DType.F32)).isTrue();
        assertThat(others).noneMatch(other -> WinogradKernels.pays(other, X, W, DType.F32));
        assertThat(pays(X, Shape.of(32, 1, 1, 32))).isFalse();
        assertThat(pays(X, Shape.of(32, 3, 5, 32))).isFalse();
        assertThat(pays(Shape.of(2, 7, 8, 32), W)).isFalse();
        assertThat(pays(Shape.of(2, 8, 7, 32), W)).isFalse();
        assertThat(pays(Shape.of(2, 8, 8, 40), Shape.of(32, 3, 3, 40))).isEqualTo(40 % Memory.LANES == 0);
        assertThat(pays(X, Shape.of(36, 3, 3, 32))).isEqualTo(36 % Memory.LANES == 0);
        assertThat(WinogradKernels.pays(Conv2d.same(3), X, W, DType.BF16)).isFalse();
    }

    @Test
    void fewChannelsAndSeveralThreadsStayDirect() {
        Shape narrow = Shape.of(2, 8, 8, 16);
        DnnlLibrary.setThreads(1);
        assertThat(pays(narrow, Shape.of(16, 3, 3, 16))).isFalse();
        assertThat(pays(narrow, Shape.of(32, 3, 3, 16))).isTrue();
        assertThat(WinogradKernels.paysForWeights(Conv2d.same(3), narrow, Shape.of(32, 3, 3, 16), DType.F32))
                .isFalse();
        assertThat(WinogradKernels.paysForWeights(Conv2d.same(3), X, W, DType.F32))
                .isTrue();
        DnnlLibrary.setThreads(2);
        try {
            assertThat(pays(X, W)).isFalse();
        } finally {
            DnnlLibrary.setThreads(1);
        }
    }

    private static boolean pays(Shape x, Shape w) {
        return WinogradKernels.pays(Conv2d.same(3), x, w, DType.F32);
    }
}
