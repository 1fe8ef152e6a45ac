package dev.rote.device.cpu;

import dev.rote.nn.GoldenRun;
import org.junit.jupiter.api.Test;

class GoldenStudy1CpuTest {
    @Test
    void predictionLossAndGradientsAreThoseOfPyTorch() {
        try (CpuDevice device = CpuDevice.open(1)) {
            new GoldenRun(device).checkGradients();
        }
    }

    @Test
    void tenSgdStepsHaveTheLossesOfPyTorch() {
        try (CpuDevice device = CpuDevice.open(1)) {
            new GoldenRun(device).checkTraining();
        }
    }
}
