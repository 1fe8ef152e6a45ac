package dev.rote.tools.study;

import dev.rote.config.RunConfig;
import dev.rote.data.TrainingData;
import java.nio.file.Path;
import java.util.Map;

/// The picture sheets of a run that belongs to no study: those that a study draws.
public final class RunSheets {
    private RunSheets() {}

    /// Draws `STEP-samples.png` and `STEP-neighbours.png` beside each stored `samples/STEP.safetensors` that has none;
    /// nothing if [dev.rote.tools.report.Lettering] is missing.
    ///
    /// @param folder of the run
    /// @param data the run's images
    /// @throws dev.rote.errors.EnvironmentException if the disk refuses
    public static void draw(Path folder, RunConfig config, TrainingData data) {
        Grid.Run run = new Grid.Run(config.name(), Map.of(), config);
        new StudySheets(config.measure().k().getFirst()).draw(folder, run, data);
    }
}
