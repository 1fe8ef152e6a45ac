package dev.rote.reference;

import dev.rote.graph.AdamUpdate;
import dev.rote.graph.Advance;
import dev.rote.graph.AllReduce;
import dev.rote.graph.ClipScale;
import dev.rote.graph.CrossEntropy;
import dev.rote.graph.DType;
import dev.rote.graph.EmaUpdate;
import dev.rote.graph.GlobalNorm;
import dev.rote.graph.LearningRate;
import dev.rote.graph.MeanSquaredError;
import dev.rote.graph.RecordValue;
import dev.rote.graph.SgdUpdate;
import dev.rote.reference.CaseList.Given;

/// Cases of losses, optimizer updates and bookkeeping.
final class TrainingCases {
    private static final int[] SIZES = {1, 15, 16, 17, 1031};

    private TrainingCases() {}

    static void addTo(CaseList list) {
        losses(list);
        for (int size : SIZES) {
            updates(list, size);
            list.add("of " + size, new GlobalNorm(), list.f32(size));
            list.add("of " + size, new AllReduce(), list.f32(size));
        }
        list.add("zeros", new GlobalNorm(), CaseList.as(DType.F32, list.constant(0, 7)));
        list.add("below", new ClipScale(1), CaseList.scalar(0.25));
        list.add("above", new ClipScale(1), CaseList.scalar(12.5));
        list.add("zero", new ClipScale(2.5f), CaseList.scalar(0));
        for (int step : new int[] {0, 1, 41, (1 << 24) - 1}) {
            list.add("from " + step, new Advance(), CaseList.step(step));
            list.add("step " + step + " of 1", new RecordValue(), list.f32(1), CaseList.step(step), list.f32(1));
            list.add("step " + step + " of 7", new RecordValue(), list.f32(1), CaseList.step(step), list.f32(7));
        }
        for (int step : new int[] {0, 4, 9, 10, 57, 99, 100, 5000}) {
            list.add("warm-up, step " + step, new LearningRate(1e-3f, 0, 10, 100, false), CaseList.step(step));
            list.add("cosine, step " + step, new LearningRate(1e-3f, 1e-5f, 10, 100, true), CaseList.step(step));
            list.add("constant, step " + step, new LearningRate(2e-4f, 0, 0, 0, false), CaseList.step(step));
        }
    }

    private static void losses(CaseList list) {
        int[][] shapes = {{1}, {3, 5, 7}, {15}, {16}, {17}, {2, 16, 16, 3}};
        for (int[] dims : shapes) {
            Given prediction = list.x(dims);
            Given target = list.x(dims);
            String shape = prediction.type().shape().toString();
            float weight = 1f / prediction.data().length;
            list.add(shape, new MeanSquaredError(weight), prediction, target);
            list.add(shape, new MeanSquaredError.Backward(weight), prediction, target, CaseList.scalar(1.5));
        }
        Given same = list.largeMean(3, 7);
        list.add("prediction = target", new MeanSquaredError(1), same, same);
        int[][] sizes = {{1, 1}, {1, 7}, {5, 1}, {3, 11}, {15, 17}, {17, 16}};
        for (int[] s : sizes) {
            crossEntropy(list, s[0] + " of " + s[1], list.x(s), list.i32(s[1], s[0]));
        }
        crossEntropy(list, "large mean", list.largeMean(3, 9), list.i32(9, 3));
        crossEntropy(list, "wide", list.wide(3, 9), list.i32(9, 3));
        crossEntropy(list, "constant input", list.constant(2, 3, 9), list.i32(9, 3));
    }

    private static void crossEntropy(CaseList list, String variant, Given logits, Given label) {
        list.add(variant, new CrossEntropy(0.25f), logits, label);
        list.add(variant, new CrossEntropy.Backward(0.25f), logits, label, CaseList.scalar(-0.75));
    }

    private static void updates(CaseList list, int size) {
        Given scale = CaseList.scalar(0.5);
        for (int step : new int[] {0, 1, 1000}) {
            Given s = CaseList.step(step);
            String variant = size + ", step " + step;
            Given rate = CaseList.scalar(1e-2);
            AdamUpdate adam = new AdamUpdate(0.9f, 0.999f, 1e-8f, 0.01f, false);
            AdamUpdate decoupled = new AdamUpdate(0.9f, 0.95f, 1e-6f, 0.1f, true);
            list.add(variant, adam, list.f32(size), list.f32(size), list.f32(size), list.uniform(size), rate, scale, s);
            list.add(
                    variant + ", decoupled, copy",
                    decoupled,
                    list.f32(size),
                    list.f32(size),
                    list.f32(size),
                    list.uniform(size),
                    rate,
                    scale,
                    s,
                    CaseList.as(DType.BF16, list.f32(size)));
            list.add(variant, new SgdUpdate(0.9f, 0), list.f32(size), list.f32(size), list.f32(size), rate, scale, s);
            list.add(
                    variant + ", decay, copy",
                    new SgdUpdate(0.95f, 0.01f),
                    list.f32(size),
                    list.f32(size),
                    list.f32(size),
                    rate,
                    scale,
                    s,
                    CaseList.as(DType.BF16, list.f32(size)));
            list.add(variant, new EmaUpdate(0.99f), list.f32(size), list.f32(size), s);
        }
    }
}
