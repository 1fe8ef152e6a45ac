package dev.rote.device.cuda;

import dev.rote.config.RunConfig;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.device.Buffer;
import dev.rote.device.Device;
import dev.rote.device.Program;
import dev.rote.graph.DType;
import dev.rote.train.Blueprint;
import dev.rote.train.ModelState;
import dev.rote.train.TrainingStep;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// A training step of the study's U-Net in bf16, on images of noise.
final class NoiseStep implements AutoCloseable {
    private static final int PIXELS = 1024;

    private final CudaDevice device;
    private final ModelState model;
    private final Buffer images;
    private final Map<String, Buffer> buffers;
    private final Device.Part part;

    NoiseStep(CudaDevice device, int width, int batch) {
        this.device = device;
        RunConfig config = RunConfig.parse("""
                device = "cuda"
                [data]
                source = "noise"
                [model]
                family = "unet-study1"
                width = %d
                dropout = 0.1
                [train]
                optimizer = "sgd"
                lr = 0.01
                batch = %d
                steps = 10
                precision = "bf16"
                """.formatted(width, batch), "test");
        byte[] pixels = new byte[batch * PIXELS];
        new Random(3).nextBytes(pixels);
        Dataset data = Dataset.of(batch, new Extent(32, 32, 1), pixels);
        Blueprint blueprint = Blueprint.of(config, data);
        TrainingStep step = TrainingStep.plan(device, blueprint, data, new TrainingStep.Draw(batch, 1, false, 1));
        model = ModelState.open(device, step.layout(), blueprint.precision(), blueprint.optimizer(), 1);
        images = device.allocate("images", DType.U8, pixels.length);
        images.write(0, MemorySegment.ofArray(pixels));
        buffers = new HashMap<>(model.bindings());
        buffers.put(TrainingStep.DATA, images);
        part = step.part(buffers);
    }

    /// What the step is lowered to.
    List<String> kernels() {
        try (CudaMemory memory = new CudaMemory(device, "test", part.plan(), buffers)) {
            return new CudaLowering(memory, device.tensorCores())
                    .lower(part.plan().nodes()).stream()
                            .flatMap(lowered -> lowered.launches().stream())
                            .map(launch -> ((KernelLaunch) launch).kernel())
                            .toList();
        }
    }

    void run(int steps) {
        try (Program program = device.compile("test", List.of(part.plan()), buffers)) {
            for (int i = 0; i < steps; i++) {
                program.run();
            }
        }
    }

    float[] read(String name) {
        return buffers.get(name).readFloats();
    }

    @Override
    public void close() {
        images.close();
        model.close();
    }
}
