package dev.rote.tools.study;

import dev.rote.config.DataConfig;
import dev.rote.config.RunConfig;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.errors.DataException;
import dev.rote.errors.EnvironmentException;
import dev.rote.measure.MeasuredRun;
import dev.rote.measure.Measurement;
import dev.rote.measure.RunListener;
import dev.rote.storage.SafeTensors;
import dev.rote.storage.SafeTensorsFile;
import dev.rote.tools.cli.Devices;
import dev.rote.tools.cli.Images;
import dev.rote.tools.cli.ProgressListener;
import dev.rote.tools.features.Features;
import dev.rote.tools.report.RunStatus;
import dev.rote.train.Replicas;
import dev.rote.train.RunFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/// Works off the runs of a study, several side by side, each on a device of its own with its share of the threads.
///
/// A run that fails does not stop the others. Runs that are complete already are left alone.
public final class StudyRunner {
    /// Is told of every change, by the threads that run.
    public interface Progress {
        void changed(Grid.Run run, RunStatus status, Optional<Measurement> measurement);

        /// A run was loaded or resumed, is measuring, or similar.
        void detail(Grid.Run run, String text);
    }

    private final StudyFile study;
    private final Path folder;
    private final int jobs;
    private final int threads;
    private final int replicas;
    private final Map<String, String> recorded;
    private final Progress progress;
    private final Map<String, RunStatus> states = new ConcurrentHashMap<>();
    private final Map<String, Throwable> failures = new ConcurrentHashMap<>();
    private final Map<String, MeasuredRun> open = new ConcurrentHashMap<>();
    private volatile boolean cancelled;

    /// @param threads of each run
    /// @param recorded facts for each `run.toml`
    public StudyRunner(
            StudyFile study, Path folder, int jobs, int threads, Map<String, String> recorded, Progress progress) {
        this(study, folder, jobs, threads, 1, recorded, progress);
    }

    /// @param threads of each run
    /// @param replicas most runs of one network that are trained as one program, see [Replicas]
    /// @param recorded facts for each `run.toml`
    public StudyRunner(
            StudyFile study,
            Path folder,
            int jobs,
            int threads,
            int replicas,
            Map<String, String> recorded,
            Progress progress) {
        this.study = study;
        this.folder = folder;
        this.jobs = jobs;
        this.threads = threads;
        this.replicas = replicas;
        this.recorded = recorded;
        this.progress = progress;
    }

    /// Status of a run that this runner has touched.
    Optional<RunStatus> status(Grid.Run run) {
        return Optional.ofNullable(states.get(run.name()));
    }

    /// What runs failed with, by name.
    public Map<String, Throwable> failures() {
        return Map.copyOf(failures);
    }

    public Path runFolder(Grid.Run run) {
        return folder.resolve("runs").resolve(run.name());
    }

    /// Asks all runs to save and stop; from any thread.
    public void cancel() {
        cancelled = true;
        open.values().forEach(MeasuredRun::cancel);
    }

    /// Looks whether the folder holds these runs, or shorter ones that may be extended, and no others; reads only.
    ///
    /// @throws dev.rote.errors.DataException if a run that is there has another configuration
    public void requireSameRuns() {
        for (Grid.Run run : study.runs()) {
            RunFolder.requireSame(runFolder(run), run.config());
        }
    }

    /// Runs everything that is not complete, the longest first.
    ///
    /// @return true if every run is complete
    public boolean run() throws InterruptedException {
        List<Grid.Run> pending = new ArrayList<>();
        List<Grid.Run> complete = new ArrayList<>();
        for (Grid.Run run : study.runs()) {
            try {
                boolean over = RunRecord.read(runFolder(run))
                        .complete(run.config().train().steps());
                (over ? complete : pending).add(run);
            } catch (DataException e) {
                fail(run, 0, e);
            }
        }
        requireSameImages(complete);
        // Else each run would say by itself that there is no such device.
        pending.stream()
                .map(run -> Devices.Wanted.of(run.config()).plain())
                .distinct()
                .forEach(Devices::require);
        pending.sort(Comparator.comparing((Grid.Run run) -> run.config().train().steps())
                .reversed());
        Queue<List<Grid.Run>> queue = new ConcurrentLinkedQueue<>(ReplicaGroups.of(pending, replicas, jobs));
        List<Thread> workers = new ArrayList<>();
        for (int job = 0; job < Math.min(jobs, queue.size()); job++) {
            workers.add(new Thread(() -> work(queue), "study-job-" + job));
        }
        workers.forEach(Thread::start);
        for (Thread worker : workers) {
            worker.join();
        }
        return !cancelled && failures.isEmpty();
    }

