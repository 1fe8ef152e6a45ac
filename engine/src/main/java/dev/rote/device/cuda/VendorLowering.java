package dev.rote.device.cuda;

import dev.rote.graph.Linear;
import dev.rote.graph.Node;
import dev.rote.graph.TensorType;
import dev.rote.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Lowers products and convolutions to calls of a vendor's library, and to our kernels for what such a call leaves
/// undone: biases, their gradients, gradients of filters that come in bf16.
final class VendorLowering {
    private static final int ALIGNMENT = 16; // of operands, as cuDNN expects

    private final CudaMemory memory;
    private final VendorOperations vendor;
    private final List<String> refused = new ArrayList<>();
    private int taken;

    VendorLowering(CudaMemory memory, VendorOperations vendor) {
        this.memory = memory;
        this.vendor = vendor;
    }

    /// Scratch memory of a call: its own, a result that is to be widened, parts of the bias' gradient.
    private record Scratch(long call, long narrow, long sums) {
        static Scratch of(VendorCall call, List<TensorType> inputs, List<TensorType> outputs) {
            TensorType result = outputs.getFirst();
            boolean narrow = call.resultType() != result.type();
            return new Scratch(
                    VendorOperations.aligned(call.workspaceBytes()),
                    narrow
                            ? VendorOperations.aligned(
                                    result.elements() * call.resultType().bytes())
                            : 0,
                    outputs.size() == 2 ? sumBytes(biasSum(inputs.get(1))) : 0);
        }

        long bytes() {
            return call + narrow + sums;
        }
    }

    /// Scratch bytes of an operation that is computed by a call.
    static long workspaceBytes(VendorCall call, List<TensorType> inputs, List<TensorType> outputs) {
        long bytes = Scratch.of(call, inputs, outputs).bytes();
        return bytes == 0 ? 0 : VendorOperations.aligned(1) + bytes; // a plan aligns to less than the driver
    }

    /// The gradient of a bias: dy [...,K] added up over all but K.
    private static Sum biasSum(TensorType dy) {
        int columns = dy.shape().last();
        return Sum.of(1, dy.elements() / columns, columns);
    }

    private static long sumBytes(Sum sum) {
        return 8 * sum.chunks() * sum.inner();
    }

    /// Launches of a node; empty if our kernels are to compute it.
    Optional<List<Launch>> lower(Node node) {
        if (!VendorOperations.isAsked(node.op())) {
            return Optional.empty();
        }
        Optional<VendorCall> call = vendor.call(node.op(), node.inputTypes(), node.outputTypes());
        boolean aligned = memory.address(node.input(0)) % ALIGNMENT == 0
                && memory.address(node.input(1)) % ALIGNMENT == 0
                && memory.address(node.output()) % ALIGNMENT == 0;
        if (call.isEmpty() || !aligned) {
            String why = call.isEmpty() ? "" : " (not aligned to " + ALIGNMENT + " bytes)";
            refused.add(node.op().label() + " " + node.inputTypes() + why);
            return Optional.empty();
        }
        taken++;
        return Optional.of(launches(call.get(), node));
    }

    private List<Launch> launches(VendorCall call, Node node) {
        Scratch scratch = Scratch.of(call, node.inputTypes(), node.outputTypes());
        long workspace = VendorOperations.aligned(memory.workspace(node));
        long narrow = workspace + scratch.call();
        long sums = narrow + scratch.narrow();
        long result = memory.address(node.output());
        List<Launch> launches = new ArrayList<>();
        long first = memory.address(node.input(0));
        long second = memory.address(node.input(1));
        // A weight gradient of a linear layer is dy' x.
        boolean swapped = node.op() instanceof Linear.BackwardWeight;
        launches.add(new VendorLaunch(
                call,
                new VendorCall.Operands(
                        swapped ? second : first,
                        swapped ? first : second,
                        scratch.narrow() > 0 ? narrow : result,
                        workspace)));
        if (scratch.narrow() > 0) {
            launches.add(ElementLowering.cast(
                    narrow,
                    call.resultType(),
                    result,
                    node.output().dtype(),
                    node.output().elements()));
        }
        if (node.inputs().size() == 3) {
            launches.add(addBias(node.output(), node.input(2)));
        }
        if (node.outputs().size() == 2) {
            launches.addAll(biasGradient(node.input(1), node.outputs().get(1), sums));
        }
        return launches;
    }

    /// `y[...,k] += bias[k]`
    private KernelLaunch addBias(Value y, Value bias) {
        long each = Packing.BYTES / y.dtype().bytes();
        Arguments arguments = new Arguments()
                .pointer("y", memory.address(y))
                .pointer("bias", memory.address(bias))
                .i64("n", y.elements())
                .i32("columns", y.shape().last())
                .i32("packed", Packing.fits(memory, List.of(y, bias), y.shape().last()) ? 1 : 0);
        return KernelLaunch.perElement("add_bias" + Names.type(y), Math.ceilDiv(y.elements(), each), arguments);
    }

    private List<KernelLaunch> biasGradient(Value dy, Value dbias, long partial) {
        Sum sum = biasSum(dy.type());
        return List.of(
                sum.launch("reduce_partial" + Names.type(dy), memory.address(dy), 0, partial, Sum.Factor.ONE),
                sum.second().launch("reduce_total_f32", partial, 0, memory.address(dbias), Sum.Factor.ONE));
    }

    /// Says once what of the program the libraries refused.
    void report(String program) {
        vendor.report(program, taken, refused);
    }
}
