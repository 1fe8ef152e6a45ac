package dev.rote.metrics;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Features of an untrained network with fixed random weights: 3x3 convolution to 16 channels, ReLU, 2x2 mean pooling,
/// 3x3
/// convolution to 16 channels, ReLU, then the mean of each channel over each quarter of the image: 64 features. Both
/// convolutions pad with zeros; filters are Gaussian with variance 2 / fan-in (He et al. 2015, arXiv:1502.01852), and
/// every filter of the first layer has mean 0, so that it answers to contrast and not to brightness.
///
/// Random filters carry texture statistics surprisingly well (Ustyuzhaninov et al. 2016, arXiv:1606.00021). A stand-in,
/// as
/// [PixelPca] is: report it as "Fréchet distance on random convolution features (not FID)".
public final class RandomConvolution implements FeatureExtractor {
    private static final int CHANNELS = 16;
    private static final int REACH = 3;
    private static final int TAPS = REACH * REACH;
    private static final long SEED = 0x524f5445;

    private final int height;
    private final int width;
    private final int channels;
    private final float[] first; // [R, S, C, K]
    private final float[] second; // [R, S, K, K]

    /// For images `[height, width, channels]` of at least 4 x 4.
    public RandomConvolution(int height, int width, int channels) {
        if (height < 4 || width < 4 || channels < 1) {
            throw new IllegalArgumentException("random convolution: expected images of at least 4 x 4 x 1, got "
                    + height + " x " + width + " x " + channels);
        }
        this.height = height;
        this.width = width;
        this.channels = channels;
        SplitMix64 random = new SplitMix64(SEED);
        first = gaussian(random, channels);
        removeMeans(first);
        second = gaussian(random, CHANNELS);
    }

    @Override
    public String name() {
        return "Fréchet distance on random convolution features (not FID)";
    }

    @Override
    public int dimension() {
        return 4 * CHANNELS;
    }

    @Override
    public Rows features(Rows images, int threads) throws InterruptedException {
        int size = height * width * channels;
        if (images.dimension() != size) {
            throw new IllegalArgumentException("random convolution: expected images of " + height + " x " + width
                    + " x " + channels + " = " + size + " values, got " + images.dimension());
        }
        float[] features = new float[Math.multiplyExact(images.count(), dimension())];
        Workers.run(threads, images.count(), i -> {
            float[] image = new float[size];
            images.copy(i, 0, size, image, 0);
            float[] fine = rectifiedConvolution(planes(image), height, width, channels, first);
            float[] coarse = rectifiedConvolution(halved(fine), height / 2, width / 2, CHANNELS, second);
            pool(coarse, height / 2, width / 2, features, i * dimension());
        });
        return Rows.of(features, dimension());
    }

    /// An image `[H, W, C]` as planes `[C, H + 2, W + 2]` with a margin of zeros.
    private float[] planes(float[] image) {
        int stride = width + 2;
        float[] planes = new float[channels * (height + 2) * stride];
        for (int i = 0; i < image.length; i++) {
            int row = i / channels / width;
            int column = i / channels % width;
            planes[(i % channels * (height + 2) + row + 1) * stride + column + 1] = image[i];
        }
        return planes;
    }

    /// Each filter slides over a whole plane at once, tap after tap, channel after channel: long loops
    /// for vectors. A tap in the margin adds 0, which changes no bit.
    ///
    /// @param planes `[C, H + 2, W + 2]`
    /// @return `[K, H, W + 2]`; the last two columns mean nothing
    private static float[] rectifiedConvolution(float[] planes, int height, int width, int channels, float[] filter) {
        int stride = width + 2;
        int pixels = height * stride;
        float[] y = new float[CHANNELS * pixels];
        float[] sums = new float[pixels - 2];
        for (int k = 0; k < CHANNELS; k++) {
            Arrays.fill(sums, 0);
            for (int tap = 0; tap < TAPS; tap++) {
                int shift = tap / REACH * stride + tap % REACH;
                for (int c = 0; c < channels; c++) {
                    addShifted(
                            planes,
                            c * (height + 2) * stride + shift,
                            filter[(tap * channels + c) * CHANNELS + k],
                            sums);
                }
            }
            for (int i = 0; i < sums.length; i++) {
                y[k * pixels + i] = Math.max(0, sums[i]);
            }
        }
        return y;
    }

    private static void addShifted(float[] x, int from, float weight, float[] sums) {
        int done = SimdSupport.AVAILABLE ? Lanes.addShifted(x, from, weight, sums) : 0;
        for (int i = done; i < sums.length; i++) {
            sums[i] += x[from + i] * weight;
        }
    }

    /// The same for as many sums as fill vectors. A class of its own: it is loaded only where the incubator module is
    /// present.
    private static final class Lanes {
        private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;

        static int addShifted(float[] x, int from, float weight, float[] sums) {
            int bound = SPECIES.loopBound(sums.length);
            for (int i = 0; i < bound; i += SPECIES.length()) {
                FloatVector products =
                        FloatVector.fromArray(SPECIES, x, from + i).mul(weight);
                FloatVector.fromArray(SPECIES, sums, i).add(products).intoArray(sums, i);
            }
            return bound;
        }
    }

    /// Mean of 2 x 2 pixels; an odd last row or column is dropped.
    ///
    /// @param x `[K, H, W + 2]`
    /// @return `[K, H / 2 + 2, W / 2 + 2]` with a margin of zeros
    private float[] halved(float[] x) {
        int rows = height / 2;
        int columns = width / 2;
        int stride = width + 2;
        float[] y = new float[CHANNELS * (rows + 2) * (columns + 2)];
        for (int k = 0; k < CHANNELS; k++) {
            for (int row = 0; row < rows; row++) {
                int at = (k * height + 2 * row) * stride;
                int to = (k * (rows + 2) + row + 1) * (columns + 2) + 1;
                for (int column = 0; column < columns; column++, at += 2) {
                    int below = at + stride;
                    y[to + column] = 0.25f * ((x[at] + x[at + 1]) + (x[below] + x[below + 1]));
                }
            }
        }
        return y;
    }

    /// Mean of each channel over each quarter: `to[from + quarter * CHANNELS + k]`.
    ///
    /// @param x `[K, H, W + 2]`
    private static void pool(float[] x, int height, int width, float[] to, int from) {
        double[] sums = new double[4 * CHANNELS];
        int[] counts = new int[4];
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                int quarter = (2 * row < height ? 0 : 2) + (2 * column < width ? 0 : 1);
                counts[quarter]++;
                for (int k = 0; k < CHANNELS; k++) {
                    sums[quarter * CHANNELS + k] += x[(k * height + row) * (width + 2) + column];
                }
            }
        }
        for (int j = 0; j < sums.length; j++) {
            to[from + j] = (float) (sums[j] / counts[j / CHANNELS]);
        }
    }

    private static float[] gaussian(SplitMix64 random, int channels) {
        float[] filter = new float[TAPS * channels * CHANNELS];
        double sigma = Math.sqrt(2.0 / (TAPS * channels));
        for (int i = 0; i < filter.length; i++) {
            filter[i] = (float) (sigma * random.nextGaussian());
        }
        return filter;
    }

    private static void removeMeans(float[] filter) {
        int taps = filter.length / CHANNELS;
        for (int k = 0; k < CHANNELS; k++) {
            double sum = 0;
            for (int t = 0; t < taps; t++) {
                sum += filter[t * CHANNELS + k];
            }
            for (int t = 0; t < taps; t++) {
                filter[t * CHANNELS + k] -= (float) (sum / taps);
            }
        }
    }
}
