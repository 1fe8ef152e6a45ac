package dev.rote.device.cuda;

import dev.rote.errors.EnvironmentException;
import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.Linear;
import dev.rote.graph.MatMul;
import dev.rote.graph.Op;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/// NVIDIA's libraries as another way to compute products, by cuBLAS, and convolutions, by cuDNN: to check against and
/// to measure against. Everything else is computed by our kernels, and so is what the libraries refuse.
///
/// Every operation is tried once, on memory of its own, when a plan first asks for its scratch memory. So a capture
/// meets only calls that are known to work and whose kernels are loaded.
final class VendorOperations implements AutoCloseable {
    private record Signature(Op op, List<TensorType> inputs, List<TensorType> outputs) {}

    private final CudaDevice device;
    private final Consumer<String> notices;
    private final Cublas cublas;
    private final Cudnn cudnn;
    private final Map<Signature, Optional<VendorCall>> calls = new HashMap<>();
    private final Set<String> said = new HashSet<>();

    private VendorOperations(CudaDevice device, Consumer<String> notices) {
        this.device = device;
        this.notices = notices;
        this.cublas = new Cublas(device);
        this.cudnn = new Cudnn(device);
    }

    /// Starts the libraries, which must be loaded.
    ///
    /// @param notices is told once of each operation that the libraries refuse
    /// @throws EnvironmentException if JCublas or JCudnn is missing
    static VendorOperations open(CudaDevice device, Consumer<String> notices) {
        try {
            return new VendorOperations(device, notices);
        } catch (LinkageError e) { // JCuda's own message is a page about the loading of libraries
            String first = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new EnvironmentException(
                    "kernels \"vendor\": expected jcublas, jcudnn and their natives on the class path, found none that"
                            + " loads (" + first + ")",
                    e);
        }
    }

    /// Both libraries with their versions.
    String describe() {
        return "cuBLAS " + cublas.version() + ", cuDNN " + cudnn.version();
    }

    /// Whether a vendor's library is asked for an operation at all.
    static boolean isAsked(Op op) {
        return switch (op) {
            case Conv2d conv -> conv.input() == Conv2d.Input.PLAIN;
            case Conv2d.BackwardData back -> back.conv().input() == Conv2d.Input.PLAIN;
            case Conv2d.BackwardWeight back -> back.conv().input() == Conv2d.Input.PLAIN;
            case Linear ignored -> true;
            case Linear.BackwardData ignored -> true;
            case Linear.BackwardWeight ignored -> true;
            case MatMul ignored -> true;
            default -> false;
        };
    }

    /// How a library computes an operation without its bias; empty if none does.
    synchronized Optional<VendorCall> call(Op op, List<TensorType> inputs, List<TensorType> outputs) {
        if (!isAsked(op)) {
            return Optional.empty();
        }
        Signature signature = new Signature(op, List.copyOf(inputs), List.copyOf(outputs));
        Optional<VendorCall> known = calls.get(signature);
        if (known == null) {
            known = candidates(op, inputs, outputs).stream()
                    .filter(call -> works(call, inputs, outputs.getFirst()))
                    .findFirst();
            calls.put(signature, known);
        }
        return known;
    }

    private List<VendorCall> candidates(Op op, List<TensorType> inputs, List<TensorType> outputs) {
        Shape first = inputs.get(0).shape();
        Shape second = inputs.get(1).shape();
        DType type = inputs.getFirst().type();
        return switch (op) {
            case Conv2d conv -> convolutions(Cudnn.Direction.FORWARD, conv, first, second, type, false);
            case Conv2d.BackwardData back ->
                convolutions(Cudnn.Direction.BACKWARD_DATA, back.conv(), back.x(), second, type, false);
            case Conv2d.BackwardWeight back -> {
                Shape w = outputs.getFirst().shape();
                List<VendorCall> calls = new ArrayList<>();
                if (type == DType.BF16) { // as we write it, if cuDNN does
                    calls.addAll(convolutions(Cudnn.Direction.BACKWARD_WEIGHT, back.conv(), first, w, type, true));
                }
                calls.addAll(convolutions(Cudnn.Direction.BACKWARD_WEIGHT, back.conv(), first, w, type, false));
                yield calls;
            }
            case Linear ignored -> product(rows(first), second.dim(0), first.last(), 1, false, true, type, type);
            case Linear.BackwardData ignored ->
                product(rows(first), second.dim(1), first.last(), 1, false, false, type, type);
            case Linear.BackwardWeight ignored ->
                product(second.last(), first.last(), rows(first), 1, true, false, type, DType.F32);
            case MatMul matmul -> {
                Shape y = outputs.getFirst().shape();
                int depth = first.dim(matmul.transposeA() ? 1 : 2);
                boolean a = matmul.transposeA();
                yield product(y.dim(1), y.dim(2), depth, y.dim(0), a, matmul.transposeB(), type, type);
            }
            default -> throw new AssertionError(op);
        };
    }

    private static long rows(Shape shape) {
        return shape.elements() / shape.last();
    }

    private List<VendorCall> convolutions(
            Cudnn.Direction direction, Conv2d op, Shape x, Shape w, DType type, boolean wide) {
        return cudnn.calls(new Cudnn.Convolution(direction, op, x, w, type, wide, device.tf32()));
    }

    private List<VendorCall> product(
            long m, long n, long k, int batch, boolean transposeA, boolean transposeB, DType type, DType resultType) {
        if (Math.max(m, Math.max(n, k)) > Integer.MAX_VALUE) {
            return List.of();
        }
        return List.of(cublas.call(new Cublas.Product(
                (int) m, (int) n, (int) k, batch, transposeA, transposeB, type, resultType, device.tf32())));
    }

    /// Runs a call on memory that holds nothing. A library may refuse what it offered.
    private boolean works(VendorCall call, List<TensorType> inputs, TensorType output) {
        device.makeCurrent();
        long first = aligned(inputs.get(0).bytes());
        long second = aligned(inputs.get(1).bytes());
        long result = aligned(output.elements() * call.resultType().bytes());
        long bytes = first + second + result + call.workspaceBytes();
        String owner = "the trial of " + call;
        DeviceAddress memory = device.take(owner, bytes);
        try {
            long at = memory.value();
            String refusal = call.issue(
                    new VendorCall.Operands(at, at + first, at + first + second, at + first + second + result));
            device.synchronize(owner);
            return refusal.isEmpty();
        } finally {
            device.giveBack(memory, bytes);
        }
    }

    /// As the driver aligns memory.
    static long aligned(long bytes) {
        return Math.ceilDiv(bytes, 256L) * 256;
    }

    /// Says once which operations of a program our kernels compute because the libraries do not.
    ///
    /// @param taken how many the libraries compute
    /// @param refused the others
    synchronized void report(String program, int taken, List<String> refused) {
        List<String> fresh = refused.stream().distinct().filter(said::add).toList();
        if (!fresh.isEmpty()) {
            notices.accept("kernels \"vendor\": of program " + program + ", cuBLAS and cuDNN compute " + taken
                    + " operations and refuse " + refused.size() + ", which Rote's kernels compute: "
                    + fresh.stream().collect(Collectors.joining("; ")));
        }
    }

    @Override
    public void close() {
        cudnn.close();
        cublas.close();
    }
}