    /// A run that is complete is not trained again, so nobody else would notice that its images are others now.
    private void requireSameImages(List<Grid.Run> complete) {
        Map<DataConfig, String> hashes = new HashMap<>();
        for (Grid.Run run : complete) {
            Path checkpoint = checkpoint(run, run.config().train().steps());
            if (!Files.exists(checkpoint)) {
                continue;
            }
            try (SafeTensorsFile file = SafeTensors.open(checkpoint)) {
                String recorded = file.metadata().get("rote.data");
                String found = hashes.computeIfAbsent(run.config().data(), StudyRunner::hash);
                if (recorded != null && !found.equals(recorded)) {
                    throw DataException.expected(
                            checkpoint,
                            "__metadata__ rote.data",
                            found + " (the training images of data.source now)",
                            recorded + " (those that the run was trained on)");
                }
            } catch (EnvironmentException e) {
                progress.detail(run, "images not compared with those of the run: " + e.getMessage());
            } catch (DataException e) {
                fail(run, run.config().train().steps(), e);
            }
        }
    }

    private static String hash(DataConfig config) {
        try (TrainingData data = Images.load(config)) {
            return data.train().contentHash();
        }
    }

    private Path checkpoint(Grid.Run run, int step) {
        return runFolder(run).resolve("checkpoints").resolve(step + ".safetensors");
    }

    private void fail(Grid.Run run, int step, Throwable reason) {
        failures.put(run.name(), reason);
        change(run, RunStatus.State.FAILED, step, reason.getMessage(), Optional.empty());
    }

