package dev.rote.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// Every key that a run's configuration knows, and what an unknown one was probably meant to be.
final class Keys {
    /// The sections with their keys, in the order in which they are written.
    static final Map<String, List<String>> SECTIONS = sections();

    /// The keys outside all sections.
    static final List<String> TOP = List.of("name", "seed", "device", "kernels", "threads");

    /// What other tools and papers call our keys.
    private static final Map<String, String> ALIASES = Map.ofEntries(
            Map.entry("learning_rate", "train.lr"),
            Map.entry("learningrate", "train.lr"),
            Map.entry("batch_size", "train.batch"),
            Map.entry("batchsize", "train.batch"),
            Map.entry("iterations", "train.steps"),
            Map.entry("max_steps", "train.steps"),
            Map.entry("num_steps", "train.steps"),
            Map.entry("epochs", "train.steps"),
            Map.entry("updates", "train.steps"),
            Map.entry("ema_decay", "train.ema"),
            Map.entry("ema_rate", "train.ema"),
            Map.entry("grad_clip", "train.clip"),
            Map.entry("max_grad_norm", "train.clip"),
            Map.entry("gradient_accumulation", "train.accumulate"),
            Map.entry("wd", "train.weight_decay"),
            Map.entry("optim", "train.optimizer"),
            Map.entry("dtype", "train.precision"),
            Map.entry("scheduler", "train.lr_schedule"),
            Map.entry("save_every", "train.checkpoint_every"),
            Map.entry("channels", "model.width"),
            Map.entry("base_channels", "model.width"),
            Map.entry("num_channels", "model.width"),
            Map.entry("model_channels", "model.width"),
            Map.entry("channel_mult", "model.multipliers"),
            Map.entry("dim_mults", "model.multipliers"),
            Map.entry("num_res_blocks", "model.blocks"),
            Map.entry("attention_resolutions", "model.attention"),
            Map.entry("num_heads", "model.heads"),
            Map.entry("num_head_channels", "model.head_size"),
            Map.entry("num_classes", "model.classes"),
            Map.entry("use_scale_shift_norm", "model.scale_shift"),
            Map.entry("timesteps", "diffusion.steps"),
            Map.entry("diffusion_steps", "diffusion.steps"),
            Map.entry("num_timesteps", "diffusion.steps"),
            Map.entry("noise_schedule", "diffusion.schedule"),
            Map.entry("beta_schedule", "diffusion.schedule"),
            Map.entry("prediction_type", "diffusion.objective"),
            Map.entry("dataset", "data.source"),
            Map.entry("path", "data.source"),
            Map.entry("dir", "data.source"),
            Map.entry("image_size", "data.size"),
            Map.entry("resolution", "data.size"),
            Map.entry("grayscale", "data.gray"),
            Map.entry("grey", "data.gray"),
            Map.entry("num_images", "data.n"),
            Map.entry("random_flip", "data.flip"),
            Map.entry("num_samples", "measure.samples"),
            Map.entry("clip_denoised", "measure.clip"),
            Map.entry("clip_sample", "measure.clip"),
            Map.entry("every", "measure.steps"),
            Map.entry("random_seed", "seed"));

    private Keys() {}

    private static Map<String, List<String>> sections() {
        var sections = new LinkedHashMap<String, List<String>>();
        sections.put("data", DataConfig.KEYS);
        sections.put("model", ModelConfig.KEYS);
        sections.put("diffusion", DiffusionConfig.KEYS);
        sections.put("train", TrainConfig.KEYS);
        sections.put("measure", MeasureConfig.KEYS);
        sections.put("stop", StopConfig.KEYS);
        return sections;
    }

    /// All keys, dotted, in the order in which they are written.
    static List<String> dotted() {
        return Stream.concat(TOP.stream(), SECTIONS.entrySet().stream().flatMap(s -> s.getValue().stream()
                        .map(k -> s.getKey() + "." + k)))
                .toList();
    }

    /// The sentence about an unknown dotted key.
    static String unknown(String key) {
        int dot = key.lastIndexOf('.');
        List<String> here = SECTIONS.getOrDefault(key.substring(0, Math.max(dot, 0)), dotted());
        return unknown(key.substring(0, dot + 1), key.substring(dot + 1), here);
    }

    /// The sentence about an unknown key. `prefix` is its table with a dot, or empty.
    static String unknown(String prefix, String key, List<String> here) {
        String sentence = "unknown key " + prefix + TomlText.key(key);
        if (dotted().contains(key) && key.contains(".")) {
            return sentence + ": write " + key + " without quotes, outside any table";
        }
        List<String> meant = meant(prefix, key, here);
        if (meant.isEmpty()) {
            String where = prefix.isEmpty() ? "at the top" : "of " + prefix.substring(0, prefix.length() - 1);
            return sentence + ": the keys " + where + " are " + String.join(", ", here);
        }
        return sentence + ": did you mean " + String.join(" or ", meant) + "?";
    }

    private static Optional<String> elsewhere(String word) {
        List<String> all = dotted();
        List<String> words = all.stream().map(Keys::last).toList();
        return Nearest.to(word, words).map(near -> all.get(words.indexOf(near)));
    }

    private static String last(String dotted) {
        return dotted.substring(dotted.lastIndexOf('.') + 1);
    }

    private static List<String> meant(String prefix, String key, List<String> here) {
        String last = last(key);
        String alias = ALIASES.get(last.replace('-', '_').toLowerCase(java.util.Locale.ROOT));
        if (alias != null) {
            return List.of(alias);
        }
        var same = new ArrayList<String>();
        for (String known : dotted()) {
            if (known.equals(last) || known.endsWith("." + last)) {
                same.add(known);
            }
        }
        if (!same.isEmpty()) {
            return same;
        }
        Optional<String> near = Nearest.to(key, here).map(k -> prefix + k);
        return near.or(() -> elsewhere(last)).stream().toList();
    }
}
