package dev.rote.reference;

import dev.rote.graph.Activation;
import dev.rote.graph.Add;
import dev.rote.graph.AddChannels;
import dev.rote.graph.Cast;
import dev.rote.graph.Clamp;
import dev.rote.graph.DType;
import dev.rote.graph.Fill;
import dev.rote.graph.Mix;
import dev.rote.graph.Modulate;
import dev.rote.graph.Multiply;
import dev.rote.graph.Scale;
import dev.rote.graph.Shape;
import dev.rote.graph.TensorType;
import dev.rote.reference.CaseList.Given;

/// Cases of operations that work element by element.
final class ElementCases {
    private static final int[][] SHAPES = {{1}, {7}, {3, 5, 7}, {15}, {16}, {17}, {2, 16, 16, 8}, {1, 1, 1, 33}};

    private ElementCases() {}

    static void addTo(CaseList list) {
        for (int[] dims : SHAPES) {
            String shape = Shape.of(dims).toString();
            for (Activation.Kind kind : Activation.Kind.values()) {
                list.add(kind + " " + shape, new Activation(kind), list.x(dims));
                list.add(kind + " " + shape, new Activation.Backward(kind), list.x(dims), list.x(dims));
            }
            list.add(shape, new Add(), list.x(dims), list.x(dims));
            list.add(shape, new Multiply(), list.x(dims), list.x(dims));
            list.add(shape, new Scale(-1.75f, 0.3f), list.x(dims));
            list.add(shape, new Fill(new TensorType(Shape.of(dims), list.activation()), -2.5f));
        }
        for (Activation.Kind kind : Activation.Kind.values()) {
            list.add(kind + " wide", new Activation(kind), list.wide(5, 13));
            list.add(kind + " wide", new Activation.Backward(kind), list.x(5, 13), list.wide(5, 13));
            list.add(kind + " of zero", new Activation(kind), list.constant(0, 5));
            list.add(kind + " at zero", new Activation.Backward(kind), list.x(5), list.constant(0, 5));
        }
        list.add("pure shift", new Scale(0, 3), list.x(19));
        list.add("i32", new Fill(TensorType.i32(5), 7));
        perImage(list, 1, 1, 1);
        perImage(list, 2, 5, 3);
        perImage(list, 3, 1, 7);
        perImage(list, 2, 15, 17);
        perImage(list, 3, 16, 16);
        perImage(list, 1, 17, 15);
        casts(list);
        for (int[] dims : SHAPES) {
            list.add(Shape.of(dims).toString(), new Clamp(-0.5f, 0.75f), list.x(dims));
        }
    }

    private static void perImage(CaseList list, int images, int pixels, int channels) {
        String variant = images + " images of " + pixels + "x" + channels;
        Given x = list.x(images, pixels, channels);
        Given z = list.x(images, pixels, channels);
        Given scale = list.x(images, channels);
        list.add(variant, new AddChannels(), x, scale);
        list.add(variant, new Modulate(), x, scale, list.x(images, channels));
        list.add(variant, new Modulate.Backward(), z, x, scale);
        list.add(variant + ", a and b per image", new Mix(), x, z, list.f32(images), list.f32(images));
        list.add(variant + ", a and b for all", new Mix(), x, z, list.f32(1), list.f32(1));
        list.add(variant + ", a per image", new Mix(), x, z, list.f32(images), list.f32(1));
        list.add(variant + ", b per image", new Mix(), x, z, list.f32(1), list.f32(images));
        list.add(variant + ", rank 4", new AddChannels(), list.x(images, pixels, 2, channels), scale);
        list.add(variant + ", rank 2", new AddChannels(), scale, list.x(images, channels));
    }

    private static void casts(CaseList list) {
        for (int size : new int[] {1, 15, 16, 17, 1031}) {
            list.add("x of " + size + " to f32", new Cast(DType.F32), list.x(size));
            list.add("x of " + size + " to bf16", new Cast(DType.BF16), list.x(size));
            list.add("i32 of " + size + " to f32", new Cast(DType.F32), list.i32(1000, size));
            list.add("u8 of " + size + " to f32", new Cast(DType.F32), list.u8(size));
            list.add("u8 of " + size + " to bf16", new Cast(DType.BF16), list.u8(size));
        }
    }
}
