package dev.rote.reference;

import dev.rote.graph.Batch;
import dev.rote.random.EpochOrder;
import dev.rote.random.Philox;
import dev.rote.random.Purpose;
import java.util.List;

/// The images of one training step, from shuffled epochs that follow each other without a gap.
final class BatchReference {
    private BatchReference() {}

    /// Image j of step s stands at position `s stride + first + j`; its index is that of [EpochOrder], or the position
    /// modulo M in stored order; `x = scale stored + shift`. With `flip` it is mirrored left to right if the top bit of
    /// Philox word `first + j` of (seed, step, AUGMENT) is set.
    /// Inputs data [M,H,W,C], step [1], optional labels [M]; outputs x [count,H,W,C], index [count], label [count].
    static List<double[]> forward(Batch op, List<Tensor> inputs) {
        Tensor data = inputs.get(0);
        int step = (int) inputs.get(1).only();
        int images = data.dim(0);
        double[] x = new double[op.count() * (data.size() / images)]; // [count,H,W,C]
        double[] index = new double[op.count()];
        double[] label = new double[op.count()];
        for (int j = 0; j < op.count(); j++) {
            long position = step * op.stride() + op.first() + j;
            int image = op.shuffle() ? EpochOrder.indexAt(op.seed(), position, images) : (int) (position % images);
            int word = Philox.elementWord(op.seed(), op.first() + j, step, Purpose.AUGMENT.code());
            index[j] = image;
            label[j] = inputs.size() > 2 ? inputs.get(2).at(image) : 0;
            copy(op, data, image, op.flip() && word < 0, x, j);
        }
        return inputs.size() > 2 ? List.of(x, index, label) : List.of(x, index);
    }

    private static void copy(Batch op, Tensor data, int image, boolean mirrored, double[] x, int j) {
        int height = data.dim(1);
        int width = data.dim(2);
        int channels = data.dim(3);
        for (int h = 0; h < height; h++) {
            for (int w = 0; w < width; w++) {
                int from = mirrored ? width - 1 - w : w;
                for (int c = 0; c < channels; c++) {
                    double stored = data.at(((image * height + h) * width + from) * channels + c);
                    x[((j * height + h) * width + w) * channels + c] = op.scale() * stored + op.shift();
                }
            }
        }
    }
}
