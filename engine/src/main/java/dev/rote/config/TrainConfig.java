package dev.rote.config;

import java.util.List;

/// The optimizer and the loop around it.
///
/// @param optimizer update rule
/// @param lr learning rate
/// @param momentum of SGD: `v = momentum v + g`
/// @param beta1 decay of Adam's first moment
/// @param beta2 decay of Adam's second moment
/// @param eps added to the root of Adam's second moment
/// @param weightDecay decoupled for AdamW, added to the gradient otherwise
/// @param batch images per update
/// @param batchLimitN whether the batch is at most the number of training images
/// @param steps optimizer updates, the papers' tau
/// @param precision arithmetic of the run
/// @param ema decay of the averaged weights; 0 for none
/// @param clip largest global norm of the gradient; 0 for no clipping
/// @param accumulate gradients averaged before one update; each is of one batch
/// @param warmup updates during which the learning rate grows linearly from 0
/// @param lrSchedule what the learning rate does after the warm-up
/// @param lrFinal learning rate in which the cosine schedule ends: that of an update after the last, were there one
/// @param logEvery updates between two records of the training loss
/// @param checkpointEvery updates between two checkpoints; 0 for one at the end only
/// @param keep newest checkpoints that are kept; 0 for all
/// @param labelDrop probability that an image is trained on without its class label, for `measure.guidance`
public record TrainConfig(
        Optimizer optimizer,
        double lr,
        double momentum,
        double beta1,
        double beta2,
        double eps,
        double weightDecay,
        int batch,
        boolean batchLimitN,
        int steps,
        Precision precision,
        double ema,
        double clip,
        int accumulate,
        int warmup,
        LrSchedule lrSchedule,
        double lrFinal,
        int logEvery,
        int checkpointEvery,
        int keep,
        double labelDrop) {

    /// Update rules.
    public enum Optimizer implements Named {
        /// Stochastic gradient descent with momentum.
        SGD("sgd", 1e-2),
        /// Kingma and Ba, arXiv:1412.6980.
        ADAM("adam", 1e-4),
        /// Loshchilov and Hutter, arXiv:1711.05101.
        ADAMW("adamw", 1e-4);

        private final String word;
        private final double usualLr;

        Optimizer(String word, double usualLr) {
            this.word = word;
            this.usualLr = usualLr;
        }

        @Override
        public String word() {
            return word;
        }
    }

    /// Arithmetic policies.
    public enum Precision implements Named {
        /// 32-bit everywhere.
        F32("f32"),
        /// 32-bit storage, matrix products of 10-bit mantissas; only a CUDA device has it.
        TF32("tf32"),
        /// 16-bit activations and weight copies, 32-bit weights, moments and sums.
        BF16("bf16");

        private final String word;

        Precision(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    /// Courses of the learning rate.
    public enum LrSchedule implements Named {
        CONSTANT("constant"),
        /// Half a cosine from `lr` towards `lrFinal` (Loshchilov and Hutter, arXiv:1608.03983, eq. 5, one period).
        COSINE("cosine");

        private final String word;

        LrSchedule(String word) {
            this.word = word;
        }

        @Override
        public String word() {
            return word;
        }
    }

    /// A step of so many batches of study 1's network has 37,000 operations and takes 10 seconds to make.
    private static final int MOST_ACCUMULATED = 64;

    static final List<String> KEYS = List.of(
            "optimizer",
            "lr",
            "momentum",
            "beta1",
            "beta2",
            "eps",
            "weight_decay",
            "batch",
            "batch_limit_n",
            "steps",
            "precision",
            "ema",
            "clip",
            "accumulate",
            "warmup",
            "lr_schedule",
            "lr_final",
            "log_every",
            "checkpoint_every",
            "keep",
            "label_drop");

    /// @throws IllegalArgumentException when a value is out of range; the message names the dotted key
    public TrainConfig {
        Check.positive("train.lr", lr);
        Check.fraction("train.momentum", momentum);
        Check.fraction("train.beta1", beta1);
        Check.fraction("train.beta2", beta2);
        Check.positive("train.eps", eps);
        Check.notNegative("train.weight_decay", weightDecay);
        Check.between(1, 1 << 24, "train.batch", batch);
        Check.atLeast(1, "train.steps", steps);
        Check.fraction("train.ema", ema);
        Check.notNegative("train.clip", clip);
        // The operations of every batch are written into the step, one after the other.
        Check.between(1, MOST_ACCUMULATED, "train.accumulate", accumulate);
        Check.between(0, steps, "train.warmup", warmup);
        Check.that(
                lrSchedule != LrSchedule.COSINE || warmup < steps,
                "train.warmup",
                "less than train.steps (" + steps + "), because the cosine schedule begins after the warm-up",
                warmup);
        Check.notNegative("train.lr_final", lrFinal);
        Check.that(
                lrFinal <= lr, "train.lr_final", "a number of at most train.lr (" + TomlText.number(lr) + ")", lrFinal);
        Check.survivesFloat("train.lr", lr);
        Check.survivesFloat("train.lr_final", lrFinal);
        Check.survivesFloat("train.eps", eps);
        Check.survivesFloat("train.weight_decay", weightDecay);
        Check.survivesFloat("train.clip", clip);
        Check.atLeast(1, "train.log_every", logEvery);
        Check.atLeast(0, "train.checkpoint_every", checkpointEvery);
        Check.atLeast(0, "train.keep", keep);
        Check.fraction("train.label_drop", labelDrop);
    }

    /// The batch that is used with `n` training images.
    public int effectiveBatch(int n) {
        return batchLimitN ? Math.min(n, batch) : batch;
    }

    static TrainConfig of(Section s) {
        Optimizer optimizer = s.choice("optimizer", Optimizer.values(), Optimizer.SGD);
        return new TrainConfig(
                optimizer,
                s.real("lr", optimizer.usualLr),
                s.real("momentum", 0.95),
                s.real("beta1", 0.9),
                s.real("beta2", 0.999),
                s.real("eps", 1e-8),
                s.real("weight_decay", 0),
                s.integer("batch", 512),
                s.flag("batch_limit_n", true),
                s.integer("steps"),
                s.choice("precision", Precision.values(), Precision.F32),
                s.real("ema", 0),
                s.real("clip", 0),
                s.integer("accumulate", 1),
                s.integer("warmup", 0),
                s.choice("lr_schedule", LrSchedule.values(), LrSchedule.CONSTANT),
                s.real("lr_final", 0),
                s.integer("log_every", 10),
                s.integer("checkpoint_every", 1000),
                s.integer("keep", 2),
                s.real("label_drop", 0));
    }

    void write(TomlText toml) {
        toml.table("train")
                .put("optimizer", optimizer)
                .put("lr", lr)
                .put("momentum", momentum)
                .put("beta1", beta1)
                .put("beta2", beta2)
                .put("eps", eps)
                .put("weight_decay", weightDecay)
                .put("batch", batch)
                .put("batch_limit_n", batchLimitN)
                .put("steps", steps)
                .put("precision", precision)
                .put("ema", ema)
                .put("clip", clip)
                .put("accumulate", accumulate)
                .put("warmup", warmup)
                .put("lr_schedule", lrSchedule)
                .put("lr_final", lrFinal)
                .put("log_every", logEvery)
                .put("checkpoint_every", checkpointEvery)
                .put("keep", keep);
        // Left out where it is off, so that runs from before there was this key are still the same runs.
        if (labelDrop > 0) {
            toml.put("label_drop", labelDrop);
        }
    }
}