    private void work(Queue<List<Grid.Run>> queue) {
        for (List<Grid.Run> group = queue.poll(); group != null && !cancelled; group = queue.poll()) {
            Grid.Run first = group.getFirst();
            try {
                if (group.size() == 1) {
                    execute(first);
                } else {
                    executeTogether(group, queue);
                }
            } catch (RuntimeException | Error e) {
                group.stream()
                        .filter(run -> !states.containsKey(run.name())
                                || states.get(run.name()).state() == RunStatus.State.RUNNING)
                        .forEach(run -> fail(run, lastStep(run), e));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /// The last step that the records speak of; 0 when they are what is wrong.
    private int lastStep(Grid.Run run) {
        try {
            return RunRecord.read(runFolder(run)).step();
        } catch (DataException | EnvironmentException e) {
            return 0;
        }
    }

    private void execute(Grid.Run run) throws InterruptedException {
        RunConfig config = run.config().with("threads", Integer.toString(threads));
        progress.detail(run, "loading");
        try (TrainingData data = Images.load(config.data());
                Features features = Features.of(config.measure(), data.train(), threads);
                Device device = Devices.open(Devices.Wanted.of(config), notice -> progress.detail(run, notice));
                MeasuredRun measured = MeasuredRun.open(
                        device, config, data, features.extractor(), runFolder(run), recorded, new Listener(run))) {
            open.put(run.name(), measured);
            if (cancelled) {
                measured.cancel();
            }
            boolean complete = measured.run();
            RunStatus.State state = complete ? RunStatus.State.FINISHED : RunStatus.State.STOPPED;
            change(run, state, measured.step(), "", Optional.empty());
        } finally {
            open.remove(run.name());
        }
    }

    /// Several runs on one device, whose updates are one program. On a CPU each has one thread; the way to use more is
    /// more jobs. A run that does not fit beside the others follows by itself.
    private void executeTogether(List<Grid.Run> group, Queue<List<Grid.Run>> queue) throws InterruptedException {
        RunConfig common = together(group.getFirst());
        group.forEach(run -> progress.detail(run, "loading"));
        try (LoadedImages images = new LoadedImages();
                Device device =
                        Devices.open(Devices.Wanted.of(common), notice -> progress.detail(group.getFirst(), notice))) {
            Replicas together = new Replicas(device);
            Map<Grid.Run, MeasuredRun> members = new LinkedHashMap<>();
            boolean opened = false;
            try {
                for (Grid.Run run : group) {
                    try {
                        members.put(run, open(run, device, images.of(run.config(), threads), together));
                    } catch (EnvironmentException e) {
                        if (members.isEmpty()) {
                            fail(run, lastStep(run), e);
                        } else {
                            progress.detail(run, "later, alone: " + e.getMessage());
                            queue.add(List.of(run));
                        }
                    } catch (RuntimeException | Error e) {
                        fail(run, lastStep(run), e);
                    }
                }
                opened = true;
            } finally {
                if (!opened) {
                    members.forEach((run, member) -> close(run, member));
                }
            }
            if (cancelled) {
                open.values().forEach(MeasuredRun::cancel);
            }
            List<Thread> workers = new ArrayList<>();
            members.forEach(
                    (run, member) -> workers.add(new Thread(() -> finish(run, member), "study-run-" + run.name())));
            workers.forEach(Thread::start);
            for (Thread worker : workers) {
                worker.join();
            }
        }
    }

    private RunConfig together(Grid.Run run) {
        return run.config().with("threads", Integer.toString(Devices.isGpu(run.config()) ? threads : 1));
    }

    private MeasuredRun open(Grid.Run run, Device device, LoadedImages.Loaded loaded, Replicas together) {
        MeasuredRun member = MeasuredRun.open(
                device,
                together(run),
                loaded.data(),
                loaded.features().extractor(),
                runFolder(run),
                recorded,
                Optional.of(together),
                new Listener(run));
        open.put(run.name(), member);
        return member;
    }

    private void close(Grid.Run run, MeasuredRun member) {
        open.remove(run.name());
        member.close();
    }

    private void finish(Grid.Run run, MeasuredRun opened) {
        try (opened) {
            boolean complete = opened.run();
            RunStatus.State state = complete ? RunStatus.State.FINISHED : RunStatus.State.STOPPED;
            change(run, state, opened.step(), "", Optional.empty());
        } catch (RuntimeException | Error e) {
            fail(run, lastStep(run), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            open.remove(run.name());
        }
    }

    private void change(
            Grid.Run run, RunStatus.State state, long step, String note, Optional<Measurement> measurement) {
        RunStatus status = new RunStatus(state, step, run.config().train().steps(), note == null ? "" : note);
        states.put(run.name(), status);
        progress.changed(run, status, measurement);
    }

    private final class Listener implements RunListener {
        private final Grid.Run run;

        Listener(Grid.Run run) {
            this.run = run;
        }

        @Override
        public void onLosses(int step, float[] losses, double imagesPerSecond) {
            change(run, RunStatus.State.RUNNING, step, "", Optional.empty());
        }

        @Override
        public void onResume(int step, Path checkpoint) {
            progress.detail(run, "resumes at step " + step);
        }

        @Override
        public void onOtherDevice(String before, String now) {
            progress.detail(run, ProgressListener.otherDevice(before, now));
        }

        @Override
        public void onMeasuring(int step, int done, int total) {
            progress.detail(run, "measuring at step " + step);
        }

        @Override
        public void onMeasurement(Measurement measurement) {
            change(run, RunStatus.State.RUNNING, measurement.step(), "", Optional.of(measurement));
        }

        @Override
        public void onCheckpoint(int step, Path path) {
            progress.detail(run, "saved step " + step);
        }
    }
}
