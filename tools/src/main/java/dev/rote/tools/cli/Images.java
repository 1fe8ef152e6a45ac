package dev.rote.tools.cli;

import dev.rote.config.DataConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.TrainingData;

/// The images that a configuration names.
public final class Images {
    private Images() {}

    /// What [DataConfig] means for the reader of images.
    public static DataOptions options(DataConfig data) {
        return new DataOptions(
                data.source(),
                data.size(),
                data.gray(),
                data.n(),
                data.index(),
                data.test(),
                data.center(),
                (float) data.low(),
                (float) data.high(),
                data.flip(),
                data.shuffleSeed(),
                data.skipUnreadable());
    }

    /// Loads them; the caller closes them.
    ///
    /// @throws dev.rote.errors.DataException for bad files or too few images
    public static TrainingData load(DataConfig data) {
        return TrainingData.load(options(data));
    }
}
