package dev.rote.tools.cli;

import dev.rote.config.ConfigTree;
import dev.rote.config.RunConfig;
import dev.rote.data.TrainingData;
import dev.rote.errors.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/// The configuration of those who give nothing but images.
final class UsualRun {
    private static final int MOST_HELD_OUT = 2048;

    private UsualRun() {}

    static ConfigTree tree() {
        try (InputStream stream = UsualRun.class.getResourceAsStream("train.toml")) {
            return ConfigTree.parse(
                    new String(stream.readAllBytes(), StandardCharsets.UTF_8), "the usual configuration");
        } catch (IOException e) {
            throw new AssertionError("a resource of this program cannot be read", e);
        }
    }

    /// The same with a tenth of the images held out, at most 2,048.
    ///
    /// @throws DataException if there are fewer than 20 images
    static ConfigTree heldOut(ConfigTree tree) {
        RunConfig config = RunConfig.of(tree);
        int images;
        try (TrainingData data = Images.load(config.data())) {
            images = data.train().count();
        }
        if (images < 20) {
            throw new DataException(config.data().source() + ": expected at least 20 images, so that some can be held"
                    + " out, found " + images);
        }
        return tree.with("data.test", Integer.toString(Math.min(images / 10, MOST_HELD_OUT)));
    }
}
