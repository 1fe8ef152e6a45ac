package dev.rote.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.rote.errors.DataException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RunConfigTest {
    private static final String SMALLEST = "data.source = 'faces'\ntrain.steps = 1000\n";

    /// Every key with a value that is not its default.
    static final String FULL = """
            name = "n=64,seed=2"
            seed = -7
            device = "cuda"
            kernels = "vendor"
            threads = 3
            [data]
            source = "C:\\\\faces \\u0001 é"
            size = 16
            gray = true
            n = 64
            index = 2
            test = 128
            center = false
            range = [-1.0, 1]
            flip = true
            shuffle_seed = 9000000000
            skip_unreadable = true
            [model]
            family = "unet-iddpm"
            width = 64
            multipliers = [1, 3]
            blocks = 1
            attention = { coarsest = 1 }
            middle_attention = false
            heads = 2
            head_size = 32
            groups = 16
            eps = 1e-6
            dropout = 0.25
            channel_dropout = true
            classes = 10
            scale_shift = false
            zero_init = false
            out_channels = 6
            time_width = 200
            time_table = "sin-cos"
            time_activation = "gelu"
            [diffusion]
            schedule = "cosine"
            steps = 500
            beta_start = 2e-4
            beta_end = 0.03
            objective = "v"
            first_index = 0
            last_index = 400
            fixed_index = 40
            [train]
            optimizer = "adamw"
            lr = 3e-3
            momentum = 0.9
            beta1 = 0.8
            beta2 = 0.99
            eps = 1e-7
            weight_decay = 0.01
            batch = 33
            batch_limit_n = false
            steps = 8000
            precision = "tf32"
            ema = 0.9999
            clip = 1.5
            accumulate = 2
            warmup = 100
            lr_schedule = "cosine"
            lr_final = 1e-5
            log_every = 5
            checkpoint_every = 77
            keep = 0
            label_drop = 0.125
            [measure]
            steps = { from = 10, to = 4000, per_decade = 4 }
            samples = 99
            sampler = "ddim"
            sampler_steps = 20
            eta = 0.5
            batch = 17
            metrics = ["loss@0.1", "frechet", "prdc@pixels", "cosine_similarity"]
            noise_draws = 2
            k = [0.3]
            bootstrap = 50
            features = "inception.onnx"
            ema = false
            sheets = [10, 4000]
            loss_images = 12
            clip = true
            twin = "runs/other"
            guidance = 1.5
            calibrated_alpha = 0.25
            calibrated_neighbours = 20
            c_t_cells = 5
            prdc_neighbours = 3
            [stop]
            rule = "before-memorization"
            from = 30
            per_decade = 12
            fraction = 0.02
            confidence = 0.95
            risk = 0.2
            samples = 50
            loss_time = 0.02
            loss_images = 100
            split = 0.1
            """;

    private static RunConfig smallest(String more) {
        return RunConfig.parse(SMALLEST + more, "test");
    }

    @Test
    void absentKeysMeanStudyOne() {
        RunConfig run = smallest("");
        assertThat(run.model()).isEqualTo(ModelConfig.of(ModelConfig.Family.UNET_STUDY1));
        assertThat(run.model().width()).isEqualTo(32);
        assertThat(run.model().multipliers()).containsExactly(1, 2, 4);
        assertThat(run.train().optimizer()).isEqualTo(TrainConfig.Optimizer.SGD);
        assertThat(run.train().lr()).isEqualTo(0.01);
        assertThat(run.train().momentum()).isEqualTo(0.95);
        assertThat(run.train().batch()).isEqualTo(512);
        assertThat(run.diffusion().firstIndex()).isEqualTo(1);
        assertThat(run.diffusion().lastIndex()).isEqualTo(999);
        assertThat(run.measure().k()).containsExactly(1.0 / 3, 0.5, 0.25);
        assertThat(run.measurementSteps()).isEmpty();
    }

    @Test
    void featuresAreThoseThatDoNotDependOnTheDataUnlessNamed() {
        assertThat(smallest("").measure().features()).isEqualTo("random-convolution");
        assertThat(smallest("measure.features = 'pixel-pca'").measure().features())
                .isEqualTo("pixel-pca");
    }

    @Test
    void defaultsFollowTheKeyTheyDependOn() {
        assertThat(smallest("train.optimizer = 'adam'").train().lr()).isEqualTo(1e-4);
        assertThat(smallest("diffusion.steps = 200").diffusion().lastIndex()).isEqualTo(199);
        assertThat(smallest("model.family = 'unet-iddpm'").model().dropout()).isEqualTo(0.3);
        assertThat(smallest("model.family = 'unet-iddpm'\nmodel.width = 64")
                        .model()
                        .blocks())
                .isEqualTo(3);
    }

    @Test
    void everyKeyIsReadAndWritten() {
        RunConfig run = RunConfig.parse(FULL, "full");
        String written = run.toml();
        ConfigTree defaults = ConfigTree.parse(
                smallest("model.family = 'unet-iddpm'\nstop.rule = 'before-memorization'")
                        .toml(),
                "defaults");
        ConfigTree tree = ConfigTree.parse(written, "written");
        for (String key : RunConfig.keys()) {
            assertThat(tree.find(key)).as(key).isPresent();
            if (List.of("model.family", "measure.sampler", "stop.rule").contains(key)) {
                continue;
            }
            assertThat(tree.find(key)).as(key + " differs from its default").isNotEqualTo(defaults.find(key));
        }
        assertThat(ConfigTree.parse(FULL, "full").find("data.source")).isEqualTo(tree.find("data.source"));
    }

    @Test
    void writingIsStableAndReadingItBackGivesTheSame() {
        for (String text : List.of(
                SMALLEST, FULL, SMALLEST + "measure.steps = [5, 0, 9]\nmeasure.sheets = 3\nmeasure.sampler = 'ddpm'")) {
            RunConfig run = RunConfig.parse(text, "test");
            RunConfig again = RunConfig.parse(run.toml(), "again");
            assertThat(again).isEqualTo(run);
            assertThat(again.toml()).isEqualTo(run.toml());
        }
    }

    @ParameterizedTest
    @EnumSource(ModelConfig.Family.class)
    void eachFamilyIsValidAndSurvivesWriting(ModelConfig.Family family) {
        RunConfig run = smallest("model.family = '" + family.word() + "'");
        assertThat(RunConfig.parse(run.toml(), "again").model()).isEqualTo(ModelConfig.of(family));
    }

    @Test
    void recordedFactsAreWrittenAndIgnoredByReading() {
        RunConfig run = smallest("");
        String text = run.toml(Map.of("java", "25.0.3", "gpu 0", "none"));
        assertThat(ConfigTree.parse(text, "run.toml").find("recorded.java")).isPresent();
        assertThat(RunConfig.parse(text, "run.toml")).isEqualTo(run);
    }

    @Test
    void theHashIgnoresNameDeviceKernelsAndThreadsAndNothingElse() {
        String full = RunConfig.parse(FULL, "full").hash();
        assertThat(full).matches("[0-9a-f]{64}");
        assertThat(RunConfig.parse(FULL, "full")
                        .with("name", "x")
                        .with("threads", "1")
                        .with("kernels", "own")
                        .with("device", "auto")
                        .hash())
                .isEqualTo(full);
        assertThat(RunConfig.parse(FULL, "full").with("seed", "1").hash()).isNotEqualTo(full);
        assertThat(RunConfig.parse(FULL, "full").with("measure.ema", "true").hash())
                .isNotEqualTo(full);
    }

    @Test
    void aBareWordOnTheCommandLineIsAString() {
        RunConfig run = smallest("").with("train.optimizer", "adam").with("data.source", "/faces/#3 [a]");
        assertThat(run.train().optimizer()).isEqualTo(TrainConfig.Optimizer.ADAM);
        assertThat(run.data().source()).isEqualTo("/faces/#3 [a]");
        assertThat(run.with("data.source", "64 # b").data().source()).isEqualTo("64 # b");
        assertThat(run.with("data.source", "\"64\"").data().source()).isEqualTo("64");
    }

    @Test
    void otherValuesOnTheCommandLineHaveTheirTomlType() {
        RunConfig run = smallest("")
                .with("data.n", "64")
                .with("train.lr", "1e-3")
                .with("data.gray", "true")
                .with("model.multipliers", "[1, 2]")
                .with("measure.steps", "{ from = 10, per_decade = 1 }");
        assertThat(run.data().n()).isEqualTo(64);
        assertThat(run.train().lr()).isEqualTo(1e-3);
        assertThat(run.data().gray()).isTrue();
        assertThat(run.model().multipliers()).containsExactly(1, 2);
        assertThat(run.measurementSteps()).containsExactly(10, 100, 1000);
    }

    @Test
    void aMistakeOnTheCommandLineIsSaidToBeThere() {
        assertThatThrownBy(() -> smallest("").with("data.n", "many"))
                .isInstanceOf(DataException.class)
                .hasMessage("command line: data.n: expected an integer, found the string \"many\"");
        assertThatThrownBy(() -> smallest("").with("train.learning_rate", "1"))
                .isInstanceOf(DataException.class)
                .hasMessage("command line: unknown key train.learning_rate: did you mean train.lr?");
        assertThatThrownBy(() -> smallest("").with("data.n.x", "1"))
                .isInstanceOf(DataException.class)
                .hasMessage("command line: data.n.x: expected a table before the last dot, found the integer 0");
    }

    @Test
    void javaCallersGetAnIllegalArgumentExceptionWithTheKey() {
        assertThatThrownBy(() -> new Steps.LogSpaced(0, 10, 8))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("measure.steps.from: expected at least 1, found 0");
    }

    @Test
    void listsCannotBeChangedFromOutside() {
        assertThatThrownBy(() -> smallest("").model().multipliers().add(8))
                .isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void theBatchIsLimitedByTheNumberOfImages() {
        assertThat(smallest("").train().effectiveBatch(64)).isEqualTo(64);
        assertThat(smallest("train.batch_limit_n = false").train().effectiveBatch(64))
                .isEqualTo(512);
    }

    @Test
    void attentionIsAtTheTwoCoarsestLevelsOfStudyOne() {
        Attention attention = smallest("").model().attention();
        assertThat(attention.at(0, 3, 32)).isFalse();
        assertThat(attention.at(1, 3, 16)).isTrue();
        assertThat(attention.at(2, 3, 8)).isTrue();
        assertThat(new Attention.Resolutions(List.of(16, 8)).at(0, 3, 16)).isTrue();
        assertThat(new Attention.Resolutions(List.of(16, 8)).at(2, 3, 4)).isFalse();
    }
}
