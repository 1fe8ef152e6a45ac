package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.graph.Target;
import dev.rote.nn.GoldenRun;
import dev.rote.reference.OpCase;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/// Training on CUDA beside PyTorch's numbers and the CPU device.
@ExtendWith(AnyDriver.class)
class CudaTrainingTest {
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
    void theyAreAlsoWhenNothingIsFused() {
        new GoldenRun(device, Target.PLAIN).checkGradients();
    }

    @Test
    void tenSgdStepsHaveTheLossesOfPyTorch() {
        new GoldenRun(device).checkTraining();
    }

    /// Factors of 10 bits: a term that is missing is a thousand times that.
    @Test
    void tenSgdStepsInTf32StayWithTheLossesOfPyTorch() {
        try (CudaDevice tf32 = CudaDevice.open(0, true)) {
            new GoldenRun(tf32).checkTraining(1e-3);
        }
    }

    @Test
    void drawsHaveTheBitsOfTheCpu() {
        List<OpCase> draws = CpuResults.draws();
        List<String> expected = CpuResults.drawn();
        List<String> found = CpuResults.drawn(device);
        assertThat(expected).hasSameSizeAs(draws).hasSizeGreaterThan(20);
        for (int i = 0; i < draws.size(); i++) {
            assertThat(found.get(i)).as(draws.get(i).name()).isEqualTo(expected.get(i));
        }
    }

    /// Rounding grows along the way; a wrong term shows in the first steps.
    @Test
    void lossesLieOverThoseOfTheCpuAndRepeatBitForBit() {
        int steps = AnyDriver.isGpu() ? 200 : 20;
        float[] cuda = CpuResults.losses(device, steps);
        AnyDriver.descending(true);
        assertThat(CpuResults.losses(device, steps))
                .as("again, threads in the other order")
                .isEqualTo(cuda);
        double[] expected = CpuResults.losses(steps);
        for (int step = 0; step < steps; step++) {
            assertThat((double) cuda[step]).as("loss %d", step).isCloseTo(expected[step], within(1e-5 * (step + 1)));
        }
    }
}
