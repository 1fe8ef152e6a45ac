package dev.rote.train;

import dev.rote.config.RunConfig;
import dev.rote.config.TrainConfig;
import dev.rote.errors.DataException;
import dev.rote.errors.EnvironmentException;
import dev.rote.storage.AtomicFile;
import dev.rote.storage.JsonLines;
import dev.rote.storage.TensorBoardEvents;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;

/// The folder of a run, which survives kill -9 at any instant.
///
/// | file | what | how it is written |
/// |---|---|---|
/// | `run.toml` | complete configuration, versions | once, again when the run is extended, whole or not at all |
/// | `checkpoints/STEP.safetensors` | see [Trainer#save] | whole or not at all, then older ones are removed |
/// | `metrics.jsonl` | objects with `kind` and `step` | appended; a resume removes what is after its checkpoint |
/// | `events.out.tfevents.*` | the same for TensorBoard | one file per start |
/// | `samples/STEP.safetensors` | generated images | whole or not at all |
/// | `run.lock` | held while the run is open | |
public final class RunFolder implements AutoCloseable {
    private static final String ENDING = ".safetensors";

    private final Path folder;
    private final int keep;
    private final int steps;
    private final FileChannel lockFile;
    private final FileLock lock;
    private JsonLines metrics;
    private TensorBoardEvents events;

    private RunFolder(Path folder, TrainConfig train, FileChannel lockFile, FileLock lock) {
        this.folder = folder;
        this.keep = train.keep();
        this.steps = train.steps();
        this.lockFile = lockFile;
        this.lock = lock;
    }

    /// Creates the folder or opens the one of the same run, which may have been shorter: a larger `train.steps` extends
    /// it if the learning rate does not depend on that.
    ///
    /// @param recorded facts for `run.toml`: versions, device
    /// @throws DataException if the folder holds a run with another configuration, or is in use by another process
    /// @throws EnvironmentException if it cannot be written
    public static RunFolder open(Path folder, RunConfig config, Map<String, String> recorded) {
        createFolder(folder.resolve("checkpoints"));
        createFolder(folder.resolve("samples"));
        Path lockPath = folder.resolve("run.lock");
        FileChannel channel;
        FileLock lock;
        try {
            channel = FileChannel.open(lockPath, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new EnvironmentException("cannot write " + lockPath + ": " + e.getMessage(), e);
        }
        try {
            lock = channel.tryLock();
        } catch (OverlappingFileLockException e) {
            lock = null;
        } catch (IOException e) {
            throw new EnvironmentException("cannot lock " + lockPath + ": " + e.getMessage(), e);
        }
        if (lock == null) {
            closeQuietly(channel);
            throw new DataException(folder + ": this run is open in another process or trainer");
        }
        RunFolder opened = new RunFolder(folder, config.train(), channel, lock);
        boolean complete = false;
        try {
            opened.requireSameRun(config, recorded);
            complete = true;
            return opened;
        } finally {
            if (!complete) {
                opened.close();
            }
        }
    }

    private void requireSameRun(RunConfig config, Map<String, String> recorded) {
        Path file = folder.resolve("run.toml");
        if (!Files.exists(file)) {
            AtomicFile.write(file, config.toml(recorded).getBytes(StandardCharsets.UTF_8));
            return;
        }
        requireSame(folder, config);
        if (!RunConfig.read(file).hash().equals(config.hash())) {
            AtomicFile.write(file, config.toml(recorded).getBytes(StandardCharsets.UTF_8));
        }
    }

    /// Looks whether a folder may hold this run: it holds none, one of the same configuration, or a shorter one
    /// that may be extended. Reads only.
    ///
    /// @throws DataException if it holds a run with another configuration
    public static void requireSame(Path folder, RunConfig config) {
        Path file = folder.resolve("run.toml");
        if (!Files.exists(file)) {
            return;
        }
        RunConfig known = RunConfig.read(file);
        if (known.hash().equals(config.hash())
                || Extension.allows(config, known.hash(), known.train().steps())) {
            return;
        }
        if (Extension.isOnlyLength(known, config)) {
            throw new DataException(file + ": " + Extension.refusal(known, config));
        }
        throw DataException.expected(file, "configuration", "that of this run", difference(known, config));
    }

    private static String difference(RunConfig known, RunConfig wanted) {
        List<String> a = known.toml().lines().toList();
        List<String> b = wanted.toml().lines().toList();
        for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
            boolean compared = !a.get(i).startsWith("name")
                    && !a.get(i).startsWith("kernels")
                    && !a.get(i).startsWith("threads");
            if (compared && !a.get(i).equals(b.get(i))) {
                return "`" + a.get(i) + "` instead of `" + b.get(i) + "`; choose another folder";
            }
        }
        return "another one; choose another folder";
    }

