package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.graph.DType;
import dev.rote.train.Blueprint;
import dev.rote.train.ModelState;
import dev.rote.train.Replicas;
import dev.rote.train.Trainer;
import dev.rote.train.TrainingListener;
import dev.rote.train.TrainingStep;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Networks for images that are trained as one program, of other seeds, images and learning rates.
class CudaReplicasTest extends OnCudaDevice {
    private static final int UPDATES = 2;

    @AfterEach
    void beOfCapability80() {
        StandIn.loaded().ifPresent(standIn -> standIn.set("capability", 80));
    }

    private static RunConfig config(int width, int size, String more) {
        return RunConfig.parse("""
                device = "cuda"
                [data]
                source = "x"
                size = %d
                [model]
                family = "unet-study1"
                width = %d
                multipliers = [1, 2]
                blocks = 1
                dropout = 0.1
                [train]
                batch = 2
                steps = 1000
                %s
                [measure]
                metrics = []
                """.formatted(size, width, more), "test");
    }

    private static TrainingData data(int images, int size) {
        Extent extent = new Extent(size, size, 1);
        byte[] pixels = new byte[images * extent.size()];
        new Random(images).nextBytes(pixels);
        int[] indices = new int[images];
        return new TrainingData(
                Dataset.of(images, extent, pixels),
                Dataset.of(images, extent, pixels),
                0,
                indices,
                indices,
                0,
                DataOptions.of("x"));
    }

    /// What a run has learned: parameters, then losses.
    private static List<float[]> learned(Trainer trainer) {
        return List.of(
                trainer.model().buffer("parameters").readFloats(),
                trainer.model().losses(0, UPDATES));
    }

    private static void train(Trainer trainer) {
        trainer.train(UPDATES, TrainingListener.silent());
    }

    /// The kernels for 9.0, whose gradients and enlarged images have four planes a grid, and the portable ones.
    @ParameterizedTest
    @CsvSource({
        "80, 8, 8, 'optimizer = \"adam\"\nprecision = \"f32\"\nema = 0.9\nclip = 1.0'",
        "80, 8, 8, 'optimizer = \"sgd\"\nprecision = \"bf16\"'",
        "90, 32, 16, 'optimizer = \"sgd\"\nprecision = \"bf16\"'"
    })
    void eachHasTheBitsThatItHasAlone(int capability, int width, int size, String train) throws InterruptedException {
        StandIn.loaded().ifPresent(standIn -> standIn.set("capability", capability));
        List<RunConfig> configs = List.of(
                config(width, size, train).with("seed", "1"),
                config(width, size, train).with("seed", "2").with("train.lr", "0.02"));
        try (CudaDevice device = CudaDevice.open(0);
                TrainingData few = data(4, size);
                TrainingData more = data(7, size)) {
            List<TrainingData> images = List.of(few, more);
            List<List<float[]>> alone = new ArrayList<>();
            for (int run = 0; run < configs.size(); run++) {
                try (Trainer trainer = Trainer.open(device, configs.get(run), images.get(run))) {
                    train(trainer);
                    alone.add(learned(trainer));
                }
            }
            Replicas replicas = new Replicas(device);
            List<Trainer> trainers = new ArrayList<>();
            for (int run = 0; run < configs.size(); run++) {
                trainers.add(replicas.open(configs.get(run), images.get(run)));
            }
            List<Thread> threads = trainers.stream()
                    .map(trainer -> Thread.ofPlatform().start(() -> train(trainer)))
                    .toList();
            for (Thread thread : threads) {
                thread.join();
            }
            for (int run = 0; run < configs.size(); run++) {
                try (Trainer trainer = trainers.get(run)) {
                    assertThat(learned(trainer)).as("run %d", run).containsExactlyElementsOf(alone.get(run));
                }
            }
            assertThat(alone.get(0).getFirst()).isNotEqualTo(alone.get(1).getFirst());
        }
    }

    /// A step of several runs is as many launches as that of one; the kernels for 9.0 of enlarged images have four
    /// planes.
    @ParameterizedTest
    @CsvSource({"80, 8, 8", "90, 32, 16"})
    void everyLaunchOfAStepIsShared(int capability, int width, int size) {
        StandIn.loaded().ifPresent(standIn -> standIn.set("capability", capability));
        RunConfig config = config(width, size, "optimizer = \"sgd\"\nprecision = \"bf16\"");
        List<CudaMemory> memories = new ArrayList<>();
        List<ModelState> models = new ArrayList<>();
        List<Buffer> resident = new ArrayList<>();
        try (CudaDevice device = CudaDevice.open(0);
                TrainingData few = data(4, size);
                TrainingData more = data(7, size)) {
            List<ReplicaLaunches.Program> programs = new ArrayList<>();
            for (TrainingData data : List.of(few, more)) {
                Blueprint blueprint = Blueprint.of(config, data.train());
                TrainingStep step = TrainingStep.plan(
                        device, blueprint, data.train(), new TrainingStep.Draw(2, 1, false, data.hashCode()));
                ModelState model =
                        ModelState.open(device, step.layout(), blueprint.precision(), blueprint.optimizer(), 1);
                models.add(model);
                Buffer images = device.allocate(
                        "images", DType.U8, (long) size * size * data.train().count());
                resident.add(images);
                Map<String, Buffer> bindings = new HashMap<>(model.bindings());
                bindings.put(TrainingStep.DATA, images);
                Device.Part part = step.part(bindings);
                CudaMemory memory = new CudaMemory(device, "test", part.plan(), bindings);
                memories.add(memory);
                programs.add(new ReplicaLaunches.Program(
                        part.plan(),
                        memory,
                        new CudaLowering(memory, device.tensorCores())
                                .lower(part.plan().nodes())));
            }
            List<ReplicaLaunches.Program> merged = new ReplicaLaunches(device.kernels()::has).merge(programs);
            assertThat(merged).hasSize(1);
            List<KernelLaunch> launches = merged.getFirst().lowered().stream()
                    .flatMap(lowered -> lowered.launches().stream())
                    .map(launch -> (KernelLaunch) launch)
                    .toList();
            assertThat(launches).hasSizeGreaterThan(100).allMatch(launch -> launch.kernel()
                    .endsWith("_replicas"));
            List<KernelLaunch> planes =
                    launches.stream().filter(launch -> launch.grid().z() != 2).toList();
            if (device.tensorCores().sm90() && width == 32) {
                assertThat(planes).isNotEmpty().allMatch(launch -> launch.grid().z() == 8);
            } else {
                assertThat(planes).isEmpty();
            }
        } finally {
            memories.forEach(CudaMemory::close);
            models.forEach(ModelState::close);
            resident.forEach(Buffer::close);
        }
    }
}
