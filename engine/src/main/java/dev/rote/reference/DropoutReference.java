package dev.rote.reference;

import dev.rote.graph.Dropout;
import dev.rote.random.Philox;
import java.util.List;

/// Dropout (Srivastava et al. 2014, JMLR 15, in its inverted form); whole channels: Tompson et al. 2015,
/// arXiv:1411.4280.
final class DropoutReference {
    private DropoutReference() {}

    /// `y = x/(1 - rate)` where the Philox word is at least `round(rate 2^32)`, else 0. The word's number is
    /// `(firstImage + n) perImage + i`, where i counts the elements or, channel by channel, the channels of an image.
    /// Inputs x [N,...,C], step [1].
    static List<double[]> forward(Dropout op, List<Tensor> inputs) {
        Tensor x = inputs.get(0);
        int step = (int) inputs.get(1).only();
        long threshold = Math.round((double) op.rate() * 0x1p32);
        int elements = x.size() / x.dim(0);
        int perImage = op.channelwise() ? x.last() : elements;
        double[] y = new double[x.size()];
        for (int i = 0; i < y.length; i++) {
            int n = i / elements;
            int within = op.channelwise() ? i % x.last() : i % elements;
            long number = (op.firstImage() + n) * perImage + within;
            int word = Philox.elementWord(op.seed(), number, step, op.purpose());
            boolean kept = Integer.toUnsignedLong(word) >= threshold;
            y[i] = kept ? x.at(i) / (1 - (double) op.rate()) : 0;
        }
        return List.of(y);
    }
}
