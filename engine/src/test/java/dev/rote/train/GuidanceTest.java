package dev.rote.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.rote.config.RunConfig;
import dev.rote.data.DataOptions;
import dev.rote.data.TrainingData;
import dev.rote.device.Device;
import dev.rote.device.cpu.CpuDevice;
import dev.rote.nn.ParameterSpec;
import dev.rote.nn.Parameters;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Classifier-free guidance, with the MLP and with a U-Net.
class GuidanceTest {
    private static final String MLP = """
            data.source = "builtin:gaussian-mixture"
            data.n = 16
            model.family = "mlp-mixture"
            model.width = 16
            model.classes = 2
            train.steps = 5
            train.label_drop = 0.5
            measure.metrics = []
            measure.sampler_steps = 2
            """;

    private static final String UNET = """
            data.source = "builtin:fashion-mnist"
            data.size = 8
            data.n = 16
            model.family = "unet-study3"
            model.width = 8
            model.multipliers = [1]
            model.blocks = 1
            model.groups = 4
            model.heads = 1
            model.head_size = 0
            model.zero_init = false
            model.classes = 10
            train.steps = 5
            train.label_drop = 0.5
            train.batch = 8
            measure.metrics = []
            measure.sampler_steps = 2
            """;

    /// With two indices DDIM takes one update, which is affine in the prediction; so samples are affine in w: those for
    /// w = 3 lie where those for 0 and 1 point. Classes without a vector are no class at all.
    @ParameterizedTest
    @ValueSource(strings = {MLP, UNET})
    void samplesAreAffineInTheWeight(String run) {
        float[] zero = samples(run, 0, false);
        float[] one = samples(run, 1, false);
        float[] three = samples(run, 3, false);
        double most = 0;
        for (int i = 0; i < zero.length; i++) {
            double scale = 1 + Math.abs(zero[i]) + Math.abs(three[i]);
            assertThat((double) three[i]).isCloseTo(zero[i] + 3 * (one[i] - zero[i]), within(1e-4 * scale));
            most = Math.max(most, Math.abs(one[i] - zero[i]) / scale);
        }
        assertThat(most).as("the weight matters").isGreaterThan(1e-3);
        float[] without = samples(run, 0, true);
        float[] guided = samples(run, 3, true);
        for (int i = 0; i < without.length; i++) {
            assertThat((double) guided[i]).isCloseTo(without[i], within(1e-4 * (1 + Math.abs(without[i]))));
        }
    }

    private static float[] samples(String run, double weight, boolean noVectors) {
        RunConfig config = RunConfig.parse(run + "measure.guidance = " + weight + "\n", "test");
        DataOptions options = DataOptions.of(config.data().source())
                .withSize(config.data().size())
                .withTrain(16, 0);
        try (Device device = CpuDevice.open(1);
                TrainingData data = TrainingData.load(options);
                Trainer trainer = Trainer.open(device, config, data);
                Generator generator = trainer.generator(6, false)) {
            trainer.train(3, TrainingListener.silent());
            if (noVectors) {
                ParameterSpec rows =
                        trainer.model().layout().find("label_emb.weight").orElseThrow();
                float[] flat = trainer.model().buffer(Parameters.PARAMETERS).readFloats();
                java.util.Arrays.fill(flat, (int) rows.offset(), (int) (rows.offset() + rows.elements()), 0);
                trainer.model().setParameters(flat);
            }
            return generator.generate(6, () -> false, done -> {});
        }
    }

    /// Points around +mu and -mu for the two classes: what is drawn for a class lies on its side, and farther out with
    /// guidance.
    @Test
    void guidancePushesTheSamplesOfAClassAwayFromTheOther() {
        double plain = side(0);
        double guided = side(2);
        assertThat(plain).isGreaterThan(0.5);
        assertThat(guided).isGreaterThan(plain + 0.1);
    }

    /// Mean over samples of their projection on the mean of their class, of length 1.
    private static double side(double weight) {
        RunConfig config = RunConfig.parse("""
                data.source = "builtin:gaussian-mixture"
                data.n = 256
                data.center = false
                model.family = "mlp-mixture"
                model.width = 32
                model.classes = 2
                train.optimizer = "adam"
                train.lr = 3e-3
                train.steps = 600
                train.label_drop = 0.2
                measure.metrics = []
                measure.guidance = %s
                """.formatted(weight), "test");
        try (Device device = CpuDevice.open(1);
                TrainingData data = MixtureRun.data(config);
                Trainer trainer = Trainer.open(device, config, data);
                Generator generator = trainer.generator(200, false)) {
            trainer.train(600, TrainingListener.silent());
            float[] x = generator.generate(200, () -> false, done -> {});
            double sum = 0;
            for (int i = 0; i < x.length; i++) {
                sum += i / 8 % 2 == 0 ? x[i] : -x[i];
            }
            return sum / x.length;
        }
    }
}
