package dev.rote.bench;

import dev.rote.data.Dataset;
import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.graph.DType;
import dev.rote.train.Blueprint;
import dev.rote.train.ModelState;
import dev.rote.train.TrainingStep;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// One training step of a [Study], or of several that are one program, ready to run: the images are resident, and a
/// step is what [TrainingStep] says.
final class StudyOneStep implements AutoCloseable {
    private final Device device;
    private final List<ModelState> models = new ArrayList<>();
    private final Program program;
    private int steps;

    /// @param name device, `cpu` or `cuda`
    /// @param threads of the CPU, 0 for one per available processor
    StudyOneStep(Study study, String name, int threads) {
        this(study, name, threads, 1);
    }

    /// @param replicas how many networks of other seeds are one program, as `rote study --replicas` trains them
    StudyOneStep(Study study, String name, int threads, int replicas) {
        device = study.open(name, threads);
        try (Dataset images = Study.images()) {
            Buffer resident = device.allocate("images", DType.U8, (long) Study.IMAGES * Study.EXTENT.size());
            resident.write(0, images.values());
            List<TrainingStep> plans = new ArrayList<>();
            List<Map<String, Buffer>> bindings = new ArrayList<>();
            Blueprint blueprint = study.blueprint();
            for (int number = 0; number < replicas; number++) {
                TrainingStep step = study.plan(device, images, Study.SEED + number);
                ModelState model = ModelState.open(
                        device, step.layout(), blueprint.precision(), blueprint.optimizer(), Study.SEED + number);
                models.add(model);
                plans.add(step);
                Map<String, Buffer> bound = new HashMap<>(model.bindings());
                bound.put(TrainingStep.DATA, resident);
                bindings.add(bound);
            }
            program = replicas == 1
                    ? plans.getFirst().compile(device, bindings.getFirst())
                    : device.together(
                            "training steps",
                            IntStream.range(0, replicas)
                                    .mapToObj(number -> plans.get(number).part(bindings.get(number)))
                                    .toList());
        }
    }

    /// One update; on CUDA it is only begun.
    void run() {
        program.run();
        steps++;
    }

    /// Waits for the updates that were begun.
    int await() {
        return models.getLast().step();
    }

    /// Says which processor and libraries run.
    String describe() {
        return device.describe();
    }

    /// @throws AssertionError unless of each network every step was counted, every loss is finite and the losses
    /// fall: the
    ///     mean of the last quarter is below the first loss
    void check() {
        models.forEach(this::check);
    }

    private void check(ModelState model) {
        float[] losses = model.losses(Math.max(0, steps - ModelState.RING), steps);
        if (model.step() != steps || losses.length < 4) {
            throw new AssertionError("expected " + steps + " updates, at least 4, found " + model.step());
        }
        double last = 0;
        int quarter = losses.length / 4;
        for (int step = 0; step < losses.length; step++) {
            if (!Float.isFinite(losses[step])) {
                throw new AssertionError("loss of step " + step + ": expected a finite value, found " + losses[step]);
            }
            last += step >= losses.length - quarter ? losses[step] / quarter : 0;
        }
        if (!(last < losses[0])) {
            throw new AssertionError("losses: expected to fall below " + losses[0] + ", found " + last);
        }
    }

    @Override
    public void close() {
        program.close();
        models.forEach(ModelState::close);
        device.close();
    }
}
