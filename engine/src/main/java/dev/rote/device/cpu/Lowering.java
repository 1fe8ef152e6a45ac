package dev.rote.device.cpu;

import dev.rote.graph.*;

/// Turns the nodes of one lane into kernels: the exhaustive switch over [Op].
final class Lowering {
    private final Operands operands;
    private final MatrixLowering matrices;
    private final ReductionLowering reductions;
    private final MoveLowering moves;
    private final CollectiveLowering collectives;

    Lowering(LaneMemory memory, DnnlPrimitives dnnl, CollectiveKernels kernels, CollectiveLowering.SharedState shared) {
        this.operands = new Operands(memory);
        this.matrices = new MatrixLowering(operands, dnnl);
        this.reductions = new ReductionLowering(operands);
        this.moves = new MoveLowering(operands);
        this.collectives = new CollectiveLowering(operands, kernels, shared);
    }

    /// @param index of the node in the plan, the same in every lane
    Kernel lower(Node node, int index) {
        operands.scratch().restart();
        return switch (node.op()) {
            case Activation op ->
                ElementwiseKernels.activation(
                        op.kind(), operands.chunks(node.input(0)), operands.chunks(node.output()), size(node));
            case Activation.Backward op ->
                ElementwiseKernels.activationBackward(
                        op.kind(),
                        operands.chunks(node.input(0)),
                        operands.chunks(node.input(1)),
                        operands.chunks(node.output()),
                        size(node));
            case Add ignored ->
                ElementwiseKernels.add(
                        operands.chunks(node.input(0)),
                        operands.chunks(node.input(1)),
                        operands.chunks(node.output()),
                        size(node));
            case Multiply ignored ->
                ElementwiseKernels.multiply(
                        operands.chunks(node.input(0)),
                        operands.chunks(node.input(1)),
                        operands.chunks(node.output()),
                        size(node));
            case Scale op ->
                ElementwiseKernels.scale(
                        operands.chunks(node.input(0)),
                        operands.chunks(node.output()),
                        op.factor(),
                        op.shift(),
                        size(node));
            case Cast ignored -> cast(node);
            case Clamp op ->
                ClampKernel.clamp(op, operands.chunks(node.input(0)), operands.chunks(node.output()), size(node));
            case Fill op -> fill(op, operands.at(node.output()));
            case Mix ignored -> mix(node);
            case MeanSquaredError op ->
                ElementwiseKernels.squaredError(
                        operands.chunks(node.input(0)),
                        operands.chunks(node.input(1)),
                        operands.at(node.output()),
                        op.weight(),
                        node.input(0).elements());
            case MeanSquaredError.Backward op ->
                ElementwiseKernels.squaredErrorBackward(
                        operands.chunks(node.input(0)),
                        operands.chunks(node.input(1)),
                        operands.at(node.input(2)),
                        operands.chunks(node.output()),
                        op.weight(),
                        size(node));
            case AddChannels ignored ->
                new ChannelKernels(node.output().shape())
                        .add(
                                operands.images(node.input(0)),
                                operands.images(node.input(1)),
                                operands.images(node.output()));
            case Modulate ignored ->
                new ChannelKernels(node.output().shape())
                        .modulate(
                                operands.images(node.input(0)),
                                operands.images(node.input(1)),
                                operands.images(node.input(2)),
                                operands.images(node.output()));
            case Modulate.Backward ignored ->
                new ChannelKernels(node.output().shape())
                        .modulateBackward(
                                operands.images(node.input(0)),
                                operands.images(node.input(1)),
                                operands.images(node.input(2)),
                                operands.images(node.output()),
                                operands.images(node.outputs().get(1)),
                                operands.images(node.outputs().get(2)));
            case Dropout op -> dropout(op, node);
            case Conv2d ignored -> matrices.convolution(node);
            case Conv2d.BackwardData ignored -> matrices.convolution(node);
            case Conv2d.BackwardWeight ignored -> matrices.convolution(node);
            case Linear ignored -> matrices.product(node);
            case Linear.BackwardData ignored -> matrices.product(node);
            case Linear.BackwardWeight ignored -> matrices.product(node);
            case MatMul ignored -> matrices.product(node);
            case GroupNorm ignored -> reductions.norm(node);
            case GroupNorm.Backward ignored -> reductions.norm(node);
            case LayerNorm ignored -> reductions.norm(node);
            case LayerNorm.Backward ignored -> reductions.norm(node);
            case Attention ignored -> reductions.attention(node);
            case Attention.Backward ignored -> reductions.attention(node);
            case Softmax ignored -> reductions.reduction(node);
            case Softmax.Backward ignored -> reductions.reduction(node);
            case CrossEntropy ignored -> reductions.reduction(node);
            case CrossEntropy.Backward ignored -> reductions.reduction(node);
            case Reduce ignored -> reductions.reduction(node);
            case Concat ignored -> moves.move(node);
            case Slice ignored -> moves.move(node);
            case Slice.Backward ignored -> moves.move(node);
            case Upsample ignored -> moves.move(node);
            case Upsample.Backward ignored -> moves.move(node);
            case AveragePool ignored -> moves.move(node);
            case AveragePool.Backward ignored -> moves.move(node);
            case Broadcast ignored -> moves.move(node);
            case Embedding ignored -> moves.move(node);
            case Embedding.Backward ignored -> moves.move(node);
            case SinusoidalEmbedding op ->
                sinusoid(op, operands.at(node.input(0)), node.input(0).shape().dim(0), operands.at(node.output()));
            case RandomNormal op -> RandomKernels.normal(op, operands.at(node.input(0)), operands.at(node.output()));
            case RandomIndex op -> RandomKernels.index(op, operands.at(node.input(0)), operands.at(node.output()));
            case Batch op -> batch(op, node);
            case LearningRate op -> {
                long step = operands.at(node.input(0));
                long y = operands.at(node.output());
                yield () -> Memory.setFloat(y, op.at(Memory.getInt(step)));
            }
            case AllReduce ignored -> collectives.collective(node, index);
            case GlobalNorm ignored -> collectives.collective(node, index);
            case ClipScale ignored -> collectives.collective(node, index);
            case Advance ignored -> collectives.collective(node, index);
            case RecordValue ignored -> collectives.collective(node, index);
            case SgdUpdate ignored -> collectives.collective(node, index);
            case AdamUpdate ignored -> collectives.collective(node, index);
            case EmaUpdate ignored -> collectives.collective(node, index);
        };
    }

