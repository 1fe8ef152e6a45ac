package dev.rote.tools.cli;

import dev.rote.config.DataConfig;
import dev.rote.data.DataOptions;

/// What `[data]` means for the reader of images.
public final class RunData {
    private RunData() {}

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
}
