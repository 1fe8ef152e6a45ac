package dev.rote.metrics;

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
            float[] fine = rectifiedConvolution(image, height, width, channels, first);
            float[] coarse = rectifiedConvolution(halved(fine), height / 2, width / 2, CHANNELS, second);
            pool(coarse, height / 2, width / 2, features, i * dimension());
        });
        return Rows.of(features, dimension());
    }

    private static float[] rectifiedConvolution(float[] x, int height, int width, int channels, float[] filter) {
        float[] y = new float[height * width * CHANNELS];
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                int at = (row * width + column) * CHANNELS;
                for (int tap = 0; tap < TAPS; tap++) {
                    int fromRow = row + tap / REACH - 1;
                    int fromColumn = column + tap % REACH - 1;
                    if (fromRow >= 0 && fromRow < height && fromColumn >= 0 && fromColumn < width) {
                        addTap(x, (fromRow * width + fromColumn) * channels, channels, filter, tap, y, at);
                    }
                }
                for (int k = 0; k < CHANNELS; k++) {
                    y[at + k] = Math.max(0, y[at + k]);
                }
            }
        }
        return y;
    }

    private static void addTap(float[] x, int from, int channels, float[] filter, int tap, float[] y, int at) {
        for (int c = 0; c < channels; c++) {
            float value = x[from + c];
            int weights = (tap * channels + c) * CHANNELS;
            for (int k = 0; k < CHANNELS; k++) {
                y[at + k] += value * filter[weights + k];
            }
        }
    }

    /// Mean of 2 x 2 pixels; an odd last row or column is dropped.
    private float[] halved(float[] x) {
        int rows = height / 2;
        int columns = width / 2;
        float[] y = new float[rows * columns * CHANNELS];
        for (int i = 0; i < y.length; i++) {
            int row = i / (columns * CHANNELS);
            int column = i / CHANNELS % columns;
            int at = (2 * row * width + 2 * column) * CHANNELS + i % CHANNELS;
            int below = at + width * CHANNELS;
            y[i] = 0.25f * ((x[at] + x[at + CHANNELS]) + (x[below] + x[below + CHANNELS]));
        }
        return y;
    }

    /// Mean of each channel over each quarter: `to[from + quarter * CHANNELS + k]`.
    private static void pool(float[] x, int height, int width, float[] to, int from) {
        double[] sums = new double[4 * CHANNELS];
        int[] counts = new int[4];
        for (int row = 0; row < height; row++) {
            for (int column = 0; column < width; column++) {
                int quarter = (2 * row < height ? 0 : 2) + (2 * column < width ? 0 : 1);
                counts[quarter]++;
                for (int k = 0; k < CHANNELS; k++) {
                    sums[quarter * CHANNELS + k] += x[(row * width + column) * CHANNELS + k];
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
