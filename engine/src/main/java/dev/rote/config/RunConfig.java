package dev.rote.config;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// Everything that decides what a run computes. Two equal configurations give the same bits on the same device.
///
/// @param name what the run is called; also the name of its folder, so made of letters, digits and `. _ - + = ,`
/// @param seed key of all random numbers
/// @param device where it runs
/// @param kernels whose kernels compute products and convolutions there
/// @param threads CPU threads; 0 for all cores
/// @param data the images
/// @param model the network
/// @param diffusion the forward process and the objective
/// @param train the optimizer and its loop
/// @param measure the measurements
/// @param stop when training stops before its last update
public record RunConfig(
        String name,
        long seed,
        Device device,
        Kernels kernels,
        int threads,
        DataConfig data,
        ModelConfig model,
        DiffusionConfig diffusion,
        TrainConfig train,
        MeasureConfig measure,
        StopConfig stop) {

    /// Where a run computes.
    public enum Device implements Named {
        CPU("cpu"),
        CUDA("cuda"),
        /// CUDA when there is such a device, else the CPU.
        AUTO("auto");

        private final String word;

        Device(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    /// Whose kernels compute products and convolutions.
    public enum Kernels implements Named {
        /// Rote's.
        OWN("own"),
        /// NVIDIA's, in cuBLAS and cuDNN, to compare with; on a CUDA device only.
        VENDOR("vendor");

        private final String word;

        Kernels(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    /// The table of `run.toml` that says what wrote it (versions, device). It is never read back.
    public static final String RECORDED = "recorded";

    /// Rows of the frozen time table of study 1's network.
    public static final int STUDY1_TIMES = 1000;

    /// @throws IllegalArgumentException when values do not fit together; the message names the dotted key
    public RunConfig {
        Check.that(
                name.matches("[A-Za-z0-9][A-Za-z0-9._+=,-]{0,199}"),
                "name",
                "1 to 200 letters, digits and . _ - + = , beginning with a letter or digit",
                TomlText.quoted(name.substring(0, Math.min(name.length(), 60))));
        Check.between(0, 1024, "threads", threads);
        int factor = 1 << (model.levels() - 1);
        Check.that(
                data.size() % factor == 0,
                "data.size",
                "a multiple of " + factor + ", because model.multipliers has " + model.levels() + " levels",
                data.size());
        boolean table = model.family() == ModelConfig.Family.UNET_STUDY1;
        Check.that(
                !table || diffusion.steps() <= STUDY1_TIMES,
                "diffusion.steps",
                "at most " + STUDY1_TIMES + " with model.family \"unet-study1\", whose time table has as many rows",
                diffusion.steps());
        if (data.size() > 0) {
            model.attention().checkOccurs(model.levels(), data.size());
        }
        boolean tf32OnCpu = train.precision() == TrainConfig.Precision.TF32 && device == Device.CPU;
        Check.that(!tf32OnCpu, "train.precision", "\"f32\" or \"bf16\" as long as device is \"cpu\"", "\"tf32\"");
        boolean vendorOnCpu = kernels == Kernels.VENDOR && device == Device.CPU;
        Check.that(!vendorOnCpu, "kernels", "\"own\" as long as device is \"cpu\"", "\"vendor\"");
        Check.that(
                measure.samplerSteps() <= diffusion.steps(),
                "measure.sampler_steps",
                "at most diffusion.steps (" + diffusion.steps() + ")",
                measure.samplerSteps());
        checkMeasuredSteps(measure, train.steps());
        checkLabels(model, train, measure);
        checkMixture(data, model, diffusion, measure);
        for (Metric metric : measure.metrics()) {
            boolean has = data.test() > 0
                    || !(metric instanceof Metric.OfSamples of && of.kind().needsHeldOut());
            Check.that(has, "data.test", "at least 1 for " + metric.word() + ", which needs held-out images", 0);
        }
        boolean secondNeighbour =
                data.n() != 1 || !(stop.stops() || measure.metrics().contains(new Metric.MemorizedFraction()));
        Check.that(
                secondNeighbour,
                "data.n",
                "at least 2 for " + (stop.stops() ? "stop.rule" : "memorized_fraction")
                        + ", which needs two neighbours",
                data.n());
        Check.that(
                !stop.stops() || stop.from() <= train.steps(),
                "stop.from",
                "at most train.steps (" + train.steps() + ")",
                stop.from());
    }

    private static void checkLabels(ModelConfig model, TrainConfig train, MeasureConfig measure) {
        boolean dropped = train.labelDrop() > 0;
        Check.that(
                !dropped || model.classes() > 0,
                "train.label_drop",
                "0 unless model.classes is set",
                train.labelDrop());
        Check.that(
                measure.guidance() == 0 || dropped,
                "measure.guidance",
                "0 unless train.label_drop is above 0, so that the network knows images without a label",
                measure.guidance());
    }

    /// What makes no sense for points that are no pictures, and what `kl` needs.
    private static void checkMixture(
            DataConfig data, ModelConfig model, DiffusionConfig diffusion, MeasureConfig measure) {
        if (!data.isMixture()) {
            Check.that(
                    !measure.metrics().contains(new Metric.KullbackLeibler()),
                    "measure.metrics",
                    "no kl unless data.source is a mixture whose density is known",
                    TomlText.quoted(data.source()));
            return;
        }
        boolean mlp = model.family() == ModelConfig.Family.MLP_MIXTURE;
        Check.that(
                mlp,
                "model.family",
                "\"mlp-mixture\" for the points of a mixture",
                model.family().word());
        boolean prepared = data.size() > 0 || data.gray() || data.flip() || data.low() != 0 || data.high() != 1;
        Check.that(
                !prepared,
                "data",
                "no size, gray, flip or range for the points of a mixture, which are no pictures",
                TomlText.quoted(data.source()));
        for (Metric metric : measure.metrics()) {
            boolean known = metric instanceof Metric.MemorizedFraction
                    || metric instanceof Metric.LossAt
                    || metric instanceof Metric.KullbackLeibler;
            Check.that(
                    known,
                    "measure.metrics",
                    "only memorized_fraction, kl and loss@T for the points of a mixture",
                    TomlText.quoted(metric.word()));
        }
        if (measure.metrics().contains(new Metric.KullbackLeibler())) {
            Check.that(
                    measure.samplerSteps() == diffusion.steps(),
                    "measure.sampler_steps",
                    "diffusion.steps (" + diffusion.steps() + ") for kl, which needs all time indices",
                    measure.samplerSteps());
            Check.that(
                    model.classes() == 0,
                    "measure.metrics",
                    "no kl for a network with classes, whose samples have no one density",
                    "model.classes = " + model.classes());
        }
    }

    private static void checkMeasuredSteps(MeasureConfig measure, int last) {
        String key = measure.steps() instanceof Steps.LogSpaced ? "measure.steps.to" : "measure.steps";
        int largest = measure.steps().largest();
        Check.that(largest <= last, key, "at most train.steps (" + last + ")", largest);
        if (measure.steps() instanceof Steps.LogSpaced spaced) {
            Check.that(
                    spaced.from() <= last, "measure.steps.from", "at most train.steps (" + last + ")", spaced.from());
        }
        if (measure.sheets() instanceof Sheets.Listed listed) {
            List<Integer> measured = measure.steps().upTo(last);
            for (int step : listed.steps()) {
                Check.that(measured.contains(step), "measure.sheets", "steps that are measured", step);
            }
        }
    }

    /// Reads a file.
    ///
    /// @throws DataException with path, line and dotted key when it is not a configuration
    public static RunConfig read(Path file) {
        return of(ConfigTree.read(file));
    }

    /// Reads a text; `origin` names it in messages.
    ///
    /// @throws DataException with line and dotted key when it is not a configuration
    public static RunConfig parse(String text, String origin) {
        return of(ConfigTree.parse(text, origin));
    }

    /// Gives a parsed tree its meaning.
    ///
    /// @throws DataException with origin, line and dotted key when it is not a configuration
    public static RunConfig of(ConfigTree tree) {
        Section top = Section.of(tree, "", topLevelKeys());
        try {
            return new RunConfig(
                    top.text("name", "run"),
                    top.wide("seed").orElse(0),
                    top.choice("device", Device.values(), Device.CPU),
                    top.choice("kernels", Kernels.values(), Kernels.OWN),
                    top.integer("threads", 0),
                    DataConfig.of(section(tree, "data")),
                    ModelConfig.of(section(tree, "model"), tree),
                    DiffusionConfig.of(section(tree, "diffusion")),
                    TrainConfig.of(section(tree, "train")),
                    MeasureConfig.of(section(tree, "measure"), tree),
                    StopConfig.of(section(tree, "stop")));
        } catch (InvalidKey e) {
            throw tree.wrong(e.key(), e.expected(), e.found());
        }
    }

    private static Section section(ConfigTree tree, String name) {
        return Section.of(tree, name, Keys.SECTIONS.get(name));
    }

    /// This configuration with one dotted key changed, its value given as TOML text (a bare word is a string):
    /// `with("data.n", "64")`, `with("train.optimizer", "adam")`. Keys whose defaults come from the changed one
    /// keep the value they have; to change those too, change the [ConfigTree] before it is given a meaning.
    ///
    /// @throws DataException when the key is unknown or the value is not one of its values
    public RunConfig with(String key, String value) {
        return of(ConfigTree.parse(toml(), name).with(key, value));
    }

    /// The dotted keys of a configuration, in the order in which [#toml()] writes them.
    public static List<String> keys() {
        return Keys.dotted();
    }

    /// What may stand outside any table: five keys, and the names of the tables.
    public static List<String> topLevelKeys() {
        return Stream.of(Keys.TOP, Keys.SECTIONS.keySet(), List.of(RECORDED))
                .flatMap(keys -> keys.stream())
                .toList();
    }

    /// The sentence that tells the user of an unknown dotted key, with the nearest known one.
    public static String unknownKey(String key) {
        return Keys.unknown(key);
    }

    /// The updates after which a measurement is made: in growing order, each once, none above `train.steps`.
    public List<Integer> measurementSteps() {
        return measure.steps().upTo(train.steps());
    }

    /// The whole configuration as TOML: every key that has a value, in a fixed order, so that equal configurations
    /// give equal texts. Reading it gives this configuration again.
    public String toml() {
        var toml = new TomlText();
        toml.put("name", name)
                .put("seed", seed)
                .put("device", device)
                .put("kernels", kernels)
                .put("threads", threads);
        writeSections(toml);
        return toml.toString();
    }

    /// [#toml()], followed by a table of facts about what wrote it (versions, device), which reading ignores.
    public String toml(Map<String, String> recorded) {
        var toml = new TomlText();
        toml.table(RECORDED);
        recorded.forEach((key, value) -> toml.put(TomlText.key(key), value));
        return toml() + "\n" + toml;
    }

    /// SHA-256, in hexadecimal, of [#toml()] without name, device, kernels and threads: equal for runs that compute
    /// the same.
    public String hash() {
        var toml = new TomlText();
        toml.put("seed", seed);
        writeSections(toml);
        try {
            byte[] text = toml.toString().getBytes(StandardCharsets.UTF_8);
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }

    private void writeSections(TomlText toml) {
        data.write(toml);
        model.write(toml);
        diffusion.write(toml);
        train.write(toml);
        measure.write(toml);
        stop.write(toml);
    }
}