    private static long size(Node node) {
        return node.output().elements();
    }

    private Kernel cast(Node node) {
        Value x = node.input(0);
        if (x.dtype().isFloat()) {
            return ElementwiseKernels.cast(operands.chunks(x), operands.chunks(node.output()), size(node));
        }
        long from = operands.at(x);
        boolean bytes = x.dtype() == DType.U8;
        Stage y = operands.whole(node.output());
        int count = Math.toIntExact(size(node));
        return () -> {
            long to = y.out(0);
            for (int i = 0; i < count; i++) {
                Memory.setFloat(to + 4L * i, bytes ? Memory.getByte(from + i) : Memory.getInt(from + 4L * i));
            }
            y.done(0);
        };
    }

    private static Kernel fill(Fill op, long y) {
        long count = op.type().elements();
        float number = op.number();
        return switch (op.type().type()) {
            case F32 -> () -> fillInts(y, count, Float.floatToRawIntBits(number));
            case I32 -> () -> fillInts(y, count, (int) number);
            case BF16 ->
                () -> {
                    for (long i = 0; i < count; i++) {
                        Memory.ALL.set(java.lang.foreign.ValueLayout.JAVA_SHORT, y + 2 * i, Memory.toBf16(number));
                    }
                };
            case U8 -> () -> Memory.ALL.asSlice(y, count).fill((byte) (int) number);
        };
    }

    private static void fillInts(long y, long count, int bits) {
        for (long i = 0; i < count; i++) {
            Memory.setInt(y + 4 * i, bits);
        }
    }

    private Kernel mix(Node node) {
        Value y = node.output();
        int images = y.shape().dim(0);
        return ElementwiseKernels.mix(
                operands.images(node.input(0)),
                operands.images(node.input(1)),
                operands.at(node.input(2)),
                operands.at(node.input(3)),
                node.input(2).elements() > 1,
                node.input(3).elements() > 1,
                operands.images(y),
                images,
                Math.toIntExact(y.elements() / images));
    }

    private Kernel dropout(Dropout op, Node node) {
        ChannelKernels kernels = new ChannelKernels(node.output().shape());
        DropoutMask mask = new DropoutMask(op, operands.at(node.input(1)));
        Stage x = operands.images(node.input(0));
        Stage y = operands.images(node.output());
        return op.channelwise() ? kernels.dropChannels(x, y, mask) : kernels.dropElements(x, y, mask);
    }

    private static Kernel sinusoid(SinusoidalEmbedding op, long t, int count, long y) {
        int half = op.width() / 2;
        double[] frequency = new double[half];
        for (int i = 0; i < half; i++) {
            frequency[i] = Math.pow(op.base(), -(double) i / op.divisor());
        }
        int sine = op.cosineFirst() ? half : 0;
        return () -> {
            for (int n = 0; n < count; n++) {
                double time = Memory.getFloat(t + 4L * n);
                long row = y + 4L * n * op.width();
                for (int i = 0; i < half; i++) {
                    Memory.setFloat(row + 4L * (sine + i), (float) Math.sin(time * frequency[i]));
                    Memory.setFloat(row + 4L * (half - sine + i), (float) Math.cos(time * frequency[i]));
                }
            }
        };
    }

    private Kernel batch(Batch op, Node node) {
        Value data = node.input(0);
        boolean labelled = node.inputs().size() == 3;
        return RandomKernels.batch(
                op,
                data.shape(),
                data.dtype(),
                operands.at(data),
                operands.at(node.input(1)),
                labelled ? operands.at(node.input(2)) : 0,
                operands.at(node.output()),
                operands.at(node.outputs().get(1)),
                labelled ? operands.at(node.outputs().get(2)) : 0);
    }
}
