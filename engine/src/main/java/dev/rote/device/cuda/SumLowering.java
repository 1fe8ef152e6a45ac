package dev.rote.device.cuda;

import dev.rote.graph.*;
import java.util.List;

/// Lowers plain sums, to `reduce.cu` and `modulate_backward.cu`.
final class SumLowering {
    private final CudaMemory memory;

    SumLowering(CudaMemory memory) {
        this.memory = memory;
    }

    List<KernelLaunch> reduce(Reduce op, Node node) {
        Value x = node.input(0);
        Sum sum = Sum.of(x.shape(), op.begin(), op.end());
        String type = Names.type(x);
        long from = memory.address(x);
        long to = memory.address(node.output());
        var factor = new Sum.Factor(1, op.kind() == Reduce.Kind.MEAN ? sum.reduced() : 1);
        if (sum.isPacked(x.dtype().bytes()) && from % Packing.BYTES == 0) {
            return List.of(sum.launchPacked("reduce_packed" + type, x.dtype().bytes(), from, to, factor));
        }
        if (sum.chunks() == 1) {
            return List.of(sum.launch("reduce" + type, from, 0, to, factor));
        }
        long partial = memory.workspace(node);
        return List.of(
                sum.launch("reduce_partial" + type, from, 0, partial, Sum.Factor.ONE),
                sum.second().launch("reduce_total" + type, partial, 0, to, factor));
    }

    List<KernelLaunch> squaredError(MeanSquaredError op, Node node) {
        Value prediction = node.input(0);
        Value target = node.input(1);
        Sum sum = Sum.ofAll(prediction.elements());
        long partial = memory.workspace(node);
        String kernel = "squared_error" + Names.type(prediction) + Names.type(target);
        var weight = new Sum.Factor(op.weight(), 1);
        return List.of(
                sum.launch(kernel, memory.address(prediction), memory.address(target), partial, Sum.Factor.ONE),
                sum.second().launch("reduce_total_f32", partial, 0, memory.address(node.output()), weight));
    }

    List<KernelLaunch> modulateBackward(Node node) {
        Value x = node.input(1);
        Names.requireOneType(node, node.input(0), x, node.input(2));
        int images = x.shape().dim(0);
        int channels = x.shape().last();
        Arguments arguments = new Arguments()
                .pointer("dy", memory.address(node.input(0)))
                .pointer("x", memory.address(x))
                .pointer("scale", memory.address(node.input(2)))
                .pointer("dx", memory.address(node.output()))
                .pointer("dscale", memory.address(node.outputs().get(1)))
                .pointer("dshift", memory.address(node.outputs().get(2)))
                .i64("pixels", x.elements() / images / channels)
                .i32("channels", channels);
        int blocks = Math.toIntExact((long) images * Math.ceilDiv(channels, 32));
        return List.of(KernelLaunch.blocks("modulate_backward" + Names.type(x), blocks, 256, arguments));
    }
}
