package dev.rote.data;

/// Antialiased bilinear resizing, as torchvision does it on tensors (`resize(..., antialias=True)`): along each axis
/// the triangle filter of radius `max(scale, 1)` around the pixel's center, `scale` = input size / output size, its
/// weights divided by their sum, cut at the border. Values are used as they are; no sRGB curve.
///
/// Source of the rule: ATen `UpSampleKernel.cpp`, `_compute_indices_weights_aa`. Here weights and sums are double.
public final class Resize {
    private Resize() {}

    /// For each output position: the first input position and the weights from there on.
    record Filter(int[] first, double[][] weights) {
        static Filter of(int in, int out) {
            double scale = (double) in / out;
            double radius = Math.max(scale, 1.0);
            int[] first = new int[out];
            double[][] weights = new double[out][];
            for (int i = 0; i < out; i++) {
                double center = scale * (i + 0.5);
                int from = Math.max((int) (center - radius + 0.5), 0);
                int to = Math.min((int) (center + radius + 0.5), in);
                double[] w = new double[to - from];
                double sum = 0;
                for (int j = 0; j < w.length; j++) {
                    w[j] = Math.max(0.0, 1.0 - Math.abs((j + from - center + 0.5) / radius));
                    sum += w[j];
                }
                for (int j = 0; j < w.length; j++) {
                    w[j] /= sum;
                }
                first[i] = from;
                weights[i] = w;
            }
            return new Filter(first, weights);
        }
    }

    /// `image` at `height` x `width` `[height, width, channels]`, in [0, 1]; columns are filtered first, then rows.
    public static float[] resize(Image image, int height, int width) {
        Extent e = image.extent();
        int c = e.channels();
        float[] narrow = new float[e.height() * width * c];
        Filter across = Filter.of(e.width(), width);
        for (int h = 0; h < e.height(); h++) {
            for (int w = 0; w < width; w++) {
                double[] weights = across.weights()[w];
                int start = (h * e.width() + across.first()[w]) * c;
                for (int k = 0; k < c; k++) {
                    double sum = 0;
                    for (int j = 0; j < weights.length; j++) {
                        sum += weights[j] * image.unit(start + j * c + k);
                    }
                    narrow[(h * width + w) * c + k] = (float) sum;
                }
            }
        }
        return rows(narrow, Filter.of(e.height(), height), width * c);
    }

    private static float[] rows(float[] in, Filter down, int row) {
        float[] out = new float[down.first().length * row];
        for (int h = 0; h < down.first().length; h++) {
            double[] weights = down.weights()[h];
            for (int k = 0; k < row; k++) {
                double sum = 0;
                for (int j = 0; j < weights.length; j++) {
                    sum += weights[j] * in[(down.first()[h] + j) * row + k];
                }
                out[h * row + k] = (float) sum;
            }
        }
        return out;
    }
}
