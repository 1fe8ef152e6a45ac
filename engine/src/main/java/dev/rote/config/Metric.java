package dev.rote.config;

import java.util.Optional;

/// What is measured. In TOML a word: `memorized_fraction`, `frechet`, `loss@T`, `cosine_similarity`, `kl`, or one of
/// [SampleMetric].
public sealed interface Metric extends Named {
    /// Share of samples whose nearest training image is nearer than k times the second nearest.
    record MemorizedFraction() implements Metric {
        @Override
        public String word() {
            return "memorized_fraction";
        }
    }

    /// Fréchet distance between the features of samples and of held-out images.
    record Frechet() implements Metric {
        @Override
        public String word() {
            return "frechet";
        }
    }

    /// Training and test loss at one diffusion time `t = -log(alpha_bar) / 2`, which is the continuous time of
    /// arXiv:2505.17638; the nearest index of the schedule is used.
    record LossAt(double t) implements Metric {
        public LossAt {
            Check.that(t > 0 && t <= 100, "measure.metrics", "a diffusion time above 0, at most 100, after loss@", t);
        }

        @Override
        public String word() {
            return "loss@" + TomlText.number(t);
        }
    }

    /// A metric of samples in one space. Its word is that of the kind, with `@pixels` or `@features` after it where the
    /// space is not the kind's usual one.
    record OfSamples(SampleMetric kind, SampleMetric.Space space) implements Metric {
        @Override
        public String word() {
            return space == kind.usual() ? kind.word() : kind.word() + "@" + space.word();
        }
    }

    /// Cosine similarity of samples to those that another run, `measure.twin`, drew from the same noise.
    record TwinSimilarity() implements Metric {
        @Override
        public String word() {
            return "cosine_similarity";
        }
    }

    /// Kullback-Leibler divergence of what the model draws from the distribution that a synthetic source draws from.
    record KullbackLeibler() implements Metric {
        @Override
        public String word() {
            return "kl";
        }
    }

    /// The metric that `word` names; empty when there is none.
    static Optional<Metric> of(String word) {
        return switch (word) {
            case "memorized_fraction" -> Optional.of(new MemorizedFraction());
            case "frechet" -> Optional.of(new Frechet());
            case "kl" -> Optional.of(new KullbackLeibler());
            case "cosine_similarity" -> Optional.of(new TwinSimilarity());
            default ->
                word.matches("loss@[0-9]{1,18}(\\.[0-9]{1,18})?(e-?[0-9]{1,3})?")
                        ? Optional.of(new LossAt(Double.parseDouble(word.substring(5))))
                        : SampleMetric.of(word);
        };
    }
}
