package dev.rote.train;

import dev.rote.config.RunConfig;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/// Seeds of one run, trained together to their ends.
///
/// @param losses of each seed, from the first update on
public record ReplicaRuns(List<float[]> losses) {
    /// @param config of all, with the seeds 0, 1, ... in place of its own
    /// @param steps updates of each seed
    public static ReplicaRuns train(Device device, RunConfig config, int seeds, IntUnaryOperator steps)
            throws InterruptedException {
        List<float[]> losses = new ArrayList<>();
        try (TrainingData data = MixtureRun.data(config)) {
            Replicas replicas = new Replicas(device);
            List<Thread> threads = new ArrayList<>();
            for (int seed = 0; seed < seeds; seed++) {
                Trainer trainer = replicas.open(config.with("seed", Integer.toString(seed)), data);
                losses.add(new float[0]);
                int number = seed;
                threads.add(new Thread(() -> {
                    try (trainer) {
                        trainer.train(steps.applyAsInt(number), TrainingListener.silent());
                        losses.set(number, trainer.model().losses(0, trainer.step()));
                    }
                }));
            }
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
        }
        return new ReplicaRuns(losses);
    }
}
