package dev.rote.random;

/// What a draw is for: the last counter word, so that two uses of one seed and step never share a number. The codes
/// are part of what a seed means: they are never renumbered, new ones are added at the end.
///
/// A purpose that needs several independent sequences in one step (one for each dropout layer, say) takes
/// sub-streams: see [#streamStart(int)].
public enum Purpose {
    /// Gaussian noise added to training images.
    NOISE(0),
    /// Diffusion times of training images.
    TIME(1),
    /// Dropout masks; sub-stream = index of the dropout layer.
    DROPOUT(2),
    /// Order of training images within an epoch; block = epoch, step = 0.
    ORDER(3),
    /// Initial weights; sub-stream = index of the parameter, step = 0.
    INIT(4),
    /// Starting noise (sub-stream 0) and step noise (sub-stream 1) of samplers; step = number of the sampler's
    /// update, counted over all batches of a sampling. It never depends on the training step.
    SAMPLE(5),
    /// Noise for losses at fixed diffusion times; never depends on the training step.
    EVAL_NOISE(6),
    /// Resampling for bootstrap intervals.
    BOOTSTRAP(7),
    /// Random flips and crops of training images.
    AUGMENT(8),
    /// Which class labels are dropped for classifier-free guidance.
    LABEL_DROP(9),
    /// Random projections, as of the sliced Wasserstein distance.
    PROJECTION(10),
    /// Choice of subsets: which images are trained on, which are held out.
    SUBSET(11),
    /// Synthetic data sets: Gaussian mixtures, random hierarchy grammars, random features.
    SYNTHETIC(12),
    /// Token masking and replacement of discrete diffusion.
    MASK(13);

    private static final int STREAM_BITS = 34; // 2^34 elements are 2^32 blocks: the stream is the block's high word

    private final int code;

    Purpose(int code) {
        this.code = code;
    }

    /// The counter word.
    public int code() {
        return code;
    }

    /// First element of sub-stream `stream`; each holds 2^34 elements, and its number is the high counter word.
    ///
    /// @throws IllegalArgumentException unless `0 <= stream < 2^29`
    public static long streamStart(int stream) {
        if (stream < 0 || stream >= 1 << (63 - STREAM_BITS)) {
            throw new IllegalArgumentException("stream: expected 0 to 2^29 - 1, found " + stream);
        }
        return (long) stream << STREAM_BITS;
    }
}