    public Path path() {
        return folder;
    }

    /// Where the checkpoint of a step is or will be.
    public Path checkpoint(int step) {
        return folder.resolve("checkpoints").resolve(step + ENDING);
    }

    /// Where the generated images of a step are or will be.
    public Path samples(int step) {
        return folder.resolve("samples").resolve(step + ENDING);
    }

    /// The step of the newest checkpoint; empty if there is none.
    public OptionalInt newestCheckpoint() {
        List<Integer> steps = checkpointSteps();
        return steps.isEmpty() ? OptionalInt.empty() : OptionalInt.of(steps.getLast());
    }

    private List<Integer> checkpointSteps() {
        List<Integer> steps = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder.resolve("checkpoints"))) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.matches("[0-9]{1,9}\\.safetensors")) {
                    steps.add(Integer.parseInt(name.substring(0, name.length() - ENDING.length())));
                }
            }
        } catch (IOException e) {
            throw new EnvironmentException("cannot list " + folder.resolve("checkpoints") + ": " + e.getMessage(), e);
        }
        Collections.sort(steps);
        return steps;
    }

    /// Opens the records for appending; those after `step` are removed, since the run goes on from there.
    public void startRecording(int step, String host, Clock clock) {
        Path file = folder.resolve("metrics.jsonl");
        if (Files.exists(file)) {
            JsonLines.removeAfter(file, step);
            // The end of a run that was shorter.
            JsonLines.removeIf(
                    file,
                    record -> record.path("kind").asString("").equals("end")
                            && record.path("step").asInt(0) < steps);
        }
        boolean before = step > 0 || hasEvents();
        metrics = JsonLines.append(file, false);
        events = TensorBoardEvents.create(folder, host, clock);
        if (before) {
            // Also from step 0 on: a run that ended before its first checkpoint has left points behind.
            events.sessionStart(step + 1L);
        }
    }

    private boolean hasEvents() {
        try (Stream<Path> files = Files.list(folder)) {
            return files.anyMatch(file -> file.getFileName().toString().startsWith("events.out.tfevents."));
        } catch (IOException e) {
            throw new EnvironmentException("cannot list " + folder + ": " + e.getMessage(), e);
        }
    }

    /// Appends a record to `metrics.jsonl`.
    public void record(Map<String, ?> values) {
        metrics.write(values);
    }

    /// The event file of this start.
    public TensorBoardEvents events() {
        return events;
    }

    /// Saves a checkpoint of the trainer's step and removes all but the newest `train.keep`.
    ///
    /// @return where it is
    public Path save(Trainer trainer) {
        Path path = checkpoint(trainer.step());
        trainer.save(path);
        List<Integer> steps = checkpointSteps();
        for (int i = 0; keep > 0 && i < steps.size() - keep; i++) {
            try {
                Files.deleteIfExists(checkpoint(steps.get(i)));
            } catch (IOException e) {
                throw new EnvironmentException("cannot remove " + checkpoint(steps.get(i)) + ": " + e.getMessage(), e);
            }
        }
        return path;
    }

    private static void createFolder(Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new EnvironmentException("cannot create the folder " + folder + ": " + e, e);
        }
        if (!Files.isWritable(folder)) {
            throw new EnvironmentException("the folder " + folder + " is not writable");
        }
    }

    private static void closeQuietly(FileChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            throw new EnvironmentException("cannot close the lock file: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        if (metrics != null) {
            metrics.close();
        }
        if (events != null) {
            events.close();
        }
        try {
            lock.release();
        } catch (IOException e) {
            throw new EnvironmentException("cannot release the lock of " + folder + ": " + e.getMessage(), e);
        }
        closeQuietly(lockFile);
    }
}
