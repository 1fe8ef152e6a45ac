package dev.rote.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/// Whole training steps of the study's U-Net by the kernels for compute capability 9.0 and by those that every device
/// has: what is joined there is apart here.
class CudaStepTest extends OnSm90Device {
    private static final int STEPS = 2;

    /// What the steps changed.
    private record Changes(float[] losses, float[] parameters, int kernels) {
        static Changes of(CudaDevice device) {
            try (NoiseStep step = new NoiseStep(device, 16, 2)) {
                float[] before = step.read("parameters");
                step.run(STEPS);
                float[] after = step.read("parameters");
                for (int i = 0; i < after.length; i++) {
                    after[i] -= before[i];
                }
                return new Changes(step.read("losses"), after, step.kernels().size());
            }
        }
    }

    @Test
    void stepsWithAndWithoutThemLearnTheSame() {
        Changes joined = Changes.of(device);
        Changes apart;
        try (CudaDevice portable = CudaDevice.openPortable(0)) {
            apart = Changes.of(portable);
        }
        assertThat(joined.kernels).isLessThan(apart.kernels);
        for (int step = 0; step < STEPS; step++) {
            assertThat(Math.abs(joined.losses[step] - apart.losses[step])).isLessThan(1e-3f);
        }
        double difference = 0;
        double size = 0;
        for (int i = 0; i < apart.parameters.length; i++) {
            difference += Math.pow(joined.parameters[i] - apart.parameters[i], 2);
            size += Math.pow(apart.parameters[i], 2);
        }
        // Either rounds each activation to eight bits, a hundred times in a row; a term that is missing is far more.
        assertThat(Math.sqrt(difference / size)).isBetween(1e-6, 0.02);
    }
}
