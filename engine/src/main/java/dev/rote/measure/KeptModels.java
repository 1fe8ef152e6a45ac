package dev.rote.measure;

import dev.rote.errors.EnvironmentException;
import dev.rote.storage.AtomicFile;
import dev.rote.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.stream.Stream;

/// The weights at the checks of a run that may stop early: `candidates/STEP.safetensors` while it trains, and
/// `best.safetensors` at the end, each whole or not at all. They are the averaged weights where those are measured, in
/// the form of [Trainer#saveWeights].
final class KeptModels {
    /// A posterior moves when more is seen; models this many times younger than the kept one may still be chosen.
    private static final int LOOKBACK = 4;

    private static final String ENDING = ".safetensors";

    private final Path folder;
    private final Path best;

    KeptModels(Path run) {
        folder = run.resolve("candidates");
        best = run.resolve("best" + ENDING);
    }

    /// The model that is kept in the end.
    Path best() {
        return best;
    }

    void save(Trainer trainer) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new EnvironmentException("cannot create the folder " + folder + ": " + e.getMessage(), e);
        }
        trainer.saveWeights(file(trainer.step()), trainer.config().measure().ema());
    }

    /// Removes what will not be chosen any more.
    void forget(OptionalInt kept) {
        if (kept.isPresent()) {
            removeBefore(kept.getAsInt() / LOOKBACK);
        }
    }

    /// The end: one of the candidates becomes the best one, and all of them go.
    void choose(OptionalInt kept) {
        if (kept.isPresent() && Files.exists(file(kept.getAsInt()))) {
            Path chosen = file(kept.getAsInt());
            AtomicFile.write(best, channel -> {
                try (var from = java.nio.channels.FileChannel.open(chosen)) {
                    from.transferTo(0, from.size(), channel);
                }
            });
        }
        removeBefore(Integer.MAX_VALUE);
    }

    private void removeBefore(int step) {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.matches("[0-9]{1,9}\\.safetensors")
                        && Integer.parseInt(name.substring(0, name.length() - ENDING.length())) < step) {
                    Files.delete(file);
                }
            }
        } catch (IOException e) {
            throw new EnvironmentException("cannot remove models in " + folder + ": " + e.getMessage(), e);
        }
    }

    private Path file(int step) {
        return folder.resolve(step + ENDING);
    }
}
