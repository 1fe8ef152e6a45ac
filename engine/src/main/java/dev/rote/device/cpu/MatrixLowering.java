package dev.rote.device.cpu;

import dev.rote.graph.*;

/// Lowers convolutions and matrix products to oneDNN.
final class MatrixLowering {
    private final Operands operands;
    private final ConvolutionKernels convolutions;
    private final MatrixKernels matrices;

    MatrixLowering(Operands operands, DnnlPrimitives dnnl) {
        this.operands = operands;
        this.convolutions = new ConvolutionKernels(dnnl, operands.scratch());
        this.matrices = new MatrixKernels(dnnl);
    }

    Kernel convolution(Node node) {
        Value out = node.output();
        return switch (node.op()) {
            case Conv2d op -> {
                Image x = Image.read(op, node.inputs().subList(0, op.sources()), operands);
                Value w = node.input(op.sources());
                long bias =
                        op.hasBias(node.inputs()) ? operands.at(node.inputs().getLast()) : 0;
                yield x.before(convolutions.forward(
                        op,
                        x.shape(),
                        w.shape(),
                        out.shape(),
                        w.dtype(),
                        x.at(),
                        operands.at(w),
                        bias,
                        operands.at(out)));
            }
            case Conv2d.BackwardData op -> {
                Value dy = node.input(0);
                Value w = node.input(1);
                Image dx = Image.written(op.conv(), node.outputs(), operands);
                yield dx.after(convolutions.backwardData(
                        op.conv(),
                        dx.shape(),
                        w.shape(),
                        dy.shape(),
                        dy.dtype(),
                        operands.at(dy),
                        operands.at(w),
                        dx.at()));
            }
            case Conv2d.BackwardWeight op -> {
                Image x =
                        Image.read(op.conv(), node.inputs().subList(0, op.conv().sources()), operands);
                Value dy = node.inputs().getLast();
                yield x.before(convolutions.backwardWeight(
                        op.conv(),
                        x.shape(),
                        out.shape(),
                        dy.shape(),
                        dy.dtype(),
                        x.at(),
                        operands.at(dy),
                        operands.at(out),
                        op.bias() ? operands.at(node.outputs().get(1)) : 0));
            }
            default -> throw new AssertionError(node);
        };
    }

    private MatrixKernels.Operand matrix(Value value, boolean transposed) {
        return new MatrixKernels.Operand(operands.at(value), value.dtype(), transposed);
    }

    Kernel product(Node node) {
        Value a = node.input(0);
        Value b = node.input(1);
        Value out = node.output();
        String what = node.op().label() + " " + node.inputTypes();
        long rows = a.elements() / a.shape().last();
        return switch (node.op()) {
            case Linear ignored -> {
                long bias = node.inputs().size() == 3 ? operands.at(node.input(2)) : 0;
                yield matrices.product(
                        what,
                        1,
                        rows,
                        out.shape().last(),
                        a.shape().last(),
                        matrix(a, false),
                        matrix(b, true),
                        bias,
                        matrix(out, false));
            }
            case Linear.BackwardData ignored ->
                matrices.product(
                        what,
                        1,
                        rows,
                        out.shape().last(),
                        a.shape().last(),
                        matrix(a, false),
                        matrix(b, false),
                        0,
                        matrix(out, false));
            case Linear.BackwardWeight op -> {
                int columns = b.shape().last();
                Kernel weight = matrices.product(
                        what,
                        1,
                        columns,
                        a.shape().last(),
                        rows,
                        matrix(b, true),
                        matrix(a, false),
                        0,
                        matrix(out, false));
                if (!op.bias()) {
                    yield weight;
                }
                Kernel bias = ReduceKernels.columnSums(
                        operands.whole(b), operands.at(node.outputs().get(1)), Math.toIntExact(rows), columns);
                yield () -> {
                    weight.run();
                    bias.run();
                };
            }
            case MatMul op ->
                matrices.product(
                        what,
                        out.shape().dim(0),
                        out.shape().dim(1),
                        out.shape().dim(2),
                        a.shape().dim(op.transposeA() ? 1 : 2),
                        matrix(a, op.transposeA()),
                        matrix(b, op.transposeB()),
                        0,
                        matrix(out, false));
            default -> throw new AssertionError(node);
        };
    }
}
