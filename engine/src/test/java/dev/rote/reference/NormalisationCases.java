package dev.rote.reference;

import dev.rote.graph.GroupNorm;
import dev.rote.graph.LayerNorm;
import dev.rote.graph.Softmax;
import dev.rote.reference.CaseList.Given;
import java.util.List;

/// Cases of normalisations and softmax.
final class NormalisationCases {
    private NormalisationCases() {}

    static void addTo(CaseList list) {
        groupNorm(list, "all sizes 1", 1, list.x(1, 1, 1, 1));
        groupNorm(list, "G=1", 1, list.x(3, 5, 7, 6));
        groupNorm(list, "G=C", 6, list.x(3, 5, 7, 6));
        groupNorm(list, "primes", 7, list.x(2, 3, 5, 7 * 3));
        groupNorm(list, "rank 2", 3, list.x(5, 12));
        groupNorm(list, "rank 3", 2, list.x(3, 11, 8));
        groupNorm(list, "1x1 image", 2, list.x(3, 1, 1, 16));
        groupNorm(list, "G=8 C=32", 8, list.x(2, 16, 16, 32));
        groupNorm(list, "15x17 pixels", 4, list.x(2, 15, 17, 16));
        groupNorm(list, "large mean", 2, list.largeMean(2, 8, 8, 8));
        groupNorm(list, "constant input", 2, list.constant(3, 2, 4, 4, 8));
        layerNorm(list, "all sizes 1", list.x(1, 1));
        layerNorm(list, "rank 1", list.x(7));
        layerNorm(list, "primes", list.x(3, 5, 7));
        layerNorm(list, "C=15", list.x(17, 15));
        layerNorm(list, "C=16", list.x(15, 16));
        layerNorm(list, "C=17", list.x(16, 17));
        layerNorm(list, "C=1", list.x(5, 1));
        layerNorm(list, "C=512", list.x(3, 512));
        layerNorm(list, "large mean", list.largeMean(5, 64));
        layerNorm(list, "constant input", list.constant(3, 4, 16));
        softmax(list, "all sizes 1", list.x(1, 1));
        softmax(list, "rank 1", list.x(11));
        softmax(list, "primes", list.x(3, 5, 7));
        softmax(list, "C=15", list.x(2, 15));
        softmax(list, "C=16", list.x(2, 16));
        softmax(list, "C=17", list.x(2, 17));
        softmax(list, "C=1", list.x(5, 1));
        softmax(list, "large mean", list.largeMean(3, 33));
        softmax(list, "wide", list.wide(3, 33));
        softmax(list, "constant input", list.constant(-2, 3, 10));
    }

    private static void groupNorm(CaseList list, String variant, int groups, Given x) {
        int channels = x.type().shape().last();
        Given gamma = list.f32(channels);
        Given beta = list.f32(channels);
        Given dy = list.x(x.type().shape().toArray());
        for (boolean silu : new boolean[] {false, true}) {
            GroupNorm op = new GroupNorm(groups, 1e-5f, silu);
            List<Given> outputs = list.outputs(op, x, gamma, beta);
            String name = variant + (silu ? ", SiLU" : "");
            list.add(name, op, x, gamma, beta);
            list.add(name, new GroupNorm.Backward(op), dy, x, gamma, beta, outputs.get(1), outputs.get(2));
        }
    }

    private static void layerNorm(CaseList list, String variant, Given x) {
        int channels = x.type().shape().last();
        Given gamma = list.f32(channels);
        Given beta = list.f32(channels);
        LayerNorm op = new LayerNorm(1e-5f);
        List<Given> outputs = list.outputs(op, x, gamma, beta);
        Given dy = list.x(x.type().shape().toArray());
        list.add(variant, op, x, gamma, beta);
        list.add(variant, new LayerNorm.Backward(), dy, x, gamma, outputs.get(1), outputs.get(2));
    }

    private static void softmax(CaseList list, String variant, Given x) {
        Given y = list.outputs(new Softmax(), x).getFirst();
        list.add(variant, new Softmax(), x);
        list.add(variant, new Softmax.Backward(), list.x(x.type().shape().toArray()), y);
    }
}
