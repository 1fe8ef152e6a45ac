package dev.rote.tools.study;

import dev.rote.config.DataConfig;
import dev.rote.config.MeasureConfig;
import dev.rote.config.RunConfig;
import dev.rote.data.TrainingData;
import dev.rote.tools.cli.Images;
import dev.rote.tools.features.Features;
import java.util.HashMap;
import java.util.Map;

/// Images and features of runs that are trained together, each loaded once.
final class LoadedImages implements AutoCloseable {
    /// What a run trains on and is measured in.
    record Loaded(TrainingData data, Features features) {}

    private record Wanted(DataConfig data, MeasureConfig measure) {}

    private final Map<Wanted, Loaded> loaded = new HashMap<>();

    /// Stays open until this is closed.
    ///
    /// @throws dev.rote.errors.DataException for bad files or too few images
    Loaded of(RunConfig config, int threads) throws InterruptedException {
        Wanted wanted = new Wanted(config.data(), config.measure());
        Loaded known = loaded.get(wanted);
        if (known == null) {
            TrainingData data = Images.load(config.data());
            boolean complete = false;
            try {
                known = new Loaded(data, Features.of(config.measure(), data.train(), threads));
                complete = true;
            } finally {
                if (!complete) {
                    data.close();
                }
            }
            loaded.put(wanted, known);
        }
        return known;
    }

    @Override
    public void close() {
        for (Loaded each : loaded.values()) {
            each.features().close();
            each.data().close();
        }
        loaded.clear();
    }
}
