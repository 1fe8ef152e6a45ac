package dev.rote.config;

import java.util.ArrayList;
import java.util.List;

/// What is measured during training, when, and on how much.
///
/// @param steps at which updates; see [RunConfig#measurementSteps()]
/// @param samples images generated for each measurement
/// @param sampler how they are generated
/// @param samplerSteps time indices that the sampler visits, first and last included
/// @param eta noise of the DDIM sampler: 0 is deterministic, 1 as much as DDPM
/// @param batch images generated, or passed through the network for a loss, at once
/// @param metrics what is measured
/// @param noiseDraws noise draws of each loss, from which its error bar comes
/// @param k distance ratios of the memorized fraction, the main one first
/// @param bootstrap resamples for each confidence interval
/// @param features features of the Fréchet distance: `random-convolution`, `pixel-pca`, or the path of an ONNX network
/// @param ema whether the averaged weights are measured, as long as there are any
/// @param sheets which measurements get a sheet of pictures
/// @param lossImages most images of each set that a loss is taken over; 0 for all
/// @param clip whether samplers clamp the clean image that a prediction implies to the range of the images
/// @param twin folder of the run that `cosine_similarity` compares with; empty without one
/// @param guidance weight w of classifier-free guidance in sampling; 0 for none
/// @param tests parameters of the metrics of samples
public record MeasureConfig(
        Steps steps,
        int samples,
        Sampler sampler,
        int samplerSteps,
        double eta,
        int batch,
        List<Metric> metrics,
        int noiseDraws,
        List<Double> k,
        int bootstrap,
        String features,
        boolean ema,
        Sheets sheets,
        int lossImages,
        boolean clip,
        String twin,
        double guidance,
        SampleTests tests) {

    /// Samplers.
    public enum Sampler implements Named {
        /// Song, Meng, Ermon, arXiv:2010.02502, eq. 12.
        DDIM("ddim"),
        /// Ho, Jain, Abbeel, arXiv:2006.11239, algorithm 2.
        DDPM("ddpm");

        private final String word;

        Sampler(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    /// Features of a fixed random network: they need no file and do not depend on the data.
    public static final String RANDOM_CONVOLUTION = "random-convolution";

    /// Principal components of the training images.
    public static final String PIXEL_PCA = "pixel-pca";

    static final List<String> KEYS = List.of(
            "steps",
            "samples",
            "sampler",
            "sampler_steps",
            "eta",
            "batch",
            "metrics",
            "noise_draws",
            "k",
            "bootstrap",
            "features",
            "ema",
            "sheets",
            "loss_images",
            "clip",
            "twin",
            "guidance",
            "calibrated_alpha",
            "calibrated_neighbours",
            "c_t_cells",
            "prdc_neighbours");

    /// @throws IllegalArgumentException when a value is out of range; the message names the dotted key
    public MeasureConfig {
        metrics = List.copyOf(metrics);
        k = List.copyOf(k);
        Check.between(1, 10_000_000, "measure.samples", samples);
        Check.atLeast(2, "measure.sampler_steps", samplerSteps);
        Check.that(eta >= 0 && eta <= 1, "measure.eta", "a number from 0 to 1", eta);
        Check.that(eta == 0 || sampler == Sampler.DDIM, "measure.eta", "0 unless the sampler is \"ddim\"", eta);
        Check.between(1, 1 << 24, "measure.batch", batch);
        Check.distinct("measure.metrics", metrics);
        Check.between(1, 10_000, "measure.noise_draws", noiseDraws);
        Check.that(!k.isEmpty(), "measure.k", "at least one ratio", "an empty list");
        Check.distinct("measure.k", k);
        for (double ratio : k) {
            Check.that(ratio > 0 && ratio < 1, "measure.k", "ratios above 0 and below 1", ratio);
        }
        Check.between(1, 1_000_000, "measure.bootstrap", bootstrap);
        Check.that(
                !features.isBlank(),
                "measure.features",
                "\"random-convolution\", \"pixel-pca\" or the path of an ONNX file",
                "\"\"");
        Check.that(features.indexOf('\0') < 0, "measure.features", "a path", "a NUL character");
        Check.atLeast(0, "measure.loss_images", lossImages);
        Check.that(guidance >= 0 && guidance <= 100, "measure.guidance", "a weight from 0 to 100", guidance);
        boolean ancestral = sampler == Sampler.DDPM;
        Check.that(
                ancestral || !metrics.contains(new Metric.KullbackLeibler()),
                "measure.sampler",
                "\"ddpm\" for kl, which follows the samples' noise through all time indices",
                TomlText.quoted(sampler.word()));
        boolean compared = metrics.contains(new Metric.TwinSimilarity());
        Check.that(
                !compared || !twin.isBlank(), "measure.twin", "the folder of a run for cosine_similarity", "nothing");
    }

    static MeasureConfig of(Section s, ConfigTree tree) {
        return new MeasureConfig(
                Steps.of(s, tree),
                s.integer("samples", 256),
                s.choice("sampler", Sampler.values(), Sampler.DDIM),
                s.integer("sampler_steps", 50),
                s.real("eta", 0),
                s.integer("batch", 256),
                metrics(s),
                s.integer("noise_draws", 5),
                s.reals("k", List.of(1.0 / 3, 0.5, 0.25)),
                s.integer("bootstrap", 1000),
                s.text("features", RANDOM_CONVOLUTION),
                s.flag("ema", true),
                Sheets.of(s),
                s.integer("loss_images", 0),
                s.flag("clip", false),
                s.text("twin", ""),
                s.real("guidance", 0),
                SampleTests.of(s));
    }

    private static List<Metric> metrics(Section s) {
        var metrics = new ArrayList<Metric>();
        for (String word : s.texts("metrics", List.of("memorized_fraction", "frechet", "loss@0.01"))) {
            metrics.add(Metric.of(word)
                    .orElseThrow(() -> new InvalidKey(
                            s.dotted("metrics"),
                            "\"memorized_fraction\", \"frechet\", \"loss@T\" with a diffusion time T, \"cosine_similarity\", \"kl\" or one of "
                                    + String.join(", ", Named.words(SampleMetric.values()))
                                    + ", with @pixels or @features after it if need be",
                            TomlText.quoted(word))));
        }
        return metrics;
    }

    void write(TomlText toml) {
        toml.table("measure")
                .put("steps", steps)
                .put("samples", samples)
                .put("sampler", sampler)
                .put("sampler_steps", samplerSteps)
                .put("eta", eta)
                .put("batch", batch)
                .put("metrics", metrics)
                .put("noise_draws", noiseDraws)
                .put("k", k)
                .put("bootstrap", bootstrap)
                .put("features", features)
                .put("ema", ema)
                .put("sheets", sheets)
                .put("loss_images", lossImages);
        // Left out where it is off, so that runs from before there was this key are still the same runs.
        if (clip) {
            toml.put("clip", true);
        }
        if (!twin.isEmpty()) {
            toml.put("twin", twin);
        }
        if (guidance > 0) {
            toml.put("guidance", guidance);
        }
        tests.write(toml);
    }
}
