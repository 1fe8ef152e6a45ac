package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.Dataset;
import dev.rote.data.Extent;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.graph.Batch;
import dev.rote.graph.Dropout;
import dev.rote.graph.Op;
import dev.rote.graph.RandomIndex;
import dev.rote.graph.RandomNormal;
import dev.rote.nn.GoldenRun;
import dev.rote.reference.OpCase;
import dev.rote.reference.OpCases;
import dev.rote.reference.OpRun;
import dev.rote.train.Trainer;
import dev.rote.train.TrainingListener;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Training on CUDA, here the stand-in, beside PyTorch's numbers and the CPU device.
@ExtendWith(StandInExtension.class)
class CudaTrainingTest {
    private static final int SIZE = 8;
    private static final int STEPS = 20;
    private static final String CONFIG = """
            device = "cuda"
            [data]
            source = "x"
            size = 8
            [model]
            family = "unet-study1"
            width = 8
            [train]
            optimizer = "adam"
            lr = 1e-3
            ema = 0.99
            batch = 4
            steps = 1000
            [measure]
            metrics = []
            """;

    private CudaDevice device;

    @BeforeEach
    void open() {
        device = CudaDevice.open(0);
    }

    @AfterEach
    void close() {
        device.close();
    }

    @Test
    void predictionLossAndGradientsAreThoseOfPyTorch() {
        new GoldenRun(device).checkGradients();
    }

    @Test
    void tenSgdStepsHaveTheLossesOfPyTorch() {
        new GoldenRun(device).checkTraining();
    }

    @Test
    void drawsHaveTheBitsOfTheCpu() {
        List<OpCase> draws =
                OpCases.f32().stream().filter(one -> isDraw(one.op())).toList();
        assertThat(draws).hasSizeGreaterThan(20);
        try (CpuDevice cpu = CpuDevice.open(1)) {
            for (OpCase one : draws) {
                double[][] expected = new OpRun(cpu).run(one).toArray(double[][]::new);
                assertThat(new OpRun(device).run(one)).as(one.name()).containsExactly(expected);
            }
        }
    }

    private static boolean isDraw(Op op) {
        return op instanceof RandomNormal || op instanceof RandomIndex || op instanceof Batch || op instanceof Dropout;
    }

    @Test
    void lossesLieOverThoseOfTheCpuAndRepeatBitForBit() {
        float[] cuda = losses(device);
        assertThat(losses(device)).containsExactly(cuda);
        StandIn.loaded().orElseThrow().descending(true);
        assertThat(losses(device)).as("threads in the other order").containsExactly(cuda);
        try (CpuDevice cpu = CpuDevice.open(1)) {
            float[] expected = losses(cpu);
            for (int step = 0; step < STEPS; step++) {
                // Rounding grows along the way; a wrong term shows in the first steps.
                assertThat(cuda[step]).as("loss %d", step).isCloseTo(expected[step], within(1e-5f * (step + 1)));
            }
        }
    }

    private static float[] losses(Device device) {
        try (TrainingData data = data();
                Trainer trainer = Trainer.open(device, RunConfig.parse(CONFIG, "test"), data)) {
            trainer.train(STEPS, TrainingListener.silent());
            return trainer.model().losses(0, STEPS);
        }
    }

    private static TrainingData data() {
        byte[] pixels = new byte[12 * SIZE * SIZE];
        new Random(1).nextBytes(pixels);
        Extent extent = new Extent(SIZE, SIZE, 1);
        return new TrainingData(
                Dataset.of(12, extent, pixels),
                Dataset.of(0, extent, new byte[0]),
                0f,
                new int[12],
                new int[0],
                0,
                DataOptions.of("x"));
    }
}
