package dev.rote.reference;

import dev.rote.graph.Activation;
import dev.rote.graph.Attention;
import dev.rote.graph.Clamp;
import dev.rote.graph.ClipScale;
import dev.rote.graph.Conv2d;
import dev.rote.graph.DType;
import dev.rote.graph.GlobalNorm;
import dev.rote.graph.GroupNorm;
import dev.rote.graph.LayerNorm;
import dev.rote.graph.Linear;
import dev.rote.graph.Reduce;
import dev.rote.graph.Softmax;
import dev.rote.reference.CaseList.Given;
import java.util.List;

/// The catalogue of cases: for every operation, forward and backward, sizes that are awkward on purpose (1, primes,
/// one less and one more than 16), numbers far from zero, constant numbers. [OpCasesTest] fails if one has none.
public final class OpCases {
    private static final long SEED = 20_261;

    private OpCases() {}

    /// Every case with activations (what a network's layers pass on, and their filters) in f32. Cases in which another
    /// type is the point, as a cast to bf16 or a bf16 copy of the parameters, are among them.
    public static List<OpCase> f32() {
        return List.copyOf(all(DType.F32).cases());
    }

    /// The cases in which activations appear, with these in bf16.
    public static List<OpCase> bf16() {
        return all(DType.BF16).cases().stream()
                .filter(one -> one.inputTypes().stream().anyMatch(type -> type.type() == DType.BF16)
                        || one.op().infer(one.inputTypes()).stream().anyMatch(type -> type.type() == DType.BF16))
                .toList();
    }

    /// 3 x 3 convolutions in f32 of images of even size and of many channels, which a device may compute by tiles
    /// of 2 x 2.
    public static List<OpCase> tiled() {
        CaseList list = new CaseList(DType.F32, SEED);
        ProductCases.addTiledTo(list);
        return List.copyOf(list.cases());
    }

    /// Cases with one number that is not finite among the inputs: an output is not finite exactly where the
    /// reference's is not.
    public static List<OpCase> notFinite() {
        CaseList list = new CaseList(DType.F32, SEED);
        for (double number : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
            String variant = "with " + number;
            Given x = list.withOne(number, 2, 5, 5, 4);
            list.add(variant, Conv2d.same(3), x, list.x(3, 3, 3, 4), list.f32(3));
            list.add(variant, new Linear(), x, list.x(3, 4), list.f32(3));
            list.add(variant, new GroupNorm(2, 1e-5f, true), x, list.f32(4), list.f32(4));
            list.add(variant, new LayerNorm(1e-5f), x, list.f32(4), list.f32(4));
            list.add(variant, new Softmax(), x);
            list.add(variant, new Reduce(Reduce.Kind.SUM, 0, 4), x);
            list.add(variant, new GlobalNorm(), x);
            list.add(variant, new ClipScale(1), CaseList.scalar(number));
            list.add(variant, new Clamp(-1, 1), x);
        }
        for (Activation.Kind kind : Activation.Kind.values()) {
            list.add(kind + " with NaN", new Activation(kind), list.withOne(Double.NaN, 19));
        }
        list.add("with NaN", new Attention(2), list.withOne(Double.NaN, 2, 5, 3 * 2 * 3));
        return List.copyOf(list.cases());
    }

    private static CaseList all(DType activation) {
        CaseList list = new CaseList(activation, SEED);
        ProductCases.addTo(list);
        NormalisationCases.addTo(list);
        ElementCases.addTo(list);
        MovementCases.addTo(list);
        TrainingCases.addTo(list);
        RandomCases.addTo(list);
        FusedCases.addTo(list);
        ProductCases.addLaterTo(list);
        return list;
    }
}
