package dev.rote.tools.report;

import java.util.Objects;

/// What a curve shows. `key` names it in files, `label` on axes and in tables.
public sealed interface Quantity {
    /// The name in `curves.csv` and `report.json`, without commas or spaces where the caller's names have none.
    String key();

    /// The name on an axis.
    String label();

    /// Loss of the training batches.
    record TrainingLoss() implements Quantity {
        @Override
        public String key() {
            return "training_loss";
        }

        @Override
        public String label() {
            return "training loss";
        }
    }

    /// Which images a loss is taken over.
    enum Split {
        TRAIN("train"),
        TEST("test");

        private final String word;

        Split(String word) {
            this.word = word;
        }

        String word() {
            return word;
        }
    }

    /// Loss at one fixed diffusion time `t` over the training or the test images.
    record LossAt(double t, Split split) implements Quantity {
        public LossAt {
            Objects.requireNonNull(split, "split");
            if (!Double.isFinite(t)) {
                throw new IllegalArgumentException("diffusion time must be finite, is " + t);
            }
        }

        @Override
        public String key() {
            return "loss_" + split.word() + "@" + Digits.plain(t);
        }

        @Override
        public String label() {
            return split.word() + " loss at t = " + Digits.plain(t);
        }
    }

    /// Fréchet distance between generated and real images in a named feature space.
    ///
    /// @param features name of the feature space
    /// @param standIn true when it is not the Inception network of FID; every figure then says so
    /// @param toTraining true when the real images are the training images, for want of test images; every figure
    /// then says so, because copies come close to those
    record Frechet(String features, boolean standIn, boolean toTraining) implements Quantity {
        public Frechet {
            Objects.requireNonNull(features, "features");
        }

        /// To test images.
        public Frechet(String features, boolean standIn) {
            this(features, standIn, false);
        }

        @Override
        public String key() {
            return "frechet[" + features + "]" + (toTraining ? "_to_training_images" : "");
        }

        @Override
        public String label() {
            String text = standIn ? "Fréchet distance (stand-in: " + features + ", not FID)" : "FID (" + features + ")";
            return toTraining ? text + " to the training images" : text;
        }
    }

    /// Memorized fraction: share of generated images with `d1/d2 < k`.
    record MemorizedFraction(double k) implements Quantity {
        public MemorizedFraction {
            requireRatio(k);
        }

        static void requireRatio(double k) {
            if (!(k > 0 && k <= 1)) {
                throw new IllegalArgumentException("k must lie in (0, 1], is " + k);
            }
        }

        @Override
        public String key() {
            return "f_mem[k=" + Digits.ratio(k) + "]";
        }

        @Override
        public String label() {
            return "memorized fraction, k = " + Digits.ratio(k);
        }
    }

    /// Any other measured quantity, drawn in a figure of its own.
    record Metric(String name, String unit) implements Quantity {
        /// Divergence from a mixture's own density, the quality of points that are no pictures.
        public static final Metric KL = new Metric("kl@points", "nats");

        /// How alike the pictures are that two networks draw from the same noise.
        public static final Metric SIMILARITY = new Metric("cosine_similarity@pixels", "");

        public Metric {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(unit, "unit");
        }

        @Override
        public String key() {
            return name;
        }

        @Override
        public String label() {
            return unit.isEmpty() ? name : name + " (" + unit + ")";
        }
    }
}
