package dev.rote.reference;

import dev.rote.graph.DType;
import dev.rote.graph.Op;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleSupplier;

/// Collects cases and makes their numbers from a fixed seed.
final class CaseList {
    /// An input: its type and its numbers, exact in that type.
    @SuppressWarnings("ArrayRecordComponent") // compared by nobody
    record Given(TensorType type, double[] data) {}

    private final DType activation;
    private final Random random;
    private final List<OpCase> cases = new ArrayList<>();

    /// @param activation the type of what [#x] makes: f32 or bf16
    CaseList(DType activation, long seed) {
        this.activation = activation;
        this.random = new Random(seed);
    }

    List<OpCase> cases() {
        return cases;
    }

    DType activation() {
        return activation;
    }

    void add(String variant, Op op, Given... inputs) {
        add(variant, op, Arrays.asList(inputs));
    }

    void add(String variant, Op op, List<Given> inputs) {
        List<TensorType> types = inputs.stream().map(Given::type).toList();
        op.infer(types);
        List<double[]> data = inputs.stream().map(Given::data).toList();
        cases.add(new OpCase(op.label() + " " + variant, op, types, data));
    }

    /// Outputs of a forward operation, rounded to their types, as inputs of the backward one.
    List<Given> outputs(Op op, Given... inputs) {
        List<Tensor> tensors = Arrays.stream(inputs)
                .map(input -> new Tensor(input.type().shape(), input.data()))
                .toList();
        List<TensorType> types = op.infer(Arrays.stream(inputs).map(Given::type).toList());
        List<double[]> results = Definitions.evaluate(op, tensors);
        List<Given> outputs = new ArrayList<>();
        for (int index = 0; index < results.size(); index++) {
            outputs.add(rounded(types.get(index), results.get(index)));
        }
        return outputs;
    }

    /// Standard normals in the activation type.
    Given x(int... dims) {
        return make(new TensorType(Shape.of(dims), activation), random::nextGaussian);
    }

    /// Standard normals around 100 in the activation type: what breaks a variance by E[x^2] - mean^2.
    Given largeMean(int... dims) {
        return make(new TensorType(Shape.of(dims), activation), () -> 100 + random.nextGaussian());
    }

    /// Normals times 30 in the activation type: what overflows an exponential that forgets the maximum.
    Given wide(int... dims) {
        return make(new TensorType(Shape.of(dims), activation), () -> 30 * random.nextGaussian());
    }

    /// One number everywhere, in the activation type.
    Given constant(double number, int... dims) {
        return make(new TensorType(Shape.of(dims), activation), () -> number);
    }

    /// Standard normals with one number in the middle replaced, in the activation type.
    Given withOne(double number, int... dims) {
        Given given = x(dims);
        given.data()[given.data().length / 2] = number;
        return given;
    }

    /// Standard normals in f32.
    Given f32(int... dims) {
        return make(TensorType.f32(dims), random::nextGaussian);
    }

    /// Numbers in [0,1) in f32.
    Given uniform(int... dims) {
        return make(TensorType.f32(dims), random::nextDouble);
    }

    /// Integers in [0, bound).
    Given i32(int bound, int... dims) {
        return make(TensorType.i32(dims), () -> random.nextInt(bound));
    }

    /// Bytes.
    Given u8(int... dims) {
        return make(new TensorType(Shape.of(dims), DType.U8), () -> random.nextInt(256));
    }

    /// One f32 number.
    static Given scalar(double number) {
        return rounded(TensorType.f32(1), new double[] {number});
    }

    /// A step counter.
    static Given step(int step) {
        return new Given(TensorType.i32(1), new double[] {step});
    }

    /// The same numbers in another type, rounded to it.
    static Given as(DType type, Given given) {
        return rounded(given.type().with(type), given.data());
    }

    private static Given make(TensorType type, DoubleSupplier source) {
        double[] data = new double[(int) type.elements()];
        Arrays.setAll(data, i -> source.getAsDouble());
        return rounded(type, data);
    }

    private static Given rounded(TensorType type, double[] data) {
        return new Given(
                type,
                Arrays.stream(data).map(number -> round(type.type(), number)).toArray());
    }

    /// To the nearest number of the type, ties to even.
    static double round(DType type, double number) {
        return switch (type) {
            case F32 -> (float) number;
            case BF16 -> {
                int bits = Float.floatToIntBits((float) number);
                int nearest = bits + 0x7fff + (bits >>> 16 & 1);
                yield Double.isNaN(number) ? number : Float.intBitsToFloat(nearest & 0xffff0000);
            }
            case I32, U8 -> Math.rint(number);
        };
    }
}
