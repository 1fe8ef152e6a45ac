package dev.rote.graph;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.reference.OpCase;
import dev.rote.reference.OpCases;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Costs against numbers counted by hand.
class CostTest {
    private static Cost cost(Op op, TensorType... inputs) {
        return op.cost(List.of(inputs), op.infer(List.of(inputs)));
    }

    @Test
    void convolution() {
        // x [2,8,8,3], w [4,3,3,3], y [2,8,8,4]: 512 outputs of 27 multiply-adds.
        TensorType x = TensorType.f32(2, 8, 8, 3);
        TensorType w = TensorType.f32(4, 3, 3, 3);
        TensorType dy = TensorType.f32(2, 8, 8, 4);
        Conv2d conv = Conv2d.same(3);
        assertThat(cost(conv, x, w)).isEqualTo(new Cost(27_648, 4 * (384 + 108), 4 * 512));
        assertThat(cost(new Conv2d.BackwardData(conv, x.shape()), dy, w))
                .isEqualTo(new Cost(27_648, 4 * (512 + 108), 4 * 384));
        assertThat(cost(new Conv2d.BackwardWeight(conv, 3, 3, true), x, dy))
                .isEqualTo(new Cost(27_648, 4 * (384 + 512), 4 * (108 + 4)));
    }

    @Test
    void stridedConvolutionCountsItsOwnOutputs() {
        // [1,7,9,2] by 3x3 stride 2 padding 1: [1,4,5,3], 60 outputs of 18 multiply-adds.
        Cost cost = cost(Conv2d.of(2, 1), TensorType.f32(1, 7, 9, 2), TensorType.f32(3, 3, 3, 2));
        assertThat(cost.flops()).isEqualTo(2 * 60 * 18);
    }

    @Test
    void linear() {
        // 10 rows of 7 to 5: 50 outputs of 7 multiply-adds; with a bias of 5.
        TensorType x = TensorType.f32(2, 5, 7);
        TensorType w = TensorType.f32(5, 7);
        TensorType dy = TensorType.f32(2, 5, 5);
        assertThat(cost(new Linear(), x, w, TensorType.f32(5))).isEqualTo(new Cost(700, 4 * (70 + 35 + 5), 4 * 50));
        assertThat(cost(new Linear.BackwardData(), dy, w)).isEqualTo(new Cost(700, 4 * (50 + 35), 4 * 70));
        assertThat(cost(new Linear.BackwardWeight(false), x, dy)).isEqualTo(new Cost(700, 4 * (70 + 50), 4 * 35));
    }

    @Test
    void attention() {
        // N=2, T=5, 3 heads of 4: scores 2*3*5*5 dot products of 4, and as much again for the weighted values.
        TensorType qkv = TensorType.f32(2, 5, 36);
        long product = 2 * (2 * 3 * 5 * 5 * 4);
        assertThat(cost(new Attention(3), qkv)).isEqualTo(new Cost(2 * product, 4 * 360, 4 * (120 + 30)));
        TensorType y = TensorType.f32(2, 5, 12);
        Cost backward = cost(new Attention.Backward(3), y, qkv, y, TensorType.f32(2, 3, 5));
        assertThat(backward.flops()).isEqualTo(5 * product);
    }

    @Test
    void halfPrecisionHalvesTheTraffic() {
        TensorType x = TensorType.f32(4, 8).with(DType.BF16);
        assertThat(cost(new Add(), x, x)).isEqualTo(new Cost(32, 128, 64));
    }

    @Test
    void theGraphCostsTheSumOfItsNodes() {
        Graph graph = RandomGraph.of(5);
        Cost sum = Cost.ZERO;
        for (Node node : graph.nodes()) {
            sum = sum.plus(node.cost());
        }
        assertThat(graph.cost()).isEqualTo(sum);
        assertThat(Plan.of(graph, Target.PLAIN).cost()).isEqualTo(sum);
        assertThat(sum.bytes()).isEqualTo(sum.bytesRead() + sum.bytesWritten());
    }

    @Test
    void noOperationHasANegativeCost() {
        for (OpCase one : OpCases.f32()) {
            Cost cost = one.op().cost(one.inputTypes(), one.op().infer(one.inputTypes()));
            assertThat(Math.min(cost.flops(), Math.min(cost.bytesRead(), cost.bytesWritten())))
                    .as(one.name())
                    .isNotNegative();
        }
    }
}
